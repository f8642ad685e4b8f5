// SPDX-License-Identifier: MIT
// Pods that Kubernetes knows of: its EndpointSlices are listed once and then watched.
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { rmSync } from 'node:fs';
import { makeCertificate } from './support/certificate.mjs';
import { freePort, startGateway } from './support/gateway.mjs';
import { Instance, stopInstances } from './support/instance.mjs';
import { ServiceAccount, startKubernetes } from './support/kubernetes.mjs';
import { until } from './support/wait.mjs';

const authority = makeCertificate({ names: ['kubernetes'] });
const another = makeCertificate({ names: ['kubernetes'] });
const certificate = makeCertificate({ names: ['kubernetes.default.svc'], issuer: authority });
const renewed = makeCertificate({ names: ['kubernetes.default.svc'], issuer: another });
afterAll(() => [authority, another, certificate, renewed].forEach((each) => rmSync(each.directory, { recursive: true })));

const TOKEN = 'a-token-of-a-service-account';
const PATIENCE = 15_000; // after failures it asks again within four seconds, most likely less
vi.setConfig({ testTimeout: 60_000 }); // one who waits in vain says for what

let kubernetes, account, gateway, port;
let instances = [];

beforeEach(async () => {
  kubernetes = await startKubernetes({ certificate, tokens: [TOKEN] });
  account = new ServiceAccount({ token: TOKEN, authority });
});

afterEach(async () => {
  await gateway?.stop();
  await stopInstances(instances);
  await kubernetes.stop();
  account.remove();
  [gateway, instances] = [undefined, []];
});

// ---- the stage

/** Pods, each with an address of its own and all with the same port. */
async function running(...names) {
  port = await freePort();
  for (const name of names) instances.push(await new Instance(name, port, { host: `127.0.0.${instances.length + 2}` }).start());
  return instances.map(({ name, host }) => ({ name, address: host }));
}

/** The slice of the service users that has these pods. */
const users = (...pods) => ({ name: 'users-x7k2p', service: 'users', ports: { http: port }, pods });
const so = (pod, conditions) => ({ ...pod, conditions });

const USERS = { users: { discovery: { kubernetes: {} } } };

async function gatewayOf(services = USERS, more = {}, rest = {}, options = {}) {
  const at = { host: '127.0.0.1', port: String(kubernetes.port), ...account.files, ...more };
  const routes = Object.keys(services).map((name) => ({ name, prefix: `/${name}`, service: name }));
  gateway = await startGateway({ service_discovery: { kubernetes: at, ...rest }, services, routes }, options);
}

/** The gateway serves what the slice says, and watches for more. */
async function watching(...pods) {
  kubernetes.has(users(...pods));
  await gatewayOf();
  await answered(pods.map((pod) => pod.name).sort().join(' '));
  await watched();
}
const watched = () => until(() => kubernetes.watches === 1, 'it watches', PATIENCE);

// ---- what is seen

async function ask(service = 'users') {
  const answer = await fetch(`${gateway.url}/${service}/7`);
  await answer.text();
  return { status: answer.status, instance: answer.headers.get('x-instance') };
}

async function whoAnswers(service) {
  const seen = new Set();
  for (let i = 0; i < 6; ++i) seen.add((await ask(service)).instance ?? 'nobody');
  return [...seen].sort().join(' ');
}

async function answered(by, service) {
  let seen;
  await until(async () => (seen = await whoAnswers(service)) === by, `${by} and nobody else`, PATIENCE).catch(() => {});
  expect(seen).toBe(by);
}

const events = (type) => gateway.log.filter((line) => line.logger === 'events' && line.message === type);
const told = (type) => until(() => events(type)[0], `${type} is told`, PATIENCE);
const asked = () => kubernetes.queries.map((query) => query.verb).join(' ');

// ---- the tests

