// SPDX-License-Identifier: MIT
// Who asked, on whose behalf, and who answered: the fields that are the gateway's to write.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from './support/gateway.mjs';
import { ask, get } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { echo } from './support/upstream.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const scene = await setScene();
scene.script = echo;
const told = (name) => scene.upstream.last.headers.all(name);

describe('X-Request-ID', () => {
  test('of the client is kept, for the upstream and for the client', async () => {
    const response = await get(scene.port, '/a', { 'X-Request-ID': 'trace-42.a_b:c/d+e=' });
    expect(told('x-request-id')).toEqual(['trace-42.a_b:c/d+e=']);
    expect(response.headers.all('x-request-id')).toEqual(['trace-42.a_b:c/d+e=']);
  });

  test('is made when there is none, and a new one each time', async () => {
    const ids = [];
    for (let i = 0; i < 3; ++i) ids.push((await get(scene.port, '/a')).headers.get('x-request-id'));
    for (const id of ids) expect(id).toMatch(UUID);
    expect(new Set(ids).size).toBe(3);
    expect(told('x-request-id')).toEqual([ids[2]]);
  });

  test.each([
    ['too long', 'a'.repeat(129)],
    ['with a blank', 'a b'],
    ['with markup', '<script>'],
    ['with quotes', '"a"'],
    ['beyond ASCII', '\xe9'],
    ['empty', ''],
    ['twice', ['a', 'b']],
  ])('is replaced when it is %s', async (_, id) => {
    const response = await get(scene.port, '/a', { 'X-Request-ID': id });
    expect(response.headers.get('x-request-id')).toMatch(UUID);
    expect(told('x-request-id')).toEqual(response.headers.all('x-request-id'));
  });

  test("the upstream's own is not the client's", async () => {
    scene.script = (exchange) => exchange.reply(200, { 'X-Request-ID': 'theirs' });
    expect((await get(scene.port, '/a', { 'X-Request-ID': 'mine' })).headers.all('x-request-id')).toEqual(['mine']);
    scene.script = echo;
  });

  test('is on refusals too, and in their body', async () => {
    const response = await ask(scene.port, 'GET /a HTTP/1.1\r\nHost: a b\r\nX-Request-ID: mine\r\n\r\n');
    expect(response.status).toBe(400);
    expect(response.headers.get('x-request-id')).toBe(JSON.parse(response.text).request_id);
  });
});

