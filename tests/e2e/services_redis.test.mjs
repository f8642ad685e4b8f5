// SPDX-License-Identifier: MIT
// Gateways that share one Redis know the same instances; so do those whose Redis comes later, or is another one.
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from './support/gateway.mjs';
import { describeWith } from './support/programs.mjs';
import { startRedis, startWatchedRedis } from './support/redis.mjs';
import {
  all, allKnow, allSay, alsoGatewayAt, ask, beats, deregister, drain, events, fromNowOn, heartbeat, here, instances,
  list, loaded, RECORDS, redis, redisCheck, register, registerAll, REVISION, running, same, service, there, threeGateways,
  views, yonder,
} from './support/registry_scene.mjs';
import { until, within } from './support/wait.mjs';

describeWith('redis-server', () => {
  threeGateways();

  describe('three gateways on one Redis', () => {
    test('what registers at one is served by the others within a second', async () => {
      await running('one');
      await registerAll(here);
      await within(1_000, until(async () => (await ask(there)).status === 200 && (await ask(yonder)).status === 200), 'to be served');
      expect(await ask(yonder)).toEqual({ status: 200, instance: 'one', text: 'hello' });
    });

    test('drained at one it gets nothing from any, and deregistered at another it is gone', async () => {
      await running('one', 'two');
      await registerAll(here);
      await allKnow(list());
      expect((await drain(there, 'one')).status).toBe(200);
      await until(() => all.every((each) => events(each, 'instance.draining').length === 1), 'all hear of it', 1_000);
      for (const gateway of all) for (let i = 0; i < 4; ++i) expect((await ask(gateway)).instance).toBe('two');
      expect((await deregister(yonder, 'one')).status).toBe(200);
      await allKnow(`two:${instances[1].port}`);
      expect((await deregister(here, 'one')).status).toBe(404);
    });

    test('a lease lasts as long as heartbeats come, at whichever gateway', async () => {
      await register(here, 'a', 7001, { ttl: 1 });
      for (let i = 0; i < 4; ++i) await beats([there, yonder][i % 2], 'a', 500);
      expect(await views()).toEqual(same('a:7001'));
      for (const gateway of all) expect(events(gateway, 'instance.expired')).toEqual([]);
      await allKnow('', 4_000); // and no longer
    });

    test('an id that is held is refused to another address, at every gateway', async () => {
      const first = await register(here, 'a', 7001, { ttl: '30s' });
      for (const gateway of all) {
        const refused = await register(gateway, 'a', 7002, { ttl: '30s' });
        expect(refused.status).toBe(409);
        expect(refused.json.message).toContain('127.0.0.1:7001');
      }
      expect((await register(yonder, 'a', 7002, { lease: first.json.lease })).status).toBe(201);
      await allKnow('a:7002');
    });

    test('a lease that runs out is gone at all of them, and was taken out once', async () => {
      await register(here, 'a', 7001, { ttl: 1 });
      await register(there, 'b', 7002);
      const before = Number(await redis.command('GET', REVISION));
      await allKnow('b:7002', 4_000);
      expect(Number(await redis.command('GET', REVISION))).toBe(before + 1);
      expect(await redis.command('HEXISTS', RECORDS, `${service}/a`)).toBe(0);
      for (const gateway of all) {
        expect(events(gateway, 'instance.expired')).toHaveLength(1);
        expect((await heartbeat(gateway, 'a')).status).toBe(404);
      }
      expect((await register(yonder, 'a', 7003)).status).toBe(201);
      await allKnow('a:7003 b:7002');
    });

    test('a gateway that comes later knows what the others know', async () => {
      await register(here, 'a', 7001, { ttl: '30s' });
      await drain(here, 'a');
      await allKnow('a:7001 drained', 1_000, [await alsoGatewayAt(redis)]);
    });
  });

  test('Redis absent at start: the gateway serves, takes registrations, and joins the others when it appears', async () => {
    const port = await freePort();
    const alone = [await alsoGatewayAt({ host: '127.0.0.1', port }), await alsoGatewayAt({ host: '127.0.0.1', port })];
    await running('one');
    await registerAll(alone[0]);
    expect(await ask(alone[0])).toMatchObject({ status: 200, instance: 'one' });
    expect(await redisCheck(alone[1])).toBe('degraded');
    const late = await startRedis({ port });
    try {
      await allKnow(list(), 15_000, alone);
      await allSay('healthy', alone);
      expect((await ask(alone[1])).instance).toBe('one');
    } finally {
      await late.remove();
    }
  });

  describe('the master that Sentinels watch', () => {
    let watched;
    afterAll(() => Promise.all([watched?.main, watched?.replica, ...(watched?.sentinels ?? [])].map((each) => each?.remove())));

    test('dies: registrations survive it and go on, and traffic does not notice', async () => {
      watched = await startWatchedRedis();
      const { main, replica, sentinels } = watched;
      const ours = { mode: 'sentinel', nodes: sentinels.map((each) => `127.0.0.1:${each.port}`), master_name: 'main' };
      const both = [await alsoGatewayAt(ours), await alsoGatewayAt(ours)];
      await allSay('healthy', both);
      await running('one', 'two');
      await registerAll(both[0], { ttl: '30s' });
      await allKnow(list(), 1_000, both);
      await until(async () => (await replica.command('HLEN', RECORDS)) === 2, 'the replica has it');
      const bothTold = fromNowOn(both);
      const failures = await loaded(both, async () => {
        await main.kill();
        await until(() => replica.says('ROLE', 'master'), 'another one is master', 15_000);
        await bothTold('registry.current');
        await allSay('healthy', both);
      });
      expect(failures).toEqual([]);
      expect(await views(both)).toEqual(same(list(), both));
      expect((await register(both[1], 'zoe', 7003)).status).toBe(201);
      expect((await heartbeat(both[0], 'one')).status).toBe(200);
      await allKnow(`${list()} zoe:7003`, 1_000, both);
      expect(await replica.command('HLEN', RECORDS)).toBe(3);
      for (const gateway of both) expect(events(gateway, 'redis.data_lost')).toEqual([]);
    });
  });
});
