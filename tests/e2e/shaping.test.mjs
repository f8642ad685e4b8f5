// SPDX-License-Identifier: MIT
// What is done to requests and answers on the way, as clients of all kinds see it: compression, pages of other
// origins, keys that do a thing once, versions, security headers, addresses, and being closed.
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import * as jose from 'jose';
import { chromium } from 'playwright-core';
import { request as ask } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from './support/gateway.mjs';
import { claimsOf } from './support/issuer.mjs';
import { describeWith, run, whereIs } from './support/programs.mjs';
import { startUpstream } from './support/upstream.mjs';
import { until } from './support/wait.mjs';

let behind, gateway, running = [];

beforeAll(async () => {
  behind = await startUpstream((exchange) => behind.answers(exchange));
});
afterEach(() => expect(behind.violations.splice(0)).toEqual([]));
afterAll(async () => {
  for (const one of running) await one.stop();
  await behind?.stop();
});

async function start(config) {
  const one = await startGateway({ services: { web: behind.service }, ...config });
  running.push(one);
  return one;
}

// By an HTTP client that decodes nothing, and sends nothing that is not said here.
async function get(path, headers = {}, { method = 'GET', body, on = gateway } = {}) {
  const answer = await ask(on.url + path, { method, headers, body });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, headers: answer.headers, bytes, text: bytes.toString() };
}
const list = (field) => [field ?? []].flat().join(', ').split(/\s*,\s*/).filter(Boolean);

