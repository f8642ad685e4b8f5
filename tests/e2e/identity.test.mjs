// SPDX-License-Identifier: MIT
// Who asks is for the gateway to say: what a client says about that, in whatever spelling, in front of a body or behind
// it, by either protocol, reaches no service, whichever protocol that one speaks.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import * as jose from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from './support/gateway.mjs';
import { claimsOf } from './support/issuer.mjs';
import { ask, leaveAll } from './support/raw.mjs';
import { startUpstream } from './support/upstream.mjs';
import { within } from './support/wait.mjs';

const SECRET = randomBytes(32).toString('hex');
const PATHS = { 'http/1.1': '/old', h2: '/new', 'http/1.1, checked': '/checked/old', 'h2, checked': '/checked/new' }; // by what the service speaks
const LARGE = 300_000; // more than is read at once

const FORGED = [
  'X-User-ID', 'x-user-id', 'X-USER-ROLES', 'X-User-Scopes', 'x_user_id', 'X-User_Name', 'X_USER_TYPE', 'X-User-', 'X-User-Whatever', 'X-Auth-Method',
  'X-Auth_Subject', 'X-Gateway-User', 'x-gateway_service', 'X-Consumer-Username', 'X-Proxy-User', 'X-Client-Cert-Subject', 'X_Client_Cert_SAN',
].map((name) => [name, 'root']);
const HONEST = [['X-Username', 'li'], ['X-Sum', '42']];

let older, newer, sessions = [], gateway, token;

