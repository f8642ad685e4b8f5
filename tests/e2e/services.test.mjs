// SPDX-License-Identifier: MIT
// Services that come, go and fail while traffic flows: clients notice nothing.
import { afterEach, describe, expect, test } from 'vitest';
import { join } from 'node:path';
import { configured, Gateway, startGateway } from './support/gateway.mjs';
import { Instance, startInstances, stopInstances } from './support/instance.mjs';
import { underLoad } from './support/load.mjs';
import { startUpstream } from './support/upstream.mjs';
import { sleep, until } from './support/wait.mjs';
import { freePort } from './support/gateway.mjs';

const TOKEN = 'a-token-for-tests-only-0123456789';
let gateways = [];
let instances = [];

afterEach(async () => {
  for (const gateway of gateways) await gateway.stop();
  await stopInstances(instances);
  gateways = [];
  instances = [];
});

async function gatewayOf(config, options) {
  const gateway = await startGateway(config, options);
  gateways.push(gateway);
  return gateway;
}

async function three(service = {}, rest = {}) {
  instances = await startInstances('one', 'two', 'three');
  return gatewayOf({
    server: { workers: 2 },
    services: { users: { endpoints: instances.map((each) => each.endpoint), ...service } },
    routes: [{ name: 'users', prefix: '/users', service: 'users' }],
    ...rest,
  });
}

const ask = async (gateway, path = '/users/7', options) => {
  const answer = await fetch(gateway.url + path, options);
  return { status: answer.status, instance: answer.headers.get('x-instance'), headers: answer.headers, text: await answer.text() };
};
const tell = async (gateway, method, path, body, token = TOKEN) => {
  const answer = await fetch(gateway.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, json: text ? JSON.parse(text) : null, headers: answer.headers };
};
const event = (gateway, type, since = 0) => gateway.log.slice(since).find((line) => line.logger === 'events' && line.message === type);

describe('one of three instances', () => {
  test('killed under load: no request fails, and it is left out after the first refusal', async () => {
    const gateway = await three();
    const failures = await underLoad(`${gateway.url}/users`, async () => {
      await sleep(300);
      await instances[1].kill('SIGKILL');
      await sleep(700);
    });
    expect(failures).toEqual([]);
    await until(() => event(gateway, 'endpoint.ejected'), 'it is said');
  });

  test('back again: traffic after one interval of asking whether it takes connections', async () => {
    const gateway = await three();
    await instances[1].kill('SIGKILL');
    for (let i = 0; i < 6; ++i) expect((await ask(gateway)).status).toBe(200);
    await instances[1].start();
    await until(() => event(gateway, 'endpoint.recovered'), 'it is noticed', 4_000);
    const seen = new Set();
    for (let i = 0; i < 12; ++i) seen.add((await ask(gateway)).instance);
    expect(seen).toContain('two');
  });

  test('hangs: an attempt has its own time, and the others answer', async () => {
    const gateway = await three({ retry: { per_try_timeout: '200ms' } });
    await instances[0].behave({ hang: true });
    for (let i = 0; i < 12; ++i) expect((await ask(gateway)).status).toBe(200);
  });

  test('answers every tenth request with 503: nobody sees one', async () => {
    const gateway = await three();
    await instances[2].behave({ status: 503, share: 0.1 });
    const failures = await underLoad(`${gateway.url}/users`, () => sleep(800));
    expect(failures).toEqual([]);
  });

  test('says at its health check that it is ill: it gets no traffic until it is well', async () => {
    const gateway = await three({ health_check: { path: '/health', interval: '100ms', unhealthy_threshold: 2 } });
    await instances[0].behave({ ill: true });
    await until(() => event(gateway, 'endpoint.unhealthy'), 'it is found ill');
    const seen = new Set();
    for (let i = 0; i < 12; ++i) seen.add((await ask(gateway)).instance);
    expect([...seen].sort()).toEqual(['three', 'two']);
    await instances[0].behave({});
    await until(() => event(gateway, 'endpoint.healthy'), 'it is found well');
    for (let i = 0; i < 12; ++i) seen.add((await ask(gateway)).instance);
    expect(seen).toContain('one');
  });
});

