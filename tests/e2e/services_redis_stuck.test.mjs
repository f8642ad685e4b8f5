// SPDX-License-Identifier: MIT
// Redis is there and of no use: it is full, or hangs.
import { describe, expect, test } from 'vitest';
import { describeWith } from './support/programs.mjs';
import {
  all, allKnow, allSay, alsoGatewayAt, beats, fromNowOn, heartbeat, here, loaded, redis, redisCheck, register,
  running, same, there, threeGateways, views,
} from './support/registry_scene.mjs';
import { sleep, within } from './support/wait.mjs';

describeWith('redis-server', () => {
  threeGateways();

  describe('Redis is full', () => {
    const full = () => redis.command('CONFIG', 'SET', 'maxmemory', '1'); // and nothing may be evicted
    const roomy = () => redis.command('CONFIG', 'SET', 'maxmemory', '0');

    test('under load: a registration is answered sensibly, and traffic does not notice', async () => {
      const [one, three] = await running('one', 'three');
      await register(here, 'one', one.port, { ttl: '30s' });
      await allKnow(`one:${one.port}`);
      const failures = await loaded(all, async () => {
        await full();
        const told = await within(2_500, register(here, 'three', three.port), 'a registration');
        expect([201, 503]).toContain(told.status);
        await sleep(1_000);
      });
      expect(failures).toEqual([]);
    });

    test('what was answered with 201 meanwhile is known to all when there is room again', async () => {
      await full();
      const told = await register(here, 'a', 7001);
      await roomy();
      if (told.status !== 201) expect((await register(here, 'a', 7001)).status).toBe(201);
      await allKnow('a:7001', 3_000);
    });

    test('an instance whose heartbeats are answered with 200 does not expire', async () => {
      await register(here, 'a', 7001, { ttl: 1 });
      await allKnow('a:7001');
      await full();
      await beats(here, 'a', 2_500);
      expect(await views()).toEqual(same('a:7001'));
    });

    test('a gateway that starts now knows what is there', async () => {
      await register(here, 'a', 7001);
      await full();
      await allKnow('a:7001', 3_000, [await alsoGatewayAt(redis)]);
    });
  });

  describe('Redis hangs', () => {
    test('for a while under load: registrations are answered soon, and traffic does not notice', async () => {
      const [one, three] = await running('one', 'three');
      await register(here, 'one', one.port, { ttl: '30s' });
      await allKnow(`one:${one.port}`);
      const failures = await loaded(all, async () => {
        redis.pause();
        const told = await within(2_500, register(here, 'three', three.port, { ttl: '30s' }), 'a registration');
        expect([201, 503]).toContain(told.status);
        expect((await within(2_500, heartbeat(there, 'one'), 'a heartbeat')).status).toBe(200);
        expect(await redisCheck(there)).toBeTruthy();
        redis.resume();
        await allSay('healthy');
      });
      expect(failures).toEqual([]);
    });

    test('what was answered with 201 meanwhile is known to all afterwards, and its lease is the one that counts', async () => {
      redis.pause();
      const told = await register(here, 'a', 7001);
      redis.resume();
      expect(told.status).toBe(201);
      await allKnow('a:7001', 5_000);
      expect((await register(there, 'a', 7002, { lease: told.json.lease })).status).toBe(201);
    });

    test('so long that its connection is given up: what registers then reaches the others, too', async () => {
      const hereTold = fromNowOn([here]);
      redis.pause();
      expect((await register(here, 'a', 7001)).status).toBe(201);
      await hereTold('redis.down');
      expect((await register(here, 'b', 7002)).status).toBe(201);
      redis.resume();
      await allKnow('a:7001 b:7002', 3_000);
    });
  });
});