describe('compression', () => {
  const words = Array.from({ length: 4000 }, (_, i) => `{"id":${i},"name":"somebody"}`).join('\n');
  const decoders = { br: zlib.brotliDecompressSync, gzip: zlib.gunzipSync };
  const typed = (type, headers = {}) => (behind.answers = (exchange) => exchange.reply(200, { 'Content-Type': type, ETag: '"v1"', ...headers }, words));

  beforeAll(async () => {
    gateway = await start({ compression: true, routes: [{ prefix: '/', service: 'web' }] });
  });

  test.each(['text/html; charset=utf-8', 'application/json', 'application/vnd.api+json', 'application/javascript', 'image/svg+xml', 'application/wasm'])(
    'of %s is undone by who takes it',
    async (type) => {
      typed(type);
      for (const [coding, decode] of Object.entries(decoders)) {
        const answer = await get('/a', { 'accept-encoding': coding });
        expect(answer.headers).toMatchObject({ 'content-encoding': coding, etag: 'W/"v1"', 'content-type': type });
        expect(list(answer.headers.vary)).toContain('Accept-Encoding');
        expect(answer.bytes.length).toBeLessThan(words.length / 4);
        expect(decode(answer.bytes).toString()).toBe(words);
      }
      expect(await (await fetch(`${gateway.url}/a`)).text()).toBe(words);
    },
  );

  test('is not for others, who are told that it depends', async () => {
    typed('application/json');
    for (const coding of [undefined, 'identity', 'br;q=0, gzip;q=0', 'deflate', '*;q=0']) {
      const answer = await get('/a', coding ? { 'accept-encoding': coding } : {});
      expect(answer.text).toBe(words);
      expect(answer.headers).not.toHaveProperty('content-encoding');
      expect(answer.headers.etag).toBe('"v1"');
      expect(list(answer.headers.vary)).toContain('Accept-Encoding');
    }
    expect((await get('/a', { 'accept-encoding': 'gzip;q=0.2, br;q=0.1, identity;q=0' })).headers['content-encoding']).toBe('gzip');
    expect((await get('/a', { 'accept-encoding': '*' })).headers['content-encoding']).toBe('br');
  });

  test.each([
    ['a picture', 'image/png', {}],
    ['what is encoded already', 'application/json', { 'Content-Encoding': 'x-own' }],
    ['what nobody may change', 'application/json', { 'Cache-Control': 'max-age=5, no-transform' }],
    ['an event stream', 'text/event-stream', {}],
  ])('is not for %s', async (_, type, headers) => {
    typed(type, headers);
    const answer = await get('/a', { 'accept-encoding': 'br, gzip' });
    expect(answer.headers['content-encoding']).toBe(headers['Content-Encoding']);
    expect(answer.headers.etag).toBe('"v1"');
    expect(answer.text).toBe(words);
  });

  test('leaves parts and short answers as they are', async () => {
    behind.answers = (exchange) =>
      exchange.reply(206, { 'Content-Type': 'text/plain', 'Content-Range': `bytes 0-1999/${words.length}`, ETag: '"v1"' }, words.slice(0, 2000));
    const part = await get('/a', { 'accept-encoding': 'gzip', range: 'bytes=0-1999' });
    expect(part.status).toBe(206);
    expect(part.text).toBe(words.slice(0, 2000));
    expect(part.headers.etag).toBe('"v1"');
    behind.answers = (exchange) => exchange.reply(200, { 'Content-Type': 'text/plain' }, 'short');
    expect((await get('/a', { 'accept-encoding': 'gzip' })).text).toBe('short');
  });

  test('of HEAD says what GET would', async () => {
    typed('application/json');
    const head = await get('/a', { 'accept-encoding': 'gzip' }, { method: 'HEAD' });
    expect(head.headers).toMatchObject({ 'content-encoding': 'gzip', etag: 'W/"v1"' });
    expect(head.headers).not.toHaveProperty('content-length');
  });

  test('has a 304 that caches can use', async () => {
    behind.answers = (exchange) => exchange.reply(304, { ETag: '"v1"', Vary: 'Origin' });
    const answer = await get('/a', { 'accept-encoding': 'gzip', 'if-none-match': 'W/"v1"' });
    expect(answer.status).toBe(304);
    expect(answer.headers.etag).toBe('W/"v1"');
    expect(list(answer.headers.vary).sort()).toEqual(['Accept-Encoding', 'Origin']);
  });

  test('holds nothing back of what the service sends bit by bit', async () => {
    let more;
    behind.answers = async (exchange) => {
      await exchange.begin({ 'Content-Type': 'application/x-ndjson' });
      await exchange.chunk(`${'{"first":1}\n'.repeat(200)}`);
      await new Promise((resolve) => (more = resolve));
      await exchange.chunk('{"second":2}\n');
      await exchange.lastChunk();
    };
    const answer = await ask(`${gateway.url}/a`, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers['content-encoding']).toBe('gzip');
    let text = '';
    const whole = new Promise((resolve) => answer.body.pipe(zlib.createGunzip()).on('data', (piece) => (text += piece)).on('end', resolve));
    await until(() => text.includes('first'), 'the first part can be read');
    expect(text).not.toContain('second');
    more();
    await whole;
    expect(text.endsWith('{"second":2}\n')).toBe(true);
  });

  describeWith('curl', () => {
    test.each(['br', 'gzip', 'zstd'])('decodes %s', async (coding) => {
      typed('application/json');
      const { code, said } = await run(whereIs('curl'), ['-sS', '--compressed', '-H', `Accept-Encoding: ${coding}`, `${gateway.url}/a`]);
      expect(code).toBe(0);
      expect(said).toBe(words);
    });
  });
});