/** A service that speaks HTTP/2: says what it was told before and behind the body. */
async function startNewer() {
  const server = http2.createServer();
  server.on('session', (session) => sessions.push(session.on('error', () => {})));
  server.on('stream', (stream, _, __, headers) => {
    let trailers = [];
    stream.on('error', () => {});
    stream.on('trailers', (_, __, raw) => (trailers = raw));
    stream.resume().on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end(JSON.stringify({ headers: pairs(headers), trailers: pairs(trailers) }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const pairs = (raw) => Array.from({ length: raw.length / 2 }, (_, i) => raw.slice(2 * i, 2 * i + 2));

beforeAll(async () => {
  older = await startUpstream(async (exchange) => {
    await exchange.body();
    await exchange.json({ headers: exchange.headers.list, trailers: exchange.trailers?.list ?? [] });
  });
  newer = await startNewer();
  const checked = { body: '{"type": "string"}' };
  gateway = await startGateway({
    auth: { jwt: { secret_key: SECRET } },
    services: { older: older.service, newer: { endpoints: [{ host: '127.0.0.1', port: newer.address().port }], protocol: 'h2' } },
    routes: [
      { prefix: '/old', service: 'older' },
      { prefix: '/new', service: 'newer' },
      { prefix: '/checked/old', service: 'older', validation: checked },
      { prefix: '/checked/new', service: 'newer', validation: checked },
      { prefix: '/open', service: 'older', auth: 'none' },
    ],
  });
  token = await new jose.SignJWT(claimsOf({ sub: 'u-7', roles: ['doctor'] })).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET));
});
afterEach(() => {
  leaveAll();
  expect(older.violations.splice(0)).toEqual([]);
  expect(gateway.alive).toBe(true);
});
afterAll(async () => {
  await gateway?.stop();
  await older?.stop();
  for (const session of sessions) session.destroy();
  newer?.close();
  expect(gateway?.stderr).toBe('');
});

// ---- clients: a POST with these fields before and behind its body; what the service says that it was told

const lines = (fields) => fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');

async function byHttp1(path, { headers = [], trailers = [], body }) {
  const first = [
    ['Host', 'gateway.test'], ['Authorization', `Bearer ${token}`], ['Content-Type', 'application/json'], ['Transfer-Encoding', 'chunked'], ...headers,
  ];
  const head = `POST ${path} HTTP/1.1\r\n${lines(first)}\r\n`;
  const { status, text } = await ask(gateway.port, `${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n${lines(trailers)}\r\n`);
  return { status, text };
}

/** By name in small letters, as HTTP/2 has them; what comes twice is a list. */
function gathered(fields) {
  const all = {};
  for (const [name, value] of fields) (all[name.toLowerCase()] ??= []).push(value);
  return all;
}

async function byHttp2(path, { headers = [], trailers = [], body }) {
  const session = http2.connect(gateway.url);
  session.on('error', () => {});
  try {
    const first = { ':method': 'POST', ':path': path, authorization: `Bearer ${token}`, 'content-type': 'application/json', ...gathered(headers) };
    const stream = session.request(first, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers(gathered(trailers)));
    const answer = once(stream, 'response');
    stream.on('error', () => {});
    stream.end(body);
    const [{ ':status': status }] = await within(10_000, answer, 'the answer');
    return { status, text: Buffer.concat(await stream.toArray()).toString() };
  } finally {
    session.destroy();
  }
}

async function told(answer) {
  const { status, text } = await answer;
  expect(status, text).toBe(200);
  return JSON.parse(text);
}

/** The gateway's own word, once, and nobody else's. */
function expectOurs(fields) {
  expect(fields.filter(([, value]) => value.includes('root'))).toEqual([]);
  const ours = fields.map(([name, value]) => [name.toLowerCase().replaceAll('_', '-'), value]).filter(([name]) => /^x-(user|auth)-/.test(name));
  expect(ours.filter(([name]) => name === 'x-user-id')).toEqual([['x-user-id', 'u-7']]);
  expect(ours.filter(([name]) => name === 'x-user-roles')).toEqual([['x-user-roles', 'doctor']]);
  expect(new Set(ours.map(([name]) => name)).size).toBe(ours.length);
}

describe.each([['HTTP/1.1', byHttp1], ['HTTP/2', byHttp2]])('a client that speaks %s', (_, by) => {
  describe.each(Object.entries(PATHS))('to a service that speaks %s', (_, path) => {
    test.each([['a small body', '"x"'], ['a large body', `"${'x'.repeat(LARGE)}"`]])('says nothing about itself behind %s', async (_, body) => {
      const { headers, trailers } = await told(by(path, { trailers: [...FORGED, ...HONEST], body }));
      expectOurs(headers);
      // Where a body is read beforehand its trailers may be gone, too.
      const plain = trailers.map(([name, value]) => [name.toLowerCase(), value]);
      if (!path.startsWith('/checked') || plain.length) expect(plain).toEqual(HONEST.map(([name, value]) => [name.toLowerCase(), value]));
    });

    test('nor when there is nothing else behind it', async () => {
      const { headers, trailers } = await told(by(path, { trailers: FORGED, body: '"x"' }));
      expectOurs(headers);
      expect(trailers).toEqual([]);
    });

    test('nor before it, in any spelling, once or twice', async () => {
      const { headers } = await told(by(path, { headers: [...FORGED, ...FORGED, ...HONEST], body: '"x"' }));
      expectOurs(headers);
      expect(gathered(headers)).toMatchObject({ 'x-username': ['li'], 'x-sum': ['42'] });
    });
  });
});

describe('a client that writes what is no field', () => {
  const get = (path, fields) => ask(gateway.port, `GET ${path} HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer ${token}\r\n${fields}\r\n`);

  test.each([
    ['over two lines', 'X-User-ID: u-7\r\n root\r\n'],
    ['over two lines, by a tab', 'X-User-ID:\r\n\troot\r\n'],
    ['as the rest of another', 'X-Other: 1\r\n X-User-ID: root\r\n'],
    ['with a blank before the colon', 'X-User-ID : root\r\n'],
    ['with a tab before the colon', 'X-User-ID\t: root\r\n'],
    ['behind a bare LF', 'X-Other: 1\nX-User-ID: root\r\n'],
    ['behind a bare CR', 'X-Other: 1\rX-User-ID: root\r\n'],
    ['with a NUL', 'X-User-ID\0: root\r\n'],
    ['with a blank inside', 'X-User ID: root\r\n'],
    ['in other letters', 'X-User-\xcdD: root\r\n'],
  ])('%s is refused, and the service hears nothing', async (_, fields) => {
    const before = older.requests.length;
    expect((await get('/old', fields)).status).toBe(400);
    expect((await get('/open', fields)).status).toBe(400);
    expect(older.requests.length).toBe(before);
  });

  test('cannot have what we say taken away as a field of the connection', async () => {
    for (const names of ['X-User-ID', 'x-user-id, X-User-Roles', 'keep-alive, X-User-ID, X-User-Roles, X-Auth-Method', 'X_User_ID']) {
      const answer = await get('/old', `Connection: ${names}\r\nX-User-ID: root\r\n`);
      if (answer.status === 200) expectOurs(JSON.parse(answer.text).headers);
      else expect(answer.status).toBe(400);
    }
  });

  test('is nobody where nobody is asked', async () => {
    const { status, text } = await get('/open', lines([...FORGED, ...HONEST]));
    expect(status).toBe(200);
    const { headers } = JSON.parse(text);
    expect(headers.filter(([name, value]) => value === 'root' || /^x[-_]user[-_]/i.test(name))).toEqual([]);
    expect(headers.find(([name]) => name === 'X-Username')).toEqual(['X-Username', 'li']);
  });

  test('a trailer that is a field of requests is none', async () => {
    for (const name of ['Authorization', 'Cookie', 'Forwarded', 'X-Forwarded-For', 'X-Real-IP', 'Host', 'Content-Length', 'Transfer-Encoding', 'If-Match']) {
      const { status } = await byHttp1('/old', { trailers: [[name, '1']], body: '"x"' });
      expect(status, name).toBe(400);
      expect(older.requests.filter((request) => request.trailers?.has(name))).toEqual([]);
    }
  });
});