test('a whole service that fails is asked little more often than it would be anyway', async () => {
  const gateway = await three({ outlier_detection: false });
  for (const each of instances) await each.behave({ status: 503 });
  for (let i = 0; i < 400; ++i) expect((await ask(gateway)).status).toBe(503);
  let asked = 0;
  for (const each of instances) asked += Number(await (await fetch(`http://127.0.0.1:${each.port}/count`)).text());
  expect(asked).toBeLessThanOrEqual(400 * 1.2 + 10);
});

describe('the registry', () => {
  const registry = (more = {}) => ({
    server: { workers: 2 },
    registry: { admin_token: TOKEN, ...more },
    routes: [{ name: 'users', prefix: '/users', service: 'users' }],
  });

  test('an instance registers, is served at every path, and leaves', async () => {
    const gateway = await gatewayOf(registry());
    instances = await startInstances('one');
    expect((await ask(gateway)).status).toBe(503);
    const told = await tell(gateway, 'POST', '/services/register',
      { id: 'users-1', name: 'users', host: '127.0.0.1', port: instances[0].port, weight: 1, metadata: { zone: 'a' } });
    expect(told.status).toBe(201);
    expect(told.json).toMatchObject({ service_name: 'users', instance_id: 'users-1', ttl: 30 });
    await until(() => event(gateway, 'instance.registered'), 'it is said');
    for (const path of ['/users/7', '/api/v1/gateway/users/7', '/api/v1/proxy/users/7', '/api/v1/gateway//users/7'])
      expect(await ask(gateway, path), path).toMatchObject({ status: 200, text: 'hello', instance: 'one' });
    const listed = await tell(gateway, 'GET', '/api/v1/gateway/services');
    expect(listed.json.data).toEqual([expect.objectContaining({ name: 'users', status: 'healthy', instances: 1 })]);
    expect(listed.json.services.users.instances[0]).toMatchObject({ id: 'users-1', host: '127.0.0.1', healthy: true, metadata: { zone: 'a' } });
    expect((await tell(gateway, 'DELETE', '/api/v1/management/services/users/instances/users-1')).status).toBe(200);
    expect((await ask(gateway)).status).toBe(503);
    expect((await tell(gateway, 'DELETE', '/services/users/instances/users-1')).status).toBe(404);
  });

  test('who may not, and what may not, is told so', async () => {
    const gateway = await gatewayOf(registry());
    const good = { name: 'users', host: '127.0.0.1', port: 80 };
    expect((await tell(gateway, 'POST', '/services/register', good, '')).status).toBe(401);
    expect((await tell(gateway, 'POST', '/services/register', good, 'another-token-altogether')).json.message).toBe('Invalid authentication token');
    const bad = await tell(gateway, 'POST', '/services/register', { ...good, host: '169.254.169.254', port: 70000, weight: -1 });
    expect(bad.status).toBe(422);
    expect(bad.json.detail.map((each) => each.loc.join('.')).sort()).toEqual(['body.host', 'body.port', 'body.weight']);
    expect((await tell(gateway, 'POST', '/services/register', { ...good, host: 'example.com' })).status).toBe(422);
    expect((await tell(gateway, 'POST', '/api/v1/gateway/services/users/instances', {})).json.detail[0]).toMatchObject({ type: 'missing', loc: ['body', 'host'] });
    const open = await tell(gateway, 'GET', '/services', undefined, '');
    expect(JSON.stringify(open.json)).not.toContain('127.0.0.1');
  });

  test('without a token in the configuration nobody may', async () => {
    const gateway = await gatewayOf({ services: {}, routes: [] });
    const told = await tell(gateway, 'POST', '/services/register', { name: 'users', host: '127.0.0.1', port: 80 });
    expect(told.status).toBe(403);
    expect(told.json.message).toContain('registry.admin_token');
  });

  test('an id belongs to whoever holds it, until the lease runs out', async () => {
    const gateway = await gatewayOf(registry());
    const first = await tell(gateway, 'POST', '/services/register', { id: 'u', name: 'users', host: '127.0.0.1', port: 7001, ttl: 1 });
    const other = { id: 'u', name: 'users', host: '127.0.0.1', port: 7002, ttl: 1 };
    const refused = await tell(gateway, 'POST', '/services/register', other);
    expect(refused.status).toBe(409);
    expect(refused.json.message).toContain('127.0.0.1:7001');
    expect((await tell(gateway, 'POST', '/services/register', { ...other, lease: first.json.lease })).status).toBe(201);
    await tell(gateway, 'PUT', '/services/users/instances/u/heartbeat');
    await until(() => event(gateway, 'instance.expired'), 'the lease runs out', 4_000);
    expect((await tell(gateway, 'PUT', '/services/users/instances/u/heartbeat')).status).toBe(404);
  });

  test('instances survive a restart of the gateway', async () => {
    instances = await startInstances('one');
    const config = await configured(registry());
    const first = await new Gateway({ ...config, store: { path: 'registry.db' } }).ready();
    gateways.push(first);
    config.store = { path: join(first.directory, 'registry.db') };
    await tell(first, 'POST', '/services/register', { id: 'u', name: 'users', host: '127.0.0.1', port: instances[0].port });
    first.signal('SIGKILL');
    await first.exit;
    const second = await new Gateway({ ...config, server: { ...config.server, port: await freePort() } }).ready();
    gateways.push(second);
    expect(await ask(second)).toMatchObject({ status: 200, instance: 'one' });
  });

  test('a rolling deployment of three instances under load: no request fails', async () => {
    const gateway = await gatewayOf(registry());
    instances = await startInstances('a1', 'a2', 'a3');
    const register = (each) => tell(gateway, 'POST', '/services/register', { id: each.name, name: 'users', host: '127.0.0.1', port: each.port, ttl: 0 });
    for (const each of instances) await register(each);
    const failures = await underLoad(`${gateway.url}/users`, async () => {
      for (const old of [...instances]) {
        const fresh = await new Instance(`b${old.name.slice(1)}`, await freePort()).start();
        instances.push(fresh);
        await register(fresh);
        expect((await tell(gateway, 'POST', `/services/users/instances/${old.name}/drain`)).status).toBe(200);
        await sleep(150);
        await tell(gateway, 'DELETE', `/services/users/instances/${old.name}`);
        await old.kill('SIGTERM');
      }
      await sleep(200);
    });
    expect(failures).toEqual([]);
    const seen = new Set();
    for (let i = 0; i < 9; ++i) seen.add((await ask(gateway)).instance);
    expect([...seen].sort()).toEqual(['b1', 'b2', 'b3']);
  });
});

