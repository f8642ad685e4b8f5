// SPDX-License-Identifier: MIT
// Two gateways, one Redis behind their caches: what one fetched the other has, a purge reaches both, and without Redis
// both answer as before.
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configured, Gateway } from './support/gateway.mjs';
import { describeWith } from './support/programs.mjs';
import { removeAllRedis, startRedis } from './support/redis.mjs';
import { startUpstream } from './support/upstream.mjs';
import { until } from './support/wait.mjs';

const PATIENCE = 20_000;
const TOKEN = 'only-for-this-test-000001';
const asked = new Map(); // by path: how often the service was asked
let redis, upstream, one, other;
let number = 0;
const freshPath = () => `/answers/${(number += 1)}`;

async function start() {
  const gateway = await new Gateway(
    await configured({
      redis: redis.config,
      registry: { admin_token: TOKEN },
      store: { path: '' },
      cache: { enabled: true, type: 'redis' },
      services: { backend: upstream.service },
      routes: [
        { name: 'everything', prefix: '/answers', service: 'backend', strip_prefix: false },
        { name: 'secrets', prefix: '/secrets', service: 'backend', strip_prefix: false, cache: false },
      ],
    }),
  ).ready();
  await reaches(gateway);
  return gateway;
}

async function metric(gateway, name) {
  const page = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(new RegExp(`^suoke_gateway_cache_redis_${name}_total (\\S+)$`, 'm').exec(page)[1]);
}

// A new answer of this gateway's is in Redis.
async function reaches(gateway) {
  const before = await metric(gateway, 'writes');
  await until(
    async () => {
      await get(gateway, freshPath());
      return (await metric(gateway, 'writes')) > before;
    },
    'it writes to Redis',
    PATIENCE,
  );
}

// At the one name that both have for their clients.
async function ask(gateway, method, path) {
  const { statusCode, headers, body } = await request(gateway.url + path, { method, headers: { host: 'api.suoke.test' } });
  return { status: statusCode, text: await body.text(), cache: headers['x-cache'], story: headers['cache-status'] };
}
const get = (gateway, path) => ask(gateway, 'GET', path);

describeWith('redis-server', () => {
  beforeAll(async () => {
    redis = await startRedis();
    upstream = await startUpstream((exchange) => {
      const times = (asked.get(exchange.target) ?? 0) + 1;
      asked.set(exchange.target, times);
      return exchange.reply(200, { 'Cache-Control': 'max-age=600', 'Cache-Tag': exchange.target.slice(1).replace('/', '-') }, `${exchange.target} ${times}`);
    });
    [one, other] = [await start(), await start()];
  }, 60_000);

  afterAll(async () => {
    for (const gateway of [one, other]) await gateway?.stop();
    await upstream?.stop();
    await removeAllRedis();
  });

  const kept = async () => (await redis.command('KEYS', 'suoke:cache:*')).length;

  // The write is behind the answer: a key appears a moment later.
  async function written(path) {
    const before = await kept();
    const answer = await get(one, path);
    await until(async () => (await kept()) > before, 'it is in Redis', PATIENCE);
    return answer;
  }

  test('the second gateway has from Redis what the first one fetched', async () => {
    const path = freshPath();
    expect((await written(path)).cache).toBe('MISS');
    const second = await get(other, path);
    expect(second).toMatchObject({ status: 200, text: `${path} 1`, cache: 'HIT' });
    expect(second.story).toMatch(/^suoke-gateway; hit; ttl=\d+; detail=redis$/);
    expect((await get(other, path)).story).toMatch(/^suoke-gateway; hit; ttl=\d+$/);
    expect(asked.get(path)).toBe(1);
  });

  test('HEAD and ranges have it from there as well', async () => {
    for (const [method, fields, status] of [
      ['HEAD', {}, 200],
      ['GET', { range: 'bytes=0-3' }, 206],
    ]) {
      const path = freshPath();
      await written(path);
      const { statusCode, headers, body } = await request(other.url + path, { method, headers: { host: 'api.suoke.test', ...fields } });
      await body.dump();
      expect([statusCode, headers['x-cache'], asked.get(path)]).toEqual([status, 'HIT', 1]);
    }
  });

  test('who manages the gateway is told of both levels', async () => {
    const answer = await fetch(`${one.url}/api/v1/management/cache`, { headers: { Authorization: `Bearer ${TOKEN}` } });
    expect(await answer.json()).toMatchObject({ type: 'redis', entries: expect.any(Number), redis: { reachable: true, writes: expect.any(Number) } });
  });

  test('what a route keeps out of the cache is not in Redis', async () => {
    const before = await kept();
    await get(one, '/secrets/1');
    await written(freshPath()); // comes after it
    expect(await kept()).toBe(before + 1);
  });

  test.each([
    ['url', (path) => ({ urls: [path] })],
    ['prefix', (path) => ({ prefixes: [path] })],
    ['tag', (path) => ({ tags: [path.slice(1).replace('/', '-')] })],
  ])('a purge by %s reaches both gateways', async (_, wish) => {
    const path = freshPath();
    await written(path);
    expect((await get(other, path)).cache).toBe('HIT');
    const answer = await fetch(`${one.url}/api/v1/management/cache/purge`, {
      method: 'POST', headers: { Authorization: `Bearer ${TOKEN}` }, body: JSON.stringify(wish(path)),
    });
    expect(answer.status).toBe(200);
    expect((await get(one, path)).text).toBe(`${path} 2`); // at once, and not from Redis
    await until(async () => (await get(other, path)).text !== `${path} 1`, 'the other one has heard', 3_000);
  });

  test('a change through one gateway reaches the other', async () => {
    const path = freshPath();
    await written(path);
    expect((await get(other, path)).cache).toBe('HIT');
    await ask(one, 'DELETE', path);
    await until(async () => (await get(other, path)).text !== `${path} 1`, 'the other one has heard', 3_000);
  });

  test('a restart keeps it warm', async () => {
    const path = freshPath();
    await written(path);
    await one.stop();
    one = await start();
    expect(await get(one, path)).toMatchObject({ text: `${path} 1`, cache: 'HIT' });
    expect(asked.get(path)).toBe(1);
  }, 60_000);

  test('a Redis that answers nobody holds up nobody for long', async () => {
    redis.pause();
    try {
      const path = freshPath();
      const began = performance.now();
      for (let i = 0; i < 20; i += 1) expect((await get(one, `${path}-${i}`)).status).toBe(200);
      expect(performance.now() - began).toBeLessThan(5_000); // a wait of 50 ms a second at most, and a slow machine
    } finally {
      redis.resume();
    }
    await reaches(one);
  }, 60_000);

  test('without Redis both answer, from memory and from the service, and use it when it is back', async () => {
    const path = freshPath();
    await written(path);
    expect((await get(other, path)).cache).toBe('HIT');
    await redis.kill();
    for (const gateway of [one, other]) {
      expect(await get(gateway, path)).toMatchObject({ status: 200, text: `${path} 1`, cache: 'HIT' });
      expect(await get(gateway, `${path}-new`)).toMatchObject({ status: 200, cache: 'MISS' });
    }
    await redis.start();
    await reaches(one);
    await reaches(other);
    const again = freshPath();
    await written(again);
    expect((await get(other, again)).story).toContain('detail=redis');
  }, 60_000);
});
