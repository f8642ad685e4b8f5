// SPDX-License-Identifier: MIT
// What is asked twice and what is not, who is asked besides, and how long anybody waits.
import { describe, expect, test } from 'vitest';
import * as scene from './support/service_scene.mjs';
import { ask, asks, event, events, gatewayOf, named, PATIENCE, statuses, tally, whoAnswered } from './support/service_scene.mjs';
import { until } from './support/wait.mjs';

scene.serviceOf('one', 'two', 'three');

// Nobody is left out, so that it is the retry that finds another one.
const serviceWith = (service, rest) => gatewayOf(scene.configOf({ outlier_detection: false, ...service, ...rest }));
/** What all of them were asked since they were told how to behave, in no particular order. */
const asked = async () => (await Promise.all(scene.instances.map((each) => each.asked()))).flatMap((each) => each.requests);
/** Requests until each of them had its turn; who is asked instead of another has had it, too. */
const EACH = 3;
/** Resolves when all that an instance was asked was given up before it answered. */
const givenUp = (name) =>
  until(async () => {
    const { requests, left } = await named(name).asked();
    return requests.length > 0 && left === requests.length;
  }, 'its connections are closed', PATIENCE);
const post = (more) => ({ method: 'POST', body: 'new', ...more });

describe('an attempt that fails', () => {
  test('takes no longer than it may; another one answers, and the first is given up', async () => {
    await named('one').behave({ hang: true });
    const gateway = await serviceWith({ retry: { per_try_timeout: '1s' } });
    const answers = await asks(gateway, EACH);
    expect(statuses(answers)).toEqual([200]);
    expect(whoAnswered(answers)).toEqual(['three', 'two']);
    await givenUp('one');
  });

  test.each(['a new', 'a kept'])('is not repeated for a POST that was sent on %s connection: it may have been heard', async (which) => {
    const gateway = await serviceWith({ retry: { per_try_timeout: '1s' } });
    if (which === 'a kept') expect(statuses(await asks(gateway, EACH))).toEqual([200]);
    await named('one').behave({ hang: true });
    await named('two').behave({ cut: true });
    await named('three').behave({ status: 503 });
    const answers = await asks(gateway, EACH, post());
    expect(answers.map((each) => each.status).sort()).toEqual([502, 503, 504]);
    expect((await asked()).length).toBe(3);
  });

  test('is repeated for a POST with an Idempotency-Key, with all of its body', async () => {
    await named('one').behave({ hang: true });
    await named('two').behave({ cut: true });
    // Each of them may fail twice, which is more than five retries.
    const gateway = await serviceWith({ retry: { per_try_timeout: '2s', budget_percent: 1_000 } });
    const answers = await asks(gateway, EACH, post({ headers: { 'idempotency-key': '17' } }));
    expect(statuses(answers)).toEqual([200]);
    expect(whoAnswered(answers)).toEqual(['three']);
    for (const name of ['one', 'two']) expect((await named(name).asked()).requests.length, name).toBeGreaterThan(0);
    for (const each of await asked()) expect(each).toMatchObject({ method: 'POST', body: 'new', headers: { 'idempotency-key': '17' } });
  });

  test.each([
    ['is kept up to retry.max_body', 1_000, [200]],
    ['is sent once above it', 1_001, [200, 503]],
  ])('a body %s', async (_, length, expected) => {
    await named('one').behave({ status: 503 });
    const gateway = await serviceWith({ retry: { max_body: '1000B' } });
    const body = 'x'.repeat(length);
    // The head goes on its own, as it does before a long body.
    const pieces = async function* () {
      yield body.slice(0, 1);
      yield body.slice(1);
    };
    const answers = [];
    for (let i = 0; i < EACH; ++i) answers.push(await ask(gateway, { method: 'PUT', headers: { 'content-length': String(length) }, body: pieces() }));
    expect(statuses(answers)).toEqual(expected);
    const failed = (await named('one').asked()).requests.length;
    expect(failed).toBeGreaterThan(0);
    expect((await asked()).length).toBe(expected.length === 1 ? EACH + failed : EACH);
    for (const each of await asked()) expect(each.body).toBe(body);
  });

  test.each([
    ['for more patience than there is: that is the answer', '30', [200, 503]],
    ['for none', '0', [200]],
  ])('with an answer that asks %s', async (_, seconds, expected) => {
    await named('one').behave({ status: 503, headers: { 'Retry-After': seconds } });
    const gateway = await serviceWith();
    const answers = await asks(gateway, EACH);
    expect(statuses(answers)).toEqual(expected);
    for (const each of answers) if (each.status === 503) expect(each).toMatchObject({ instance: 'one', text: 'sorry', headers: { 'retry-after': '30' } });
  });

  test('is not repeated where there is nobody else, but where that is wanted', async () => {
    await named('one').behave({ status: 503, every: 2 });
    const alone = { endpoints: [named('one').endpoint] };
    const once = await asks(await serviceWith(alone), 4);
    expect(once.map((each) => each.status).sort()).toEqual([200, 200, 503, 503]);
    const twice = await asks(await serviceWith({ ...alone, retry: { same_endpoint: true } }), 4);
    expect(statuses(twice)).toEqual([200]);
  });
});