describe('pages of other origins', () => {
  const APP = 'https://app.suoke.test', EVIL = 'https://evil.test';
  const preflight = (origin, method, headers = {}) =>
    get('/a', { origin, 'access-control-request-method': method, ...headers }, { method: 'OPTIONS' });
  let site;

  beforeAll(async () => {
    // Pages of it are of another origin than the gateway: another port.
    site = http.createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => site.once('listening', resolve));
    gateway = await start({
      cors: { allow_origins: [APP, 'https://*.suoke.dev', `http://127.0.0.1:${site.address().port}`], allow_credentials: true },
      auth: { jwt: { secret_key: 'a-secret-of-this-test-alone-0123456789' } },
      routes: [{ prefix: '/a', service: 'web', auth: 'none' }, { prefix: '/closed', service: 'web' }],
    });
    behind.answers = (exchange) => exchange.reply(200, { 'Access-Control-Allow-Origin': '*', 'X-Request-ID': 'theirs' }, `${exchange.method} of a page`);
  });
  afterAll(() => site.close());

  test('ask first, and nobody behind us is bothered', async () => {
    const before = behind.requests.length;
    const { status, headers } = await preflight(APP, 'PUT', { 'access-control-request-headers': 'authorization,content-type' });
    expect(status).toBe(204);
    expect(headers).toMatchObject({ 'access-control-allow-origin': APP, 'access-control-allow-credentials': 'true', 'access-control-max-age': '600' });
    expect(list(headers['access-control-allow-methods'])).toContain('PUT');
    expect(list(headers['access-control-allow-headers'])).toEqual(expect.arrayContaining(['Authorization', 'Content-Type', 'Idempotency-Key']));
    expect(list(headers.vary)).toContain('Origin');
    for (const origin of [EVIL, 'null', 'https://suoke.dev', 'https://evil.test/.suoke.dev', 'http://a.suoke.dev']) {
      const refused = await preflight(origin, 'PUT');
      expect(refused.status, origin).toBe(403);
      expect(refused.headers, origin).not.toHaveProperty('access-control-allow-origin');
    }
    expect(behind.requests.length).toBe(before);
  });

  test('read answers and errors, if they are known', async () => {
    for (const [path, status] of [['/a', 200], ['/closed', 401], ['/nowhere', 404]]) {
      const known = await get(path, { origin: APP });
      expect(known.status).toBe(status);
      if (status !== 404) expect(known.headers, path).toMatchObject({ 'access-control-allow-origin': APP, 'access-control-allow-credentials': 'true' });
      const other = await get(path, { origin: EVIL });
      expect(other.headers, path).not.toHaveProperty('access-control-allow-origin');
    }
    expect(list((await get('/a')).headers.vary)).toContain('Origin');
  });

  test('that ask for nothing in particular are no preflight', async () => {
    const { status, text } = await get('/a', { origin: APP }, { method: 'OPTIONS' });
    expect(status).toBe(200);
    expect(text).toBe('OPTIONS of a page');
  });

  describeWith('chromium', () => {
    test('are let in by a real browser, or kept out', async () => {
      const browser = await chromium.launch({ executablePath: whereIs('chromium'), args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        await page.goto(`http://127.0.0.1:${site.address().port}/`);
        const asked = (url) =>
          page.evaluate(async (to) => {
            const headers = { 'x-client-version': '1.0.0', 'content-type': 'application/json' };
            try {
              const answer = await fetch(to, { method: 'PUT', body: '{}', credentials: 'include', headers });
              return { status: answer.status, text: await answer.text(), id: answer.headers.get('x-request-id') };
            } catch (error) {
              return String(error);
            }
          }, url);
        expect(await asked(`${gateway.url}/a`)).toMatchObject({ status: 200, text: 'PUT of a page', id: expect.stringMatching(/./) });
        expect((await asked(`${gateway.url}/closed`)).status).toBe(401);
        await page.goto(`http://localhost:${site.address().port}/`);
        expect(await asked(`${gateway.url}/a`)).toMatch(/Failed to fetch/);
      } finally {
        await browser.close();
      }
    });
  });
});

