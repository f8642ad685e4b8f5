// SPDX-License-Identifier: MIT
// What outlives a gateway's process, and what gateways share: sessions keep their place, TLS clients
// resume, and a gateway that starts while Redis is away still knows who registered.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from './support/certificate.mjs';
import { freePort, startGateway } from './support/gateway.mjs';
import { startInstances, stopInstances } from './support/instance.mjs';
import { describeWith, run } from './support/programs.mjs';
import { startRedis } from './support/redis.mjs';
import { until } from './support/wait.mjs';

const TOKEN = 'a-token-for-tests-only-0123456789';
let directory, instances, gateways, redis;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'suoke-restarts-'));
  [instances, gateways, redis] = [[], [], null];
});
afterEach(async () => {
  await Promise.all(gateways.map((each) => each.stop()));
  await stopInstances(instances);
  await redis?.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** A gateway with a store of its own; one of the same name has the same store. */
async function start(name, config) {
  const gateway = await startGateway({ store: { path: join(directory, `${name}.db`) }, ...config });
  gateways.push(gateway);
  return gateway;
}
const overRedis = () => ({ redis: { host: '127.0.0.1', port: redis.port, command_timeout: '300ms' } });
const event = (gateway, type) => gateway.log.find((line) => line.logger === 'events' && line.message === type);
const keysAreShared = (gateway) => until(async () => (await redis.command('EXISTS', 'suoke:kv:keys/sessions')) === 1, `${gateway.port} has told Redis its key`);

describe('a sticky session', () => {
  const sticky = (more) => ({
    services: { users: { endpoints: instances.map((each) => each.endpoint), load_balancer: { sticky_session: true } } },
    routes: [{ name: 'users', prefix: '/users', service: 'users' }],
    ...more,
  });
  const ask = async (gateway, cookie) => {
    const answer = await fetch(`${gateway.url}/users`, { headers: cookie ? { cookie } : {} });
    await answer.arrayBuffer();
    return { instance: answer.headers.get('x-instance'), cookie: answer.headers.get('set-cookie')?.split(';')[0] };
  };
  const keepsItsPlace = async (gateway, { cookie, instance }) => {
    for (let i = 0; i < 9; ++i) expect(await ask(gateway, cookie)).toEqual({ instance, cookie: undefined });
  };

  test('outlives a restart', async () => {
    instances = await startInstances('one', 'two', 'three');
    const before = await start('here', sticky());
    const session = await ask(before);
    await keepsItsPlace(before, session);
    await before.stop();
    await keepsItsPlace(await start('here', sticky()), session);
  });

  test('of one gateway means nothing to another that shares nothing with it', async () => {
    instances = await startInstances('one', 'two', 'three');
    const session = await ask(await start('here', sticky()));
    expect((await ask(await start('there', sticky()), session.cookie)).cookie).toBeTruthy();
  });

  describeWith('redis-server', () => {
    test('keeps its place at every gateway on the same Redis', async () => {
      redis = await startRedis();
      instances = await startInstances('one', 'two', 'three');
      const here = await start('here', sticky(overRedis()));
      await keysAreShared(here);
      const there = await start('there', sticky(overRedis()));
      const session = await ask(here);
      await until(async () => (await ask(there, session.cookie)).cookie === undefined, 'the other gateway has the key, too');
      await keepsItsPlace(there, session);
    });

    test('begun while Redis was away is still good when it is back', async () => {
      redis = await startRedis();
      await redis.kill();
      instances = await startInstances('one', 'two', 'three');
      const gateway = await start('here', sticky(overRedis()));
      await until(() => event(gateway, 'keys.alone'), 'it is told');
      const session = await ask(gateway);
      await redis.start();
      await redis.command('SET', 'suoke:kv:keys/sessions', 'k'.repeat(32), 'NX');
      await until(() => event(gateway, 'keys.shared'), 'it is back', 15_000);
      await keepsItsPlace(gateway, session);
    });
  });
});

describeWith('openssl', () => {
  describe('a TLS session', () => {
    const certificate = makeCertificate();
    const serving = async (tls) => ({
      server: { workers: 1, tls: { port: await freePort(), certificates: [{ cert_file: certificate.cert_file, key_file: certificate.key_file }], ...tls } },
    });
    const shake = async (gateway, ...args) => {
      const to = ['s_client', '-connect', `127.0.0.1:${gateway.config.server.tls.port}`, '-quiet', '-no_ign_eof', ...args];
      const { said, complained } = await run('openssl', to.filter((each) => each !== '-quiet'), 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      return said + complained;
    };
    const startTls = async (name, tls, more) => {
      const { server } = await serving(tls);
      const gateway = await startGateway({ store: { path: join(directory, `${name}.db`) }, server: { host: '127.0.0.1', port: await freePort(), ...server }, ...more });
      gateways.push(gateway);
      await until(() => gateway.logged('listening with TLS'), 'TLS');
      return gateway;
    };
    const session = () => join(directory, 'session');

    test.each(['-tls1_2', '-tls1_3'])('outlives a restart when tickets are shared: %s', async (flag) => {
      const before = await startTls('here', { shared_tickets: true });
      expect(await shake(before, flag, '-ign_eof', '-sess_out', session())).toMatch(/^New, /m);
      await before.stop();
      const after = await startTls('here', { shared_tickets: true });
      expect(await shake(after, flag, '-ign_eof', '-sess_in', session())).toMatch(/^Reused, /m);
    });

    test('does not when they are not: its keys are nowhere but in the process', async () => {
      const before = await startTls('here');
      expect(await shake(before, '-ign_eof', '-sess_out', session())).toMatch(/^New, /m);
      await before.stop();
      expect(await shake(await startTls('here'), '-ign_eof', '-sess_in', session())).toMatch(/^New, /m);
    });

    describeWith('redis-server', () => {
      test('is resumed by another gateway on the same Redis', async () => {
        redis = await startRedis();
        const here = await startTls('here', { shared_tickets: true }, overRedis());
        await until(async () => (await redis.command('KEYS', 'suoke:kv:keys/tickets/*')).length === 3, 'the keys are there');
        const there = await startTls('there', { shared_tickets: true }, overRedis());
        expect(await shake(here, '-ign_eof', '-sess_out', session())).toMatch(/^New, /m);
        await until(async () => /^Reused, /m.test(await shake(there, '-ign_eof', '-sess_in', session())), 'it is resumed there');
      });
    });
  });
});

describeWith('redis-server', () => {
  describe('a gateway that starts while Redis is away', () => {
    const registering = () => ({ registry: { admin_token: TOKEN }, routes: [{ name: 'users', prefix: '/users', service: 'users' }], ...overRedis() });
    const tell = async (gateway, method, path, body) => {
      const answer = await fetch(gateway.url + path, {
        method, headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }, body: body && JSON.stringify(body),
      });
      return { status: answer.status, json: await answer.json() };
    };
    const register = (gateway, { name, port }, ttl = 30) => tell(gateway, 'POST', '/services/register', { id: name, name: 'users', host: '127.0.0.1', port, ttl });
    const ask = async (gateway) => {
      const answer = await fetch(`${gateway.url}/users/7`);
      await answer.arrayBuffer();
      return answer.headers.get('x-instance') ?? answer.status;
    };
    const seen = async (gateway) => {
      const all = new Set();
      for (let i = 0; i < 8; ++i) all.add(await ask(gateway));
      return [...all].sort().join(' ');
    };

    test('serves the instances it knew, takes their heartbeats, and others, and tells Redis later', async () => {
      redis = await startRedis();
      instances = await startInstances('one', 'two', 'three');
      const before = await start('here', registering());
      for (const each of instances.slice(0, 2)) expect((await register(before, each)).status).toBe(201);
      expect(await seen(before)).toBe('one two');
      expect((await tell(before, 'DELETE', '/services/users/instances/two')).status).toBe(200);
      expect((await register(before, instances[1])).status).toBe(201);
      await redis.command('SAVE');
      await before.stop();
      await redis.kill();

      const after = await start('here', registering());
      expect(await seen(after)).toBe('one two');
      expect(event(after, 'registry.recalled')).toMatchObject({ instances: 2 });
      expect((await tell(after, 'PUT', '/services/users/instances/one/heartbeat')).status).toBe(200);
      expect((await register(after, instances[2])).status).toBe(201);
      expect(await seen(after)).toBe('one three two');

      await redis.start();
      await until(() => event(after, 'registry.current'), 'Redis is back', 15_000);
      expect(await seen(after)).toBe('one three two');
      expect(await redis.command('HLEN', 'suoke:{registry}:records')).toBe(3);
    });

    test('believes Redis when it is back: who left meanwhile is gone', async () => {
      redis = await startRedis();
      instances = await startInstances('one', 'two');
      const here = await start('here', registering());
      for (const each of instances) expect((await register(here, each)).status).toBe(201);
      await here.stop();
      const there = await start('there', registering());
      await until(async () => (await seen(there)) === 'one two', 'the other one knows them');
      expect((await tell(there, 'DELETE', '/services/users/instances/two')).status).toBe(200);
      await redis.command('SAVE');
      await redis.kill();

      const again = await start('here', registering());
      expect(await seen(again)).toBe('one two');
      await redis.start();
      await until(async () => (await seen(again)) === 'one', 'it heard of it', 15_000);
    });
  });
});
