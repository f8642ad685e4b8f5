// SPDX-License-Identifier: MIT
// Instances that others know of: files that change, and Consul.
import { afterEach, describe, expect, test } from 'vitest';
import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway } from './support/gateway.mjs';
import { startInstances, stopInstances } from './support/instance.mjs';
import { startConsul } from './support/consul.mjs';
import { until } from './support/wait.mjs';

let gateway;
let instances = [];
let consul;
let directory;

afterEach(async () => {
  await gateway?.stop();
  await stopInstances(instances);
  await consul?.stop();
  if (directory) rmSync(directory, { recursive: true, force: true });
  [gateway, instances, consul, directory] = [undefined, [], undefined, undefined];
});

async function gatewayOf(users, rest = {}) {
  gateway = await startGateway({ services: { users }, routes: [{ name: 'users', prefix: '/users', service: 'users' }], ...rest });
}

async function running(...names) {
  instances = await startInstances(...names);
  return instances;
}

/** The status of one request, and who answered it. */
async function ask() {
  const answer = await fetch(`${gateway.url}/users/7`);
  await answer.text();
  return { status: answer.status, instance: answer.headers.get('x-instance') };
}

async function whoAnswers() {
  const seen = new Set();
  for (let i = 0; i < 6; ++i) seen.add((await ask()).instance ?? 'nobody');
  return [...seen].sort().join(' ');
}

const answered = (by, patience) => until(async () => (await whoAnswers()) === by, `${by} and nobody else answers`, patience);
const event = (type) => gateway.log.find((line) => line.logger === 'events' && line.message === type);

describe('a directory of files', () => {
  /** As tools write files: beside it, then renamed into place. */
  function put(name, content) {
    const beside = join(directory, `.${name}.new`);
    writeFileSync(beside, typeof content === 'string' ? content : JSON.stringify(content));
    renameSync(beside, join(directory, name));
  }
  const listing = (...some) => ({ service: 'users', instances: some.map((each) => ({ host: '127.0.0.1', port: each.port })) });

  async function discovering(...some) {
    directory = mkdtempSync(join(tmpdir(), 'suoke-instances-'));
    if (some.length) put('users.json', listing(...some));
    await gatewayOf({ discovery: { file: directory } });
  }

  test('is read, and read again when a file is renamed into place, or goes', async () => {
    const [one, two, three] = await running('one', 'two', 'three');
    await discovering(one);
    await answered('one');
    put('users.json', listing(two));
    await answered('two');
    put('more.yaml', `service: users\ninstances:\n  - 127.0.0.1:${three.port}\n`);
    await answered('three two');
    unlinkSync(join(directory, 'more.yaml'));
    await answered('two');
  });

  test('that is empty at first is no reason not to start', async () => {
    const [one] = await running('one');
    await discovering();
    expect((await ask()).status).toBe(503);
    put('users.json', listing(one));
    await answered('one');
  });

  test('with a bad file keeps its last answer, says so, and goes on when the file is good', async () => {
    const [one, two] = await running('one', 'two');
    await discovering(one);
    await answered('one');
    put('users.json', '{"service": "users", "instances": [');
    await until(() => event('discovery.failed'), 'it is told');
    expect(event('discovery.failed')).toMatchObject({ level: 'warning', service: 'users' });
    expect(JSON.stringify(event('discovery.failed'))).toContain('users.json');
    expect(await whoAnswers()).toBe('one');
    put('users.json', listing(two));
    await answered('two');
  });

  test('whose files say "nobody" is not believed at once', async () => {
    const [one, two] = await running('one', 'two');
    await discovering(one);
    await answered('one');
    put('users.json', listing());
    await until(() => event('discovery.emptied'), 'it is told');
    expect(await whoAnswers()).toBe('one');
    put('users.json', listing(one, two));
    await answered('one two');
  });
});

describe('Consul', () => {
  const at = (consul, more = {}) => ({ service_discovery: { consul: { host: '127.0.0.1', port: consul.port, ...more } } });
  const entry = (each, more = {}) => ({ id: each.name, port: each.port, ...more });

  test('is asked once and then waited for: what changes there changes here', async () => {
    const [one, two] = await running('one', 'two');
    consul = await startConsul();
    consul.has('people', [entry(one)]);
    await gatewayOf({ discovery: { consul: 'people' } }, at(consul));
    await answered('one');
    consul.has('people', [entry(one), entry(two)]);
    await answered('one two');
    consul.has('people', [entry(one, { status: 'critical' }), entry(two)]);
    await answered('two');
    expect(consul.queries[0]).toMatchObject({ name: 'people', index: 0 });
    expect(consul.queries.slice(1).every((query) => query.index > 0)).toBe(true);
    expect(consul.queries.length).toBeLessThanOrEqual(5); // one for each change, and the one that waits
  });

  test('is told the tags that are wanted, and the token', async () => {
    const [one, two] = await running('one', 'two');
    consul = await startConsul({ token: 'a-token-for-consul' });
    consul.has('people', [entry(one, { tags: ['v1'] }), entry(two, { tags: ['v2', 'eu'] })]);
    await gatewayOf({ discovery: { consul: 'people', consul_tags: ['v2', 'eu'] } }, at(consul, { token: 'a-token-for-consul' }));
    await answered('two');
  });

  test('that refuses the token is a failure that is told, without the token', async () => {
    consul = await startConsul({ token: 'the-right-token' });
    await gatewayOf({ discovery: { consul: 'people' } }, at(consul, { token: 'the-wrong-token' }));
    await until(() => event('discovery.failed'), 'it is told');
    expect(JSON.stringify(event('discovery.failed'))).toContain('403');
    expect(JSON.stringify(gateway.log)).not.toContain('the-wrong-token');
  });

  test('that is away is not missed, and one that counts anew is believed', async () => {
    const [one, two] = await running('one', 'two');
    consul = await startConsul({ index: 5_000 });
    consul.has('people', [entry(one)]);
    await gatewayOf({ discovery: { consul: 'people' } }, at(consul));
    await answered('one');
    await consul.stop();
    await until(() => event('discovery.failed'), 'it is told');
    expect(await whoAnswers()).toBe('one');
    consul = await startConsul({ port: consul.port, index: 3 });
    consul.has('people', [entry(two)]);
    await answered('two', 10_000);
  });

  test('that knows nobody any more is not believed at once', async () => {
    const [one] = await running('one');
    consul = await startConsul();
    consul.has('people', [entry(one)]);
    await gatewayOf({ discovery: { consul: 'people' } }, at(consul));
    await answered('one');
    consul.has('people', []);
    await until(() => event('discovery.emptied'), 'it is told');
    expect(await whoAnswers()).toBe('one');
  });

  test('is where every service is looked for that says nothing itself', async () => {
    const [one, two] = await running('one', 'two');
    consul = await startConsul();
    consul.has('users', [entry(one)]);
    consul.has('pets', [entry(one)]);
    const services = { pets: { endpoints: [two.endpoint] } };
    gateway = await startGateway({
      service_discovery: { ...at(consul).service_discovery, type: 'consul' },
      services: { ...services, users: {} },
      routes: [{ name: 'users', prefix: '/users', service: 'users' }, { name: 'pets', prefix: '/pets', service: 'pets' }],
    });
    await answered('one');
    expect((await fetch(`${gateway.url}/pets/1`)).headers.get('x-instance')).toBe('two');
    expect(consul.queries.map((query) => query.name)).not.toContain('pets');
  });
});