describe('X-Request-Timeout', () => {
  const milliseconds = (request) => Number(/^(\d+)ms$/.exec(request.headers['x-request-timeout'])[1]);

  test.each([
    ['2.5', 2_500],
    ['60s', 10_000], // the route of the second gateway gives no more
  ])('of %s goes on through two gateways as what is left of it', async (timeout, left) => {
    const inner = await serviceWith({ route: { timeout: '10s' } });
    const outer = await gatewayOf({ services: { inner: { host: '127.0.0.1', port: inner.port } }, routes: [{ name: 'all', prefix: '/', service: 'inner' }] });
    expect((await ask(outer, { headers: { 'x-request-timeout': timeout } })).status).toBe(200);
    const [request] = await asked();
    expect(milliseconds(request)).toBeLessThanOrEqual(left);
    expect(milliseconds(request)).toBeGreaterThan(0);
  });

  test('when it is over the client is told, the service is not asked any longer, and nobody is to blame', async () => {
    await scene.allBehave({ hang: true });
    const gateway = await serviceWith({ outlier_detection: { consecutive_failures: 1 } });
    const answer = await ask(gateway, { headers: { 'x-request-timeout': '300ms' } });
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.text).code).toBe('deadline_exceeded');
    await until(async () => (await Promise.all(scene.instances.map((each) => each.asked()))).some((each) => each.left === 1), 'it is given up');
    expect((await asked()).length).toBe(1);
    expect(events(gateway, 'endpoint.ejected')).toEqual([]);
  });

  test('of a second attempt is what the first one left', async () => {
    await named('one').behave({ hang: true });
    const gateway = await serviceWith({ retry: { per_try_timeout: '500ms' } });
    await asks(gateway, EACH, { headers: { 'x-request-timeout': '60s' } });
    const told = (await asked()).map(milliseconds).sort((a, b) => a - b);
    expect(told.length).toBeGreaterThan(EACH);
    expect(told[0]).toBeLessThanOrEqual(59_500);
  });

  test('of who had to wait for a place is what is left after it', async () => {
    await scene.allBehave({ delay: 500 });
    const gateway = await serviceWith({ concurrency: { max_requests: 1, max_waiting: 1, max_wait: '60s' } });
    const options = { headers: { 'x-request-timeout': '60s' } };
    expect(statuses(await Promise.all([ask(gateway, options), ask(gateway, options)]))).toEqual([200]);
    const told = (await asked()).map(milliseconds).sort((a, b) => a - b);
    expect(told.length).toBe(2);
    expect(told[0]).toBeLessThanOrEqual(59_500);
  });
});

describe('hedging', () => {
  const hedged = (service) => serviceWith({ route: { hedge: '200ms' }, ...service });

  test('another one is asked as well; the faster wins, and the other is given up', async () => {
    await named('one').behave({ delay: 60_000 });
    const gateway = await hedged();
    const answers = await asks(gateway, EACH);
    expect(statuses(answers)).toEqual([200]);
    expect(whoAnswered(answers)).toEqual(['three', 'two']);
    await givenUp('one');
  });

  test('the one that was asked first may still win', async () => {
    const gateway = await hedged({ load_balancer: { strategy: 'consistent_hash', hash_by: 'path' } });
    const home = (await ask(gateway)).instance;
    await scene.allBehave({ delay: 60_000 });
    await named(home).behave({ delay: 1_000 });
    expect(whoAnswered(await asks(gateway, 3))).toEqual([home]);
    expect((await asked()).length).toBe(6);
  });

  test('nobody else is asked while an answer comes soon', async () => {
    const gateway = await serviceWith({ route: { hedge: '30s' } });
    await asks(gateway, 9);
    expect((await asked()).length).toBe(9);
  });

  test('nor for what must not be done twice', async () => {
    await named('one').behave({ delay: 1_000 });
    const gateway = await hedged();
    const answers = await asks(gateway, EACH, { method: 'POST' });
    expect(tally(answers)).toEqual({ one: 1, two: 1, three: 1 });
    expect((await asked()).length).toBe(3);
  });

  test('one that never answers is left out, although others answer in its place', async () => {
    await named('one').behave({ hang: true });
    const gateway = await hedged({ outlier_detection: { consecutive_failures: 2 } });
    for (let i = 0; i < 8; ++i) expect((await ask(gateway)).status).toBe(200);
    await event(gateway, 'endpoint.ejected', 2_000);
  });
});

describe('a mirror', () => {
  test('gets the whole request, and nobody waits for it', async () => {
    await named('two').behave({ hang: true });
    const gateway = await gatewayOf({
      services: { users: { endpoints: [named('one').endpoint] }, shadow: { endpoints: [named('two').endpoint] } },
      routes: [{ name: 'users', prefix: '/users', service: 'users', mirror: { service: 'shadow' } }],
    });
    const answers = await asks(gateway, 3, post());
    expect(tally(answers)).toEqual({ one: 3, two: 0, three: 0 });
    await until(async () => (await named('two').asked()).requests.length === 3, 'it has all three', PATIENCE);
    for (const each of (await named('two').asked()).requests) expect(each).toMatchObject({ method: 'POST', body: 'new' });
  });
});