describe('a request inside a request', () => {
  test('goes to the service and comes back as JSON', async () => {
    const gateway = await three();
    const answer = await tell(gateway, 'POST', '/proxy/users', { method: 'get', path: '/7?a=1', headers: { 'x-mine': 'yes' }, body: '' }, '');
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ status_code: 200, body: 'hello' });
    expect(answer.json.headers).toHaveProperty('X-Instance');
  });

  test('says nothing about where the client is: a trusted proxy does, and nobody inside', async () => {
    const upstream = await startUpstream((exchange) => exchange.json({ from: exchange.headers.get('x-forwarded-for'), real: exchange.headers.get('x-real-ip') }));
    try {
      const gateway = await gatewayOf({
        server: { trusted_proxies: ['127.0.0.1'] }, services: { users: upstream.service }, routes: [],
      });
      const answer = await fetch(`${gateway.url}/proxy/users`, {
        method: 'POST', headers: { 'x-forwarded-for': '203.0.113.9', 'content-type': 'application/json' },
        body: JSON.stringify({ path: '/', headers: { 'X-Forwarded-For': '192.0.2.66', 'X-Real-IP': '192.0.2.66', Forwarded: 'for=192.0.2.66' } }),
      });
      expect(JSON.parse((await answer.json()).body)).toEqual({ from: '203.0.113.9, 127.0.0.1', real: '203.0.113.9' });
    } finally {
      await upstream.stop();
    }
  });

  test('cannot smuggle anything', async () => {
    const gateway = await three();
    for (const inside of [
      { method: 'GET', path: '/a HTTP/1.1\r\nX: y' },
      { method: 'GET /x', path: '/' },
      { method: 'CONNECT', path: '/' },
      { method: 'GET', path: '/', headers: { 'x-a': 'b\r\nx-c: d' } },
      { method: 'GET', path: '/', headers: 'none' },
    ])
      expect((await tell(gateway, 'POST', '/proxy/users', inside, '')).status, JSON.stringify(inside)).toBe(422);
    expect((await tell(gateway, 'POST', '/proxy/nobody', { method: 'GET', path: '/' }, '')).status).toBe(503);
  });
});