describe('pods of a service', () => {
  test('are found in all of its slices and served', async () => {
    const [one, two, three] = await running('one', 'two', 'three');
    kubernetes.has(users(one, two));
    kubernetes.has({ ...users(three), name: 'users-4qd9z' });
    kubernetes.has({ ...users(), name: 'users-empty' });
    await gatewayOf();
    await answered('one three two');
    expect(kubernetes.queries[0]).toEqual({ verb: 'list', namespace: 'default', service: 'users', version: null });
  });

  test('that are not ready, or about to end, are left out', async () => {
    const [one, two, three, four] = await running('one', 'two', 'three', 'four');
    kubernetes.has(users(
      one,
      so(two, { ready: false, serving: false }),
      so(three, { ready: false, serving: true, terminating: true }),
      so(four, { ready: false, serving: false, terminating: true }),
    ));
    await gatewayOf();
    await answered('one');
  });

  test('come and go with their readiness', async () => {
    const [one, two] = await running('one', 'two');
    await watching(one, two);
    kubernetes.has(users(one, so(two, { ready: false, serving: false })));
    await answered('one');
    kubernetes.has(users(one, two));
    await answered('one two');
    kubernetes.has(users(so(one, { ready: false, serving: true, terminating: true }), two));
    await answered('two');
  });

  test('have a port that is named, where there are several', async () => {
    const [one] = await running('one');
    const ports = { metrics: await freePort(), http: port };
    kubernetes.has({ ...users(one), ports });
    await gatewayOf({ users: { discovery: { kubernetes: { port: 'http' } } }, unnamed: { discovery: { kubernetes: { service: 'users' } } } });
    await answered('one');
    expect(await told('discovery.failed')).toMatchObject({ service: 'unnamed', because: expect.stringContaining('metrics') });
  });

  test('are those of the namespace, whatever another one has by the same name', async () => {
    const [one, two] = await running('one', 'two');
    kubernetes.has({ ...users(one), namespace: 'blue' });
    kubernetes.has({ ...users(two), namespace: 'green' });
    await gatewayOf(
      { users: { discovery: { kubernetes: {} } }, people: { discovery: { kubernetes: { namespace: 'green', service: 'users' } } } },
      { namespace: 'blue' },
    );
    await answered('one');
    await answered('two', 'people');
    await until(() => kubernetes.watches === 2, 'both are watched');
    kubernetes.has({ ...users(one, two), namespace: 'green' });
    await answered('one two', 'people');
    await answered('one');
  });

  test('are looked for by the name of every service that says nothing itself', async () => {
    const [one] = await running('one');
    kubernetes.has(users(one));
    await gatewayOf({ users: {} }, {}, { type: 'kubernetes' });
    await answered('one');
  });

  test('that are all gone are not believed to be at once', async () => {
    const [one] = await running('one');
    await watching(one);
    kubernetes.has(users());
    await told('discovery.emptied');
    expect(await whoAnswers()).toBe('one');
  });
});

describe('a watch', () => {
  test('moves traffic, and nothing is asked again', async () => {
    const [one, two, three] = await running('one', 'two', 'three');
    await watching(one);
    kubernetes.has(users(two));
    await answered('two');
    kubernetes.has({ ...users(three), name: 'users-4qd9z' });
    await answered('three two');
    kubernetes.deletes('users-x7k2p');
    await answered('three');
    expect(asked()).toBe('list watch');
  });

  test.each([
    ['is over', () => kubernetes.endsWatches()],
    ['breaks', () => kubernetes.breakAll()],
    ['breaks in the middle of an event', () => kubernetes.tearsNextEvent()],
  ])('that %s is taken up again where it was, and nothing is lost', async (_, ends) => {
    const [one, two, three] = await running('one', 'two', 'three');
    await watching(one);
    const before = kubernetes.version;
    ends();
    kubernetes.has(users(two)); // nobody hears of it, or half
    kubernetes.has({ ...users(three), name: 'users-4qd9z' });
    await answered('three two');
    expect(asked()).toBe('list watch watch');
    expect(kubernetes.queries.at(-1).version).toBe(before);
    expect(events('discovery.failed')).toEqual([]);
  });

  test('goes on from its last bookmark, though what was before is forgotten', async () => {
    const [one, two] = await running('one', 'two');
    await watching(one);
    for (let i = 0; i < 100; ++i) kubernetes.changesElsewhere();
    kubernetes.forgetsHistory();
    kubernetes.bookmarks();
    kubernetes.endsWatches();
    kubernetes.has(users(two));
    await answered('two');
    expect(asked()).toBe('list watch watch');
  });

  test.each(['event', 'status'])('whose version is too old, as its %s says, is followed by a new list', async (how) => {
    const [one, two, three] = await running('one', 'two', 'three');
    await watching(one, two);
    kubernetes.has({ ...users(three), name: 'users-4qd9z' });
    await answered('one three two');
    kubernetes.goneAs = how;
    kubernetes.breakAll();
    kubernetes.deletes('users-4qd9z'); // which no watch will tell
    kubernetes.has(users(two));
    kubernetes.forgetsHistory();
    await answered('two');
    expect(asked()).toMatch(/^list watch watch list( watch)?$/);
    expect(events('discovery.failed')).toEqual([]);
  });

  test('that is told so in its middle, too', async () => {
    const [one, two] = await running('one', 'two');
    await watching(one);
    kubernetes.expiresWatches();
    kubernetes.has(users(two));
    kubernetes.forgetsHistory();
    await answered('two');
    expect(asked()).toMatch(/^list watch list( watch)?$/);
    expect(events('discovery.failed')).toEqual([]);
  });
});

