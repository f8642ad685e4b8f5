// SPDX-License-Identifier: MIT
// Who gets how much of the traffic while not everybody is well, not everybody is near, or somebody is new.
import { describe, expect, test } from 'vitest';
import * as scene from './support/service_scene.mjs';
import { addressOf, asks, event, events, gatewayOf, named, PATIENCE, statuses, tally, whoAnswered } from './support/service_scene.mjs';
import { until } from './support/wait.mjs';

scene.serviceOf('one', 'two', 'three', 'four', 'five');

// They answer requests even when they say that they are ill.
const checked = { health_check: { path: '/health', interval: '200ms', unhealthy_threshold: 2 } };
const at = (name, more) => ({ ...named(name).endpoint, ...more });

const found = (gateway, type, names) =>
  until(() => names.every((name) => events(gateway, type).some((each) => each.endpoint === addressOf(name))), `it says ${type}`, PATIENCE);
async function ill(gateway, ...names) {
  await Promise.all(names.map((name) => named(name).behave({ ill: true })));
  await found(gateway, 'endpoint.unhealthy', names);
}
async function well(gateway, ...names) {
  await Promise.all(names.map((name) => named(name).behave({})));
  await found(gateway, 'endpoint.healthy', names);
}

describe('panic', () => {
  const serviceOf = (endpoints, panic_percent) => gatewayOf(scene.configOf({ endpoints, ...checked, load_balancer: { panic_percent } }));
  const four = () => ['one', 'two', 'three', 'four'].map((name) => at(name));

  test('when fewer are well than it takes, all are used; when enough are, only those', async () => {
    const gateway = await serviceOf(four(), 50);
    await ill(gateway, 'one', 'two');
    expect(whoAnswered(await asks(gateway, 12))).toEqual(['four', 'three']);
    await ill(gateway, 'three');
    const answers = await asks(gateway, 12);
    expect(statuses(answers)).toEqual([200]);
    expect(whoAnswered(answers)).toEqual(['four', 'one', 'three', 'two']);
    await well(gateway, 'one', 'two');
    expect(whoAnswered(await asks(gateway, 12))).toEqual(['four', 'one', 'two']);
  });

  test('there is none by default: when nobody is well that is the answer', async () => {
    const gateway = await serviceOf(four(), 0);
    await ill(gateway, 'one', 'two', 'three', 'four');
    const answers = await asks(gateway, 4);
    expect(statuses(answers)).toEqual([503]);
    expect(JSON.parse(answers[0].text).code).toBe('no_endpoint');
    expect((await named('one').asked()).requests).toEqual([]);
  });

  test('whoever is in reserve is well, too', async () => {
    const gateway = await serviceOf([...four(), at('five', { priority: 1 })], 70);
    await ill(gateway, 'one');
    expect(whoAnswered(await asks(gateway, 20))).not.toContain('one');
  });
});

describe('zones', () => {
  const near = { zone: 'a' };
  const far = { zone: 'b' };
  const zonedGateway = () =>
    gatewayOf(
      scene.configOf({
        endpoints: [at('one', near), at('two', near), at('three', far), at('four', far)],
        ...checked,
        rest: { app: { zone: 'a' } },
      }),
    );

  test('its own zone has all of the traffic while it can take it', async () => {
    const gateway = await zonedGateway();
    expect(tally(await asks(gateway, 20))).toMatchObject({ one: 10, two: 10 });
  });

  test('when half of it is ill, a part spills over; when it is well, no more', async () => {
    const gateway = await zonedGateway();
    await ill(gateway, 'one');
    // One of two takes 1.4 times its share: seven tenths, by chance.
    const { one, two, three, four } = tally(await asks(gateway, 200));
    expect(one).toBe(0);
    expect(two).toBeGreaterThan(100);
    expect(three).toBeGreaterThan(5);
    expect(four).toBeGreaterThan(5);
    await well(gateway, 'one');
    expect(tally(await asks(gateway, 20))).toMatchObject({ one: 10, two: 10 });
  });

  test('when none of it is well, the other has all', async () => {
    const gateway = await zonedGateway();
    await ill(gateway, 'one', 'two');
    expect(tally(await asks(gateway, 20))).toMatchObject({ three: 10, four: 10 });
  });
});

describe('slow start', () => {
  const serviceOf = (slow_start, ...names) => scene.configOf({ endpoints: names.map((name) => at(name)), load_balancer: { slow_start } });
  const joins = async (gateway, config) => {
    gateway.write({ ...config, server: gateway.config.server });
    gateway.signal('SIGHUP');
    await until(() => gateway.logged('configuration applied'), 'the configuration is applied', PATIENCE);
  };

  test('who joins begins with little, and its neighbours have the rest', async () => {
    const gateway = await gatewayOf(serviceOf('1h', 'one', 'two', 'three'));
    expect(tally(await asks(gateway, 9))).toMatchObject({ one: 3, two: 3, three: 3 });
    await joins(gateway, serviceOf('1h', 'one', 'two', 'three', 'four'));
    // A tenth of a share: one of 31 each has ten.
    const seen = tally(await asks(gateway, 93));
    expect(seen.four).toBeGreaterThanOrEqual(1);
    expect(seen.four).toBeLessThanOrEqual(6);
  });

  test('and has a whole share in the end', async () => {
    const gateway = await gatewayOf(serviceOf('3s', 'one', 'two', 'three'));
    await joins(gateway, serviceOf('3s', 'one', 'two', 'three', 'four'));
    await until(async () => tally(await asks(gateway, 40)).four >= 9, 'a quarter is its own', PATIENCE);
  });

  test('so does who was down and is back', async () => {
    const gateway = await gatewayOf(serviceOf('1h', 'one', 'two', 'three'));
    await named('two').kill();
    await until(async () => (await asks(gateway, 1)) && events(gateway, 'endpoint.ejected')[0], 'it is left out', PATIENCE);
    await named('two').start();
    await event(gateway, 'endpoint.recovered');
    const seen = tally(await asks(gateway, 63));
    expect(seen.two).toBeGreaterThanOrEqual(1);
    expect(seen.two).toBeLessThanOrEqual(8);
  });
});