describe('a peer we do not trust', () => {
  const lies = {
    'X-Forwarded-For': '1.2.3.4',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'evil.test',
    'X-Forwarded-Port': '666',
    'X-Real-IP': '1.2.3.4',
    Forwarded: 'for=1.2.3.4',
  };

  test('has its word on addresses replaced', async () => {
    await get(scene.port, '/a', lies);
    expect(told('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(told('x-forwarded-proto')).toEqual(['http']);
    expect(told('x-forwarded-host')).toEqual(['gateway.test']);
    expect(told('x-forwarded-port').join()).not.toContain('666');
    expect(told('x-real-ip')).toEqual(['127.0.0.1']);
    expect(told('forwarded')).toEqual(['for=127.0.0.1;host="gateway.test";proto=http']);
  });

  test('is called by its own address in the log', async () => {
    await get(scene.port, '/a', { ...lies, 'X-Request-ID': 'liar' });
    expect((await scene.gateway.accessLine((l) => l.request_id === 'liar')).client_ip).toBe('127.0.0.1');
  });
});

describe('a peer we trust', () => {
  let gateway;
  beforeAll(async () => {
    gateway = await startGateway({
      server: { trusted_proxies: ['127.0.0.0/8', '10.0.0.0/8'] },
      services: { backend: scene.upstream.service },
      routes: [{ prefix: '/', service: 'backend' }],
    });
  });
  afterAll(() => gateway?.stop());

  test('is believed, and added to the chain', async () => {
    await get(gateway.port, '/a', {
      'X-Forwarded-For': '203.0.113.9',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'public.test',
      'X-Request-ID': 'believed',
    });
    expect(told('x-forwarded-for').join(', ')).toBe('203.0.113.9, 127.0.0.1');
    expect(told('x-forwarded-proto')).toEqual(['https']);
    expect(told('x-forwarded-host')).toEqual(['public.test']);
    expect(told('x-real-ip')).toEqual(['203.0.113.9']);
    expect((await gateway.accessLine((l) => l.request_id === 'believed')).client_ip).toBe('203.0.113.9');
  });

  test('the client is the last address that is not trusted, whatever stands before it', async () => {
    await get(gateway.port, '/a', { 'X-Forwarded-For': '1.1.1.1, 203.0.113.9, 10.1.2.3' });
    expect(told('x-real-ip')).toEqual(['203.0.113.9']);
  });

  test('also when the chain comes in several fields', async () => {
    await get(gateway.port, '/a', { 'X-Forwarded-For': ['1.1.1.1', '203.0.113.9', '10.1.2.3'] });
    expect(told('x-real-ip')).toEqual(['203.0.113.9']);
    expect(told('x-forwarded-for').join(', ')).toBe('1.1.1.1, 203.0.113.9, 10.1.2.3, 127.0.0.1');
  });

  test('nonsense in the chain ends it', async () => {
    await get(gateway.port, '/a', { 'X-Forwarded-For': '1.1.1.1, <script>, 10.1.2.3' });
    expect(told('x-real-ip')).toEqual(['10.1.2.3']);
  });

  test('Forwarded goes on where it stood', async () => {
    await get(gateway.port, '/a', { Forwarded: 'for=203.0.113.9;proto=https' });
    expect(told('forwarded').join(', ')).toMatch(/^for=203\.0\.113\.9;proto=https, for=127\.0\.0\.1;/);
  });
});

describe('identity', () => {
  test.each([
    'X-User-ID', 'x-user-id', 'X_User_ID', 'X-User_Id', 'X_USER_ROLES', 'X-User-Email',
    'X-Gateway-Service', 'X_Gateway_User', 'X-Auth-Subject', 'X-Consumer-Name', 'X-Proxy-By',
  ])('%s is not for clients to say', async (name) => {
    await get(scene.port, '/a', { [name]: 'admin' });
    expect(JSON.stringify(scene.upstream.last.headers.list)).not.toContain('admin');
  });

  test('what only looks like it passes', async () => {
    await get(scene.port, '/a', { 'X-Username': 'li', 'X-Users-Online': '3', Authorization: 'Bearer t' });
    expect(told('x-username')).toEqual(['li']);
    expect(told('x-users-online')).toEqual(['3']);
    expect(told('authorization')).toEqual(['Bearer t']);
  });
});

describe('who answered', () => {
  test('is said in both spellings, and the service learns its name', async () => {
    const { headers } = await get(scene.port, '/a');
    const instance = `127.0.0.1:${scene.upstream.port}`;
    for (const prefix of ['X-Gateway', 'X-Proxy']) {
      expect(headers.all(`${prefix}-Service`)).toEqual(['backend']);
      expect(headers.all(`${prefix}-Instance`)).toEqual([instance]);
    }
    expect(headers.get('x-proxy-by')).toBe('SuokeLife-API-Gateway');
    for (const name of ['X-Gateway-Duration', 'X-Response-Time']) {
      expect(headers.get(name)).toMatch(/^\d+\.\d{4}$/);
      expect(Number(headers.get(name))).toBeLessThan(5);
    }
    expect(told('x-gateway-service')).toEqual(['backend']);
  });

  test("an upstream's claims to be us are replaced", async () => {
    scene.script = (exchange) => exchange.reply(200, { 'X-Gateway-Service': 'evil', 'X-Proxy-By': 'evil', 'X-Response-Time': 'evil' });
    expect(JSON.stringify((await get(scene.port, '/a')).headers.list)).not.toContain('evil');
    scene.script = echo;
  });

  test('on our own refusals too', async () => {
    scene.script = (exchange) => exchange.close();
    const response = await get(scene.port, '/a');
    expect(response.status).toBe(502);
    expect(response.headers.get('x-gateway-service')).toBe('backend');
    scene.script = echo;
  });
});