describe('the API server', () => {
  test('is away: its last answer counts, and what it says when it is back', async () => {
    const [one, two] = await running('one', 'two');
    await watching(one);
    await kubernetes.stop();
    expect(await told('discovery.failed')).toMatchObject({ level: 'warning', service: 'users', source: 'kubernetes' });
    kubernetes.has(users(two));
    await answered('one');
    await kubernetes.start();
    await answered('two');
    expect(await told('discovery.back')).toMatchObject({ service: 'users', source: 'kubernetes' });
    expect(events('discovery.failed')).toHaveLength(1);
  });

  test('is away at first: the gateway starts, and finds the pods when it is there', async () => {
    const [one] = await running('one');
    kubernetes.has(users(one));
    await kubernetes.stop();
    await gatewayOf();
    await told('discovery.failed');
    expect((await ask()).status).toBe(503);
    await kubernetes.start();
    await answered('one');
  });

  test('is where a pod is told it is: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(kubernetes.port) };
    await gatewayOf(USERS, { host: undefined, port: undefined }, {}, { env });
    await until(() => kubernetes.queries.length > 0 || events('discovery.failed').length > 0, 'it asks somebody');
    expect(kubernetes.queries[0]).toMatchObject({ verb: 'list', service: 'users' });
  });

  test('with a certificate of another authority is not believed, nor told the token', async () => {
    const [one] = await running('one');
    kubernetes.has(users(one));
    kubernetes.shows(renewed);
    await gatewayOf();
    expect((await told('discovery.failed')).because).toContain('certificate');
    expect((await ask()).status).toBe(503);
    expect(kubernetes.queries).toEqual([]);
    kubernetes.shows(certificate);
    await answered('one');
  });

  test('with a certificate for another name is not believed either', async () => {
    const [one] = await running('one');
    kubernetes.has(users(one));
    await gatewayOf(USERS, { host: 'localhost' });
    expect((await told('discovery.failed')).because).toMatch(/certificate|hostname/);
    expect((await ask()).status).toBe(503);
    expect(kubernetes.queries).toEqual([]);
  });

  test('is believed anew when its authority is renewed', async () => {
    const [one, two] = await running('one', 'two');
    await watching(one);
    account.renew({ authority: another });
    kubernetes.shows(renewed);
    kubernetes.breakAll();
    kubernetes.has(users(two));
    await answered('two');
    expect(asked()).toBe('list watch watch');
    expect(events('discovery.failed')).toEqual([]);
  });

  test('that forbids it is a failure that says what is missing', async () => {
    kubernetes.forbidden = ['default'];
    const [one] = await running('one');
    kubernetes.has(users(one));
    await gatewayOf();
    const { because } = await told('discovery.failed');
    expect(because).toContain('cannot list resource "endpointslices"');
    expect(because).toContain('let the service account list and watch');
    kubernetes.forbidden = [];
    await answered('one');
  });
});

describe('the token', () => {
  test('is read anew when it is rotated, and nobody notices', async () => {
    const [one, two] = await running('one', 'two');
    await watching(one);
    account.renew({ token: 'the-next-token' });
    kubernetes.tokens = ['the-next-token'];
    kubernetes.breakAll();
    kubernetes.has(users(two));
    await answered('two');
    expect(asked()).toBe('list watch watch');
    expect(events('discovery.failed')).toEqual([]);
  });

  test('is no good any more: this is told without it, the last answer counts, and the next one is taken', async () => {
    const [one, two] = await running('one', 'two');
    await watching(one);
    kubernetes.tokens = ['the-next-token'];
    kubernetes.breakAll();
    kubernetes.has(users(two));
    expect((await told('discovery.failed')).because).toContain('401');
    await answered('one');
    account.renew({ token: 'the-next-token' });
    await answered('two');
    await told('discovery.back');
    for (const token of [TOKEN, 'the-next-token']) expect(JSON.stringify(gateway.log)).not.toContain(token);
  });
});
