// SPDX-License-Identifier: MIT
// A service that fails too often, or is too slow, is left alone for a while.
import { expect, test } from 'vitest';
import * as scene from './support/service_scene.mjs';
import { addressOf, ask, asks, event, events, gatewayOf, named, PATIENCE, statuses, tally } from './support/service_scene.mjs';
import { until } from './support/wait.mjs';

scene.serviceOf('one', 'two');

const serviceWith = (circuit_breaker, rest) =>
  gatewayOf(scene.configOf({ circuit_breaker, retry: 0, outlier_detection: false, ...rest }));
const alone = () => ({ endpoints: [named('one').endpoint] });
const opened = (gateway) => events(gateway, 'breaker.opened');
/** Asks until the breaker answers; how many the service answered before. */
const untilItOpens = async (gateway) => {
  const answers = [];
  await until(async () => answers.push(await ask(gateway)) && answers.at(-1).headers['retry-after'], 'the breaker opens', PATIENCE);
  expect(JSON.parse(answers.at(-1).text)).toMatchObject({ code: 'circuit_open', status: 503 });
  return answers.slice(0, -1);
};
const untilItCloses = (gateway) => until(async () => (await ask(gateway)) && events(gateway, 'breaker.closed')[0], 'it closes', PATIENCE);

test('half of the answers are errors: it opens, but not before there are enough to judge by', async () => {
  await named('one').behave({ status: 500, every: 2 });
  const gateway = await serviceWith({ failure_threshold: 2, error_percent: 40, minimum_requests: 20, window: '60s', recovery_timeout: '60s' }, alone());
  const answers = await untilItOpens(gateway);
  // The older half of the window fades, so there may be a few more.
  expect(answers.length).toBeGreaterThanOrEqual(20);
  expect(answers.length).toBeLessThan(40);
  expect(opened(gateway)).toEqual([expect.objectContaining({ service: 'users' })]);

  const refused = await asks(gateway, 5);
  expect(statuses(refused)).toEqual([503]);
  expect(Number(refused[0].headers['retry-after'])).toBeGreaterThan(1);
  expect((await named('one').asked()).requests.length).toBe(answers.length);
});

test('a quarter of them is not enough where 40 % are', async () => {
  await named('one').behave({ status: 500, every: 4 });
  const gateway = await serviceWith({ failure_threshold: 0, error_percent: 40, minimum_requests: 10 }, alone());
  expect(statuses(await asks(gateway, 60))).toEqual([200, 500]);
  expect(opened(gateway)).toEqual([]);
});

test('good answers that take too long open it, and it closes when they are quick again', async () => {
  await named('one').behave({ delay: 1_000 });
  const gateway = await serviceWith({ slow_call: '500ms', failure_threshold: 3, recovery_timeout: '2s', success_threshold: 2 }, alone());
  const answers = await untilItOpens(gateway);
  expect(answers.map((each) => each.status)).toEqual([200, 200, 200]);
  await named('one').behave({});
  await untilItCloses(gateway);
  expect(statuses(await asks(gateway, 10))).toEqual([200]);
  expect(opened(gateway).length).toBe(1);
});

test('who is still ill when it is tried again is left alone again', async () => {
  await named('one').behave({ status: 500 });
  const gateway = await serviceWith({ failure_threshold: 2, recovery_timeout: '500ms', half_open_requests: 1, success_threshold: 2 }, alone());
  await until(async () => (await ask(gateway)) && opened(gateway).length === 3, 'it opens three times', PATIENCE);
  // Two in a row, then one for each time it was tried.
  expect((await named('one').asked()).requests.length).toBe(4);
  await named('one').behave({});
  await untilItCloses(gateway);
  expect((await ask(gateway)).status).toBe(200);
});

test('of an endpoint: the slow one is left alone, and the other answers', async () => {
  await named('one').behave({ delay: 1_000 });
  const gateway = await serviceWith({ scope: 'endpoint', slow_call: '500ms', failure_threshold: 2, recovery_timeout: '60s' });
  await until(async () => (await ask(gateway)).status === 200 && opened(gateway)[0], 'it opens', PATIENCE);
  expect(opened(gateway)).toEqual([expect.objectContaining({ service: 'users', endpoint: addressOf('one') })]);
  expect(tally(await asks(gateway, 10))).toEqual({ one: 0, two: 10 });
});

test('the fallback is answered instead, and nobody else is asked', async () => {
  await named('one').behave({ status: 500 });
  const gateway = await serviceWith({ failure_threshold: 1, recovery_timeout: '60s' }, { ...alone(), fallback: { body: '{"users":[]}' } });
  expect((await ask(gateway)).status).toBe(500);
  await event(gateway, 'breaker.opened');
  expect(await ask(gateway)).toMatchObject({ status: 200, text: '{"users":[]}' });
  expect((await named('one').asked()).requests.length).toBe(1);
});
