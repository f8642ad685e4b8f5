// SPDX-License-Identifier: MIT
// Redis dies and comes back, with or without its data: meanwhile each gateway goes on with what it knows.
import { describe, expect, test } from 'vitest';
import { describeWith } from './support/programs.mjs';
import {
  all, allKnow, allSay, beats, deregister, events, fromNowOn, heartbeat, here, instances, killRedis, list, loaded, RECORDS,
  redis, register, registerAll, running, same, service, startRedisAgain, there, threeGateways, views, yonder,
} from './support/registry_scene.mjs';

describeWith('redis-server', () => {
  threeGateways();

  describe('Redis killed', () => {
    test('and back without its data, under load: no request fails, and nobody is forgotten', async () => {
      await running('one', 'two', 'three');
      await registerAll(here, { ttl: '30s' });
      await allKnow(list());
      const failures = await loaded(all, async () => {
        await killRedis();
        await allSay('degraded');
        expect(await views()).toEqual(same(list()));
        await startRedisAgain();
        await allSay('healthy');
        expect(await views()).toEqual(same(list()));
      });
      expect(failures).toEqual([]);
      for (const each of instances) expect(await redis.command('HEXISTS', RECORDS, `${service}/${each.name}`)).toBe(1);
      for (const gateway of all) expect(events(gateway, 'instance.expired')).toEqual([]);
    });

    test('and back without its data: a heartbeat that comes before all is told again makes nobody forgotten', async () => {
      await register(here, 'a', 7001, { ttl: '30s' });
      await allKnow('a:7001');
      await killRedis();
      const allTold = fromNowOn();
      await redis.start(...'--user default on nopass ~* +@all resetchannels'.split(' '));
      await allTold('redis.up');
      const { status } = await heartbeat(here, 'a');
      await redis.command('ACL', 'SETUSER', 'default', 'allchannels');
      await allTold('registry.current');
      expect(status).toBe(200);
      expect(await views()).toEqual(same('a:7001'));
    });

    test('what came and went meanwhile is known to all when it is back', async () => {
      await register(here, 'old', 7001);
      await register(here, 'kept', 7002);
      await allKnow('kept:7002 old:7001');
      await killRedis({ saved: true });
      expect((await register(there, 'new', 7003)).status).toBe(201);
      expect((await deregister(yonder, 'old')).status).toBe(200);
      expect(await views()).toEqual(['kept:7002 old:7001', 'kept:7002 new:7003 old:7001', 'kept:7002']);
      await startRedisAgain();
      await allKnow('kept:7002 new:7003');
    });

    test('and back without its data: what left meanwhile stays away, though another gateway still knew it', async () => {
      await register(here, 'old', 7001);
      await register(here, 'kept', 7002);
      await allKnow('kept:7002 old:7001');
      await killRedis();
      expect((await deregister(here, 'old')).status).toBe(200);
      const [hereTold, othersTold] = [fromNowOn([here]), fromNowOn([there, yonder])];
      for (const gateway of [there, yonder]) gateway.signal('SIGSTOP'); // they come back later
      await redis.start();
      await hereTold('registry.current');
      for (const gateway of [there, yonder]) gateway.signal('SIGCONT');
      await othersTold('registry.current');
      await allKnow('kept:7002');
    });

    test('an id that two gateways gave away meanwhile belongs to one of them afterwards', async () => {
      await killRedis({ saved: true });
      expect((await register(here, 'a', 7001)).status).toBe(201);
      expect((await register(there, 'a', 7002)).status).toBe(201);
      await startRedisAgain();
      const [view] = await views();
      expect(view).toMatch(/^a:700[12]$/);
      await allKnow(view);
    });

    test('a lease that heartbeats extended meanwhile is still one, though another gateway is back first', async () => {
      await register(here, 'a', 7001, { ttl: 1 });
      await allKnow('a:7001');
      await killRedis({ saved: true });
      await beats(here, 'a', 1_500);
      expect(await views()).toEqual(same('a:7001'));
      const [hereTold, othersTold] = [fromNowOn([here]), fromNowOn([there, yonder])];
      here.signal('SIGSTOP');
      await redis.start();
      await othersTold('registry.current');
      here.signal('SIGCONT');
      await hereTold('registry.current');
      await beats(here, 'a', 1_500);
      expect(await views()).toEqual(same('a:7001'));
      for (const gateway of all) expect(events(gateway, 'instance.expired')).toEqual([]);
    });
  });
});
