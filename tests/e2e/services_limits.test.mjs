// SPDX-License-Identifier: MIT
// How many requests at once a service is given, found by how long it takes to answer them.
import { describe, expect, test } from 'vitest';
import * as scene from './support/service_scene.mjs';
import { asks, gatewayOf, metric, more, PATIENCE, statuses, untilMetric, whileAsking } from './support/service_scene.mjs';
import { until } from './support/wait.mjs';

scene.serviceOf('one');

// Long enough that what a busy machine adds is not taken for overload: that begins at half as much again.
const WELL = { delay: 400 };
const OVERLOADED = { delay: 400, capacity: 4 }; // the thirty that ask wait for one another
const THIRTY = { connections: 30, pause: 50 };

const serviceWith = (concurrency, rest) => gatewayOf(scene.configOf({ concurrency, outlier_detection: false, ...rest }));
const refused = (answers) => answers.filter((each) => each.status === 503);

/** Thirty at once while it is well: so many, and more, are good for it. */
async function atEase(gateway) {
  await untilMetric(gateway, 'adaptive_limit', (limit) => limit >= 30);
}

describe('the adaptive limit', () => {
  test('comes down when answers take longer, refuses the excess, and opens again', async () => {
    await scene.allBehave(WELL);
    const gateway = await serviceWith({ adaptive: 'enforce' });
    await whileAsking(gateway, async (answers) => {
      await atEase(gateway);
      await scene.allBehave(OVERLOADED);
      await untilMetric(gateway, 'adaptive_limit', (limit) => limit < 20);
      await until(() => refused(answers).length > 0, 'somebody is refused', PATIENCE);
      expect(refused(answers)[0]).toMatchObject({ headers: { 'retry-after': '1' } });
      expect(JSON.parse(refused(answers)[0].text)).toMatchObject({ code: 'concurrency_limit', service: 'users' });
      const before = answers.length;
      await until(() => statuses(answers.slice(before)).includes(200), 'others are answered', PATIENCE);

      await scene.allBehave(WELL);
      await atEase(gateway);
      const after = answers.length;
      await until(() => answers.length > after + 100 && refused(answers.slice(-100)).length === 0, 'nobody is refused', PATIENCE);
    }, THIRTY);
    expect(await metric(gateway, 'over_adaptive_limit_total')).toBeGreaterThan(0);
  });

  test('refuses nobody while it only observes, and shows what it would be: no less than it may', async () => {
    await scene.allBehave(WELL);
    const gateway = await serviceWith({ adaptive_min: 25 }); // observing is the default
    const answers = await whileAsking(gateway, async (answers) => {
      await atEase(gateway);
      await scene.allBehave(OVERLOADED);
      await untilMetric(gateway, 'adaptive_limit', (limit) => limit === 25);
      await untilMetric(gateway, 'over_adaptive_limit_total', (count) => count > 0);
      await more(answers, 30);
    }, THIRTY);
    expect(statuses(answers)).toEqual([200]);
    expect(await metric(gateway, 'adaptive_limit')).toBe(25);
  });

  test('is no number while it is off', async () => {
    await scene.allBehave(WELL);
    const gateway = await serviceWith({ adaptive: 'off' });
    await whileAsking(gateway, (answers) => more(answers, 100), THIRTY);
    expect(await metric(gateway, 'adaptive_limit')).toBe(0);
  });

  test('grows from one or two, where it may be as little', async () => {
    await scene.allBehave({ delay: 30 });
    const gateway = await serviceWith({ adaptive: 'enforce', adaptive_min: 1 });
    await asks(gateway, 12); // one at a time: twice as many as there were is the first limit
    expect(await metric(gateway, 'adaptive_limit')).toBe(2);
    await whileAsking(gateway, () => untilMetric(gateway, 'adaptive_limit', (limit) => limit > 2, 10_000), { connections: 8 });
  });

  test('does not take a failure at once for a quick answer', async () => {
    await scene.allBehave(WELL);
    const gateway = await serviceWith({ adaptive: 'enforce' }, { retry: 0 });
    await whileAsking(gateway, async (answers) => {
      await atEase(gateway);
      await scene.allBehave({ status: 503 });
      await more(answers, 1_500);
      await scene.allBehave(WELL);
      await more(answers, 400);
      await untilMetric(gateway, 'adaptive_limit', (limit) => limit >= 30, 10_000);
    }, THIRTY);
  });
});

describe('a fixed limit', () => {
  test('lets so many in at once and makes others wait, over all workers', async () => {
    await scene.allBehave({ delay: 50 });
    const gateway = await serviceWith({ max_requests: 2, max_waiting: 10, max_wait: '60s', adaptive: 'off' }, { rest: { server: { workers: 2 } } });
    const answers = await whileAsking(gateway, (answers) => more(answers, 30), { connections: 8 });
    expect(statuses(answers)).toEqual([200]);
    expect((await scene.named('one').asked()).most).toBe(2);
  });
});