describe('an Idempotency-Key', () => {
  const SECRET = 'a-secret-of-this-test-alone-0123456789';
  const directory = mkdtempSync(join(tmpdir(), 'suoke-once-'));
  const config = {
    store: { path: join(directory, 'kept.db') },
    auth: { jwt: { secret_key: SECRET } },
    idempotency: { enabled: true, lifetime: '1h' },
    routes: [
      { prefix: '/orders', service: 'web' },
      { prefix: '/open', service: 'web', auth: 'none', idempotency: { anonymous: true } },
      { prefix: '/plain', service: 'web', idempotency: false },
    ],
  };
  let orders = 0, tokens = {};
  const order = async (who, key, { path = '/orders', body = '{"tea":1}', method = 'POST' } = {}) =>
    get(path, { 'content-type': 'application/json', 'idempotency-key': key, ...(who && { authorization: `Bearer ${tokens[who]}` }) }, { method, body });

  beforeAll(async () => {
    for (const sub of ['li', 'wang'])
      tokens[sub] = await new jose.SignJWT(claimsOf({ sub })).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(Buffer.from(SECRET));
    gateway = await start(config);
    behind.answers = async (exchange) => {
      const body = await exchange.body();
      exchange.reply(201, { Location: `/orders/${++orders}`, 'Content-Type': 'text/plain', 'Set-Cookie': 'a=b' }, `order ${orders}: ${body.text ?? body}`);
    };
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('does a thing once, across a restart, too', async () => {
    const first = await order('li', 'monday');
    expect(first.status).toBe(201);
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
    const done = orders;
    const again = await order('li', '"monday"');
    expect([again.status, again.text, again.headers.location]).toEqual([201, first.text, first.headers.location]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.headers).not.toHaveProperty('set-cookie');
    await gateway.stop();
    gateway = await start(config);
    const later = await order('li', 'monday');
    expect([later.status, later.text, later.headers['idempotency-replayed']]).toEqual([201, first.text, 'true']);
    expect(orders).toBe(done);
  });

  test('belongs to who uses it, and to one request', async () => {
    const first = await order('li', 'tuesday');
    const others = await order('wang', 'tuesday');
    expect(others.text).not.toBe(first.text);
    expect(others.headers).not.toHaveProperty('idempotency-replayed');
    expect((await order(null, 'tuesday')).status).toBe(401);
    for (const change of [{ body: '{"tea":2}' }, { path: '/orders?gift=1' }, { method: 'PATCH' }]) {
      const other = await order('li', 'tuesday', change);
      expect(other.status, JSON.stringify(change)).toBe(422);
      expect(JSON.parse(other.text).code).toBe('idempotency_key_reused');
    }
    for (const bad of ['', '"open', 'a b', 'x'.repeat(256)]) expect((await order('li', bad)).status, bad).toBe(422);
  });

  test('is a conflict while its request is under way', async () => {
    const usual = behind.answers;
    let go;
    behind.answers = async (exchange) => {
      await exchange.body();
      await new Promise((resolve) => (go = resolve));
      await exchange.reply(200, {}, 'done');
    };
    const slow = order('li', 'wednesday');
    await until(() => go, 'the service has it');
    const meanwhile = await order('li', 'wednesday');
    expect(meanwhile.status).toBe(409);
    expect(JSON.parse(meanwhile.text).code).toBe('idempotency_key_in_use');
    expect(Number(meanwhile.headers['retry-after'])).toBeGreaterThan(0);
    go();
    expect((await slow).text).toBe('done');
    behind.answers = usual;
    expect((await order('li', 'wednesday')).text).toBe('done');
  });

  test('is kept with an answer that has no content', async () => {
    const usual = behind.answers;
    let times = 0;
    behind.answers = async (exchange) => {
      await exchange.body();
      ++times;
      await exchange.reply(204, { Location: '/orders/none' });
    };
    expect((await order('li', 'thursday')).status).toBe(204);
    const again = await order('li', 'thursday');
    behind.answers = usual;
    expect([again.status, again.headers['idempotency-replayed'], again.headers.location]).toEqual([204, 'true', '/orders/none']);
    expect(again.headers).not.toHaveProperty('content-length');
    expect(times).toBe(1);
  });

  test('is what a route makes of it', async () => {
    const texts = new Set();
    for (let i = 0; i < 2; ++i) texts.add((await order(null, 'friday', { path: '/open' })).text);
    expect(texts.size).toBe(1);
    for (let i = 0; i < 2; ++i) texts.add((await order('li', 'friday', { path: '/plain' })).text);
    expect(texts.size).toBe(3);
  });
});

describe('the version of the API', () => {
  const ways = ['url_path', 'query_param', 'header', 'subdomain', 'custom_header'];
  const says = {
    url_path: (v) => [`/url_path/v${v}`],
    query_param: (v) => [`/query_param?version=${v}`],
    header: (v) => ['/header', { accept: `application/vnd.api+json;version=${v}` }],
    subdomain: (v) => ['/subdomain', { host: `v${v}.api.suoke.test` }],
    custom_header: (v) => ['/custom_header', { 'x-api-version': `${v}` }],
  };

  beforeAll(async () => {
    const rules = { supported: ['v1', 'v1.2', 'v2'], deprecated: { v1: { since: '2026-01-31', sunset: '2026-06-30', link: 'https://docs.suoke.test/v1' } } };
    gateway = await start({
      routes: ways.flatMap((strategy) => [
        { name: strategy, prefix: `/${strategy}`, service: 'web', versioning: { ...rules, strategy } },
        { name: `${strategy}-strict`, prefix: `/strict/${strategy}`, service: 'web', versioning: { ...rules, strategy, strict: true } },
      ]),
    });
    behind.answers = (exchange) => exchange.json({ given: exchange.headers.all('x-api-version'), asked: exchange.headers.all('x-api-version-requested') });
  });

  test.each(ways)('is said by %s', async (way) => {
    const two = await get(...says[way](2));
    expect(JSON.parse(two.text)).toEqual({ given: ['v2.0.0'], asked: [] });
    expect(two.headers).toMatchObject({ 'x-api-version': 'v2.0.0', 'x-api-versions-supported': 'v2.0.0, v1.2.0, v1.0.0' });
    expect(two.headers).not.toHaveProperty('deprecation');
    if (way !== 'subdomain') { // whose labels hold no dot
      const near = await get(...says[way]('1.1'));
      expect(JSON.parse(near.text)).toEqual({ given: ['v1.2.0'], asked: [expect.stringMatching(/^v?1\.1$/)] });
      expect(near.headers['x-api-version-requested']).toMatch(/^v?1\.1$/);
    }
    const old = await get(...says[way](9)); // there is none: the default, which will go
    expect(old.headers).toMatchObject({
      'x-api-version': 'v1.0.0',
      deprecation: `@${Date.UTC(2026, 0, 31) / 1000}`,
      sunset: new Date(Date.UTC(2026, 5, 30)).toUTCString(),
      link: '<https://docs.suoke.test/v1>; rel="deprecation"',
      warning: expect.stringMatching(/^299 - ".*deprecated.*2026-06-30/),
    });
  });

  test.each(ways.filter((way) => way !== 'url_path'))('that is not there is refused by a strict route (%s)', async (way) => {
    const [path, headers] = says[way](9);
    const { status, text, headers: told } = await get(`/strict${path}`, headers);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ error: 'API_VERSION_ERROR', message: expect.stringContaining('9'), supported_versions: ['v2.0.0', 'v1.2.0', 'v1.0.0'] });
    expect(told['x-api-versions-supported']).toBe('v2.0.0, v1.2.0, v1.0.0');
  });
});

describe('security', () => {
  beforeAll(async () => {
    gateway = await start({
      server: { trusted_proxies: ['127.0.0.2'] },
      security: { headers_enabled: true, hsts_enabled: true, csp_enabled: true, headers: { 'X-Powered-By': '' }, ip_blacklist: ['127.0.0.3'] },
      maintenance: { enabled: false },
      routes: [
        { prefix: '/a', service: 'web' },
        { prefix: '/office', service: 'web', access: { allow: ['127.0.0.4'] } },
        { prefix: '/shop', service: 'web', maintenance: { enabled: true, message: 'Back at six', retry_after: '30m', allow: ['127.0.0.4'] } },
      ],
    });
    behind.answers = (exchange) =>
      exchange.reply(200, { Server: 'uvicorn', 'X-Powered-By': 'PHP', 'X-Frame-Options': 'SAMEORIGIN', 'Strict-Transport-Security': 'max-age=1' }, 'all');
  });

  // From another address of this machine.
  const from = (localAddress, path, headers = {}) =>
    new Promise((resolve, reject) =>
      http
        .get(gateway.url + path, { localAddress, headers, agent: false }, (answer) => {
          let text = '';
          answer.on('data', (piece) => (text += piece)).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
        })
        .on('error', reject),
    );

  test('headers go with answers and refusals, and nobody learns our software', async () => {
    const answer = await get('/a');
    expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN', 'referrer-policy': 'strict-origin-when-cross-origin' });
    expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    for (const name of ['server', 'x-powered-by']) expect(answer.headers).not.toHaveProperty(name);
    const refusal = await get('/nowhere');
    expect(refusal.status).toBe(404);
    expect(refusal.headers['x-frame-options']).toBe('DENY');
  });

  test('HSTS is for TLS, as a trusted proxy tells it, and for nothing else', async () => {
    for (const answer of [await from('127.0.0.1', '/nowhere', { 'x-forwarded-proto': 'https' }), await from('127.0.0.2', '/nowhere', { 'x-forwarded-proto': 'http' })])
      expect(answer.headers).not.toHaveProperty('strict-transport-security');
    const { headers } = await from('127.0.0.2', '/nowhere', { 'x-forwarded-proto': 'https' });
    expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains; preload');
  });

  test("HSTS of the service stays behind where the client came in the clear", async () => {
    expect((await get('/a')).headers).not.toHaveProperty('strict-transport-security');
    expect((await from('127.0.0.2', '/a', { 'x-forwarded-proto': 'https' })).headers['strict-transport-security']).toBe('max-age=1');
  });

  test('keeps addresses out, whatever they say of themselves', async () => {
    const before = behind.requests.length;
    for (const [address, path, headers] of [
      ['127.0.0.3', '/a', {}],
      ['127.0.0.3', '/a', { 'x-forwarded-for': '127.0.0.1' }],
      ['127.0.0.2', '/a', { 'x-forwarded-for': '127.0.0.3' }],
      ['127.0.0.2', '/a', { 'x-forwarded-for': '192.0.2.1, 127.0.0.3' }],
      ['127.0.0.1', '/office', { 'x-forwarded-for': '127.0.0.4' }],
    ]) {
      const refused = await from(address, path, headers);
      expect(refused.status, `${address} ${JSON.stringify(headers)}`).toBe(403);
      expect(JSON.parse(refused.text).code).toBe('address_denied');
    }
    expect(behind.requests.length).toBe(before);
    expect((await from('127.0.0.4', '/office')).status).toBe(200);
    expect((await from('127.0.0.2', '/office', { 'x-forwarded-for': '127.0.0.4' })).status).toBe(200);
  });

  test('a closed route says until when, and lets some in', async () => {
    const closed = await get('/shop', {}, { method: 'POST', body: 'x' });
    expect(closed.status).toBe(503);
    expect(closed.headers['retry-after']).toBe('1800');
    expect(JSON.parse(closed.text)).toMatchObject({ message: 'Back at six', code: 'maintenance' });
    expect((await from('127.0.0.4', '/shop')).status).toBe(200);
    expect((await get('/a')).status).toBe(200);
  });

  test('closing everything leaves the gateway itself alive, and a reload opens it again', async () => {
    const open = structuredClone(gateway.config);
    gateway.write({ ...open, maintenance: { enabled: true } });
    gateway.signal('SIGHUP');
    await until(async () => (await get('/a')).status === 503, 'it is closed');
    expect((await get('/health')).status).toBe(200);
    gateway.write(open);
    gateway.signal('SIGHUP');
    await until(async () => (await get('/a')).status === 200, 'it is open');
  });
});
