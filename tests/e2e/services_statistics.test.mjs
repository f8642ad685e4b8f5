// SPDX-License-Identifier: MIT
// Instances that nobody would notice alone, only beside the others: who fails or takes longer than the rest is left out.
import { describe, expect, test } from 'vitest';
import * as scene from './support/service_scene.mjs';
import { addressOf, ask, asks, event, events, gatewayOf, metric, named, PATIENCE, secondsOf, statuses, whileAsking, whoAnswered } from './support/service_scene.mjs';
import { until } from './support/wait.mjs';

scene.serviceOf('one', 'two', 'three', 'four', 'five');

// Looked at once a second. Of five, one that is alone is never more than two deviations from the mean, so one has to do.
const statistics = (rules) => ({
  outlier_detection: { interval: '1s', minimum_requests: 10, success_rate_deviations: 1, base_ejection_time: '60s', ...rules },
});
// Never two in a row, and no 502 to 504: the rule of consecutive failures has nothing to say.
const nowAndThen = { status: 500, every: 3 };

const serviceWith = (rules, rest) => gatewayOf(scene.configOf({ ...statistics(rules), ...rest }));
const ejections = (gateway) => events(gateway, 'endpoint.ejected');

describe('by success rate', () => {
  test('who fails a third of its requests is left out, and the others answer', async () => {
    await named('three').behave(nowAndThen);
    const gateway = await serviceWith({ consecutive_errors: 2 });
    await whileAsking(gateway, () => event(gateway, 'endpoint.ejected'));
    expect(ejections(gateway)).toEqual([
      expect.objectContaining({ service: 'users', endpoint: addressOf('three'), because: 'success rate', seconds: 60 }),
    ]);
    const answers = await asks(gateway, 20);
    expect(statuses(answers)).toEqual([200]);
    expect(whoAnswered(answers)).toEqual(['five', 'four', 'one', 'two']);
    expect(await metric(gateway, 'ejected_endpoints')).toBe(1);
  });

  test('nobody is while statistics are off, as they are by default', async () => {
    await named('three').behave(nowAndThen);
    const gateway = await serviceWith({ success_rate_deviations: 0 });
    const answers = await whileAsking(gateway, (answers) => secondsOf(answers, 3));
    expect(ejections(gateway)).toEqual([]);
    expect(statuses(answers)).toEqual([200, 500]);
  });

  test('it is back when its time is over', async () => {
    await named('three').behave(nowAndThen);
    const gateway = await serviceWith({ base_ejection_time: '1s' });
    await whileAsking(gateway, async (answers) => {
      await event(gateway, 'endpoint.ejected');
      await named('three').behave({});
      const before = answers.length;
      await until(() => whoAnswered(answers.slice(before + 10)).includes('three'), 'it answers again', PATIENCE);
    });
    expect(statuses(await asks(gateway, 20))).toEqual([200]);
    expect(await metric(gateway, 'ejected_endpoints')).toBe(0);
  });

  test('it stays away longer each time', async () => {
    await named('three').behave(nowAndThen);
    const gateway = await serviceWith({ base_ejection_time: '1500ms', max_ejection_time: '3500ms' });
    await whileAsking(gateway, () => until(() => ejections(gateway).length === 3, 'three ejections', PATIENCE));
    expect(ejections(gateway).map((each) => [each.endpoint, each.seconds])).toEqual([1.5, 3, 3.5].map((length) => [addressOf('three'), length]));
  });

  test('two are left out, when so many may be', async () => {
    for (const name of ['two', 'four']) await named(name).behave(nowAndThen);
    const gateway = await serviceWith({ max_ejected_percent: 40 });
    await whileAsking(gateway, () => until(() => ejections(gateway).length === 2, 'both are left out', PATIENCE));
    const answers = await asks(gateway, 20);
    expect(statuses(answers)).toEqual([200]);
    expect(whoAnswered(answers)).toEqual(['five', 'one', 'three']);
  });

  test('and never more than may be, however ill they are', async () => {
    for (const name of ['two', 'four']) await named(name).behave(nowAndThen);
    const gateway = await serviceWith({ max_ejected_percent: 20 });
    const answers = await whileAsking(gateway, async (answers) => {
      await event(gateway, 'endpoint.ejected');
      await secondsOf(answers, 3);
    });
    expect(ejections(gateway).length).toBe(1);
    expect(whoAnswered(answers.slice(-20)).length).toBe(4);
    expect(statuses(answers.slice(-20))).toEqual([200, 500]);
  });

  test('with too few requests to judge by nobody is', async () => {
    await named('three').behave(nowAndThen);
    const gateway = await serviceWith({ minimum_requests: 1_000_000 });
    await whileAsking(gateway, (answers) => secondsOf(answers, 3));
    expect(ejections(gateway)).toEqual([]);
  });

  test('also where another service with the same instances looks for something else', async () => {
    await named('three').behave(nowAndThen);
    const { services, routes } = scene.configOf(statistics());
    const elsewhere = { ...services.users, ...statistics({ success_rate_deviations: 0, latency_factor: 1_000 }) };
    const gateway = await gatewayOf({ services: { elsewhere, ...services }, routes });
    await whileAsking(gateway, () => event(gateway, 'endpoint.ejected', 10_000));
  });
});

describe('by latency', () => {
  const byLatency = (rest) => ({ success_rate_deviations: 0, latency_factor: 5, ...rest });

  test('who takes much longer than the others is left out', async () => {
    // Far apart, so that a busy machine makes nobody look ill.
    await scene.allBehave({ delay: 100 });
    await named('five').behave({ delay: 1_500 });
    const gateway = await serviceWith(byLatency());
    await whileAsking(gateway, () => event(gateway, 'endpoint.ejected'), { connections: 40, pause: 20 });
    expect(ejections(gateway)).toEqual([expect.objectContaining({ endpoint: addressOf('five'), because: 'latency' })]);
    expect(whoAnswered(await asks(gateway, 20))).toEqual(['four', 'one', 'three', 'two']);
  });

  test('when all of them are slow nobody is', async () => {
    await scene.allBehave({ delay: 300 });
    const gateway = await serviceWith(byLatency());
    await whileAsking(gateway, (answers) => secondsOf(answers, 4), { connections: 40 });
    expect(ejections(gateway)).toEqual([]);
    expect((await ask(gateway)).status).toBe(200);
  });
});
