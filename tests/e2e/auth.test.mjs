// SPDX-License-Identifier: MIT
// Who asks: tokens made by another implementation, keys fetched from an issuer that rotates them and
// goes away, API keys, roles, revocation; and everything an attacker would try first.
import { createHash, randomBytes } from 'node:crypto';
import * as jose from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from './support/gateway.mjs';
import { Issuer, claimsOf } from './support/issuer.mjs';
import { startUpstream } from './support/upstream.mjs';
import { until } from './support/wait.mjs';

const SECRET = randomBytes(32).toString('hex');
let behind, running = [];

beforeAll(async () => {
  behind = await startUpstream((exchange) => exchange.json(Object.fromEntries(exchange.headers.list)));
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  expect(behind.violations.splice(0)).toEqual([]);
});
afterAll(() => behind?.stop());

async function gatewayWith(auth, { route = {}, routes = [], ...more } = {}) {
  const gateway = await startGateway({
    auth,
    services: { users: { endpoints: [{ host: '127.0.0.1', port: behind.port }] } },
    routes: [...routes, { prefix: '/users', service: 'users', ...route }],
    ...more,
  });
  running.push(gateway);
  return gateway;
}

async function ask(gateway, token, { path = '/users/7', headers = {}, ...options } = {}) {
  const answer = await fetch(gateway.url + path, { headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers }, ...options });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text && JSON.parse(text) };
}

const hs256 = (claims = {}, secret = SECRET) =>
  new jose.SignJWT(claimsOf(claims)).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(Buffer.from(secret));

describe('the platform\'s own tokens', () => {
  test('open the door, and the service is told who asks', async () => {
    const gateway = await gatewayWith({ jwt: { secret_key: SECRET } });
    const { status, json } = await ask(gateway, await hs256({ sub: 'u-7', name: 'Li Wei', roles: ['doctor', 'premium'], scope: 'read write' }), {
      headers: { 'X-User-ID': 'admin', 'X-User-Roles': 'admin', 'x_user_id': 'root' },
    });
    expect(status).toBe(200);
    const told = Object.fromEntries(Object.entries(json).map(([name, value]) => [name.toLowerCase(), value]));
    expect(told).toMatchObject({ 'x-user-id': 'u-7', 'x-user-name': 'Li Wei', 'x-user-roles': 'doctor,premium' });
    expect(told).not.toHaveProperty('x_user_id');
  });

  test('without one the answer says what is missing, in the words clients know', async () => {
    const gateway = await gatewayWith({ jwt: { secret_key: SECRET } });
    const { status, headers, json } = await ask(gateway);
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer realm=/);
    expect(json).toMatchObject({ error: 'Unauthorized', message: 'Missing authentication token', code: 'missing_token' });
  });

  test('expired ones do not, and those of another key, issuer or audience', async () => {
    const gateway = await gatewayWith({ jwt: { secret_key: SECRET } });
    const now = Math.floor(Date.now() / 1000);
    const wrong = {
      expired: await hs256({ exp: now - 60 }),
      'not yet': await hs256({ nbf: now + 3600 }),
      'another key': await hs256({}, randomBytes(32).toString('hex')),
      'another issuer': await hs256({ iss: 'somebody' }),
      'another audience': await hs256({ aud: 'somewhere' }),
      'a refresh token': await hs256({ type: 'refresh' }),
      'without an end': await hs256({ exp: undefined }),
      'without a subject': await hs256({ sub: undefined }),
    };
    for (const [why, token] of Object.entries(wrong)) {
      const { status, headers, json } = await ask(gateway, token);
      expect([status, json.error], why).toEqual([401, 'Unauthorized']);
      expect(headers.get('www-authenticate'), why).toMatch(/error="invalid_token"/);
    }
    expect((await ask(gateway, wrong.expired)).json.code).toBe('token_expired');
  });
});

describe('every algorithm, by keys from an issuer', () => {
  const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

  test('what one implementation signs the other accepts; a changed bit is refused by both', async () => {
    const issuer = await Issuer.start(ALGORITHMS);
    running.push(issuer);
    const gateway = await gatewayWith({ jwt: { jwks_url: issuer.jwksUrl, issuers: [issuer.url], audiences: ['suoke-life'] } });
    const jwks = jose.createLocalJWKSet(issuer.jwks());
    for (const algorithm of ALGORITHMS) {
      const token = await issuer.token(algorithm, { sub: `of-${algorithm}` });
      expect((await ask(gateway, token)).status, algorithm).toBe(200);
      for (let i = 0; i < 12; ++i) {
        const bytes = Buffer.from(token);
        bytes[Math.floor(Math.random() * bytes.length)] ^= 1 << Math.floor(Math.random() * 5);
        const changed = bytes.toString('latin1');
        if (!/^[\x21-\x7e]+$/.test(changed)) continue;
        const theirs = await jose.jwtVerify(changed, jwks).then(() => 200, () => 401);
        // Ours may be the stricter one: a base64url text has one spelling.
        const ours = (await ask(gateway, changed)).status;
        expect(ours === theirs || ours === 401, `${algorithm} ${changed}`).toBe(true);
      }
    }
  });

  test('a key that is new to the gateway is looked for once, and its token accepted', async () => {
    const issuer = await Issuer.start(['RS256']);
    running.push(issuer);
    const gateway = await gatewayWith({ jwt: { jwks_url: issuer.jwksUrl, issuers: [issuer.url] } });
    expect((await ask(gateway, await issuer.token('RS256'))).status).toBe(200);
    await issuer.rotate('RS256');
    const before = issuer.fetches;
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => issuer.token('RS256', { sub: `s${i}` })));
    expect((await Promise.all(tokens.map((token) => ask(gateway, token)))).map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(issuer.fetches - before).toBe(1);
    const began = Date.now();
    for (let i = 0; i < 20; ++i) expect((await ask(gateway, await issuer.token('RS256', {}, { kid: `nobody-${i}` }))).status).toBe(401);
    // One more for those that nobody has, and another one every ten seconds.
    expect(issuer.fetches - before).toBeLessThanOrEqual(2 + Math.floor((Date.now() - began) / 10_000));
  });

  test('the issuer goes away: keys that are known stay good', async () => {
    const issuer = await Issuer.start(['ES256']);
    running.push(issuer);
    const gateway = await gatewayWith({ jwt: { jwks_url: issuer.jwksUrl, issuers: [issuer.url], jwks_refresh: '10s' } });
    expect((await ask(gateway, await issuer.token('ES256'))).status).toBe(200);
    issuer.broken = true;
    await until(() => gateway.logged('keys.unreachable'), 'it is missed', 20_000);
    expect((await ask(gateway, await issuer.token('ES256', { sub: 'another' }))).status).toBe(200);
  }, 60_000);

  test('keys that were never there are the gateway\'s fault, not the client\'s', async () => {
    const issuer = await Issuer.start(['ES256']);
    running.push(issuer);
    issuer.broken = true;
    const gateway = await gatewayWith({ jwt: { jwks_url: issuer.jwksUrl, issuers: [issuer.url] } });
    const token = await issuer.token('ES256');
    expect((await ask(gateway, token)).json).toMatchObject({ status: 503, code: 'keys_unavailable' });
    issuer.broken = false;
    await until(async () => (await ask(gateway, token)).status === 200, 'the keys come', 15_000);
  });
});

describe('attacks', () => {
  let issuer, gateway;
  beforeAll(async () => {
    issuer = await Issuer.start(['RS256', 'ES256']);
    gateway = await startGateway({
      auth: { jwt: { jwks_url: issuer.jwksUrl, issuers: [issuer.url] } },
      services: { users: { endpoints: [{ host: '127.0.0.1', port: behind.port }] } },
      routes: [{ prefix: '/users', service: 'users' }],
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    await issuer?.stop();
  });

  const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const refused = async (token, why) => expect((await ask(gateway, token)).status, why).toBe(401);

  test('an algorithm named none, in any spelling', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 'HS256\0', 'rs256', ' RS256'])
      for (const signature of ['', 'AA', part('x')])
        await refused(`${part({ alg, typ: 'JWT' })}.${part(claimsOf({ iss: issuer.url }))}.${signature}`, String(alg));
  });

  test('the public key taken for a secret', async () => {
    const pem = await issuer.publicPem('RS256');
    for (const secret of [pem, pem.trim(), JSON.stringify(issuer.jwks().keys[0])])
      for (const alg of ['HS256', 'HS384', 'HS512'])
        await refused(await new jose.SignJWT(claimsOf({ iss: issuer.url })).setProtectedHeader({ alg, kid: issuer.kid('RS256') }).sign(Buffer.from(secret)), alg);
  });

  test('keys that the token brings with it, or says where to get', async () => {
    const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
    const jwk = await jose.exportJWK(publicKey);
    const headers = [{ jwk }, { jku: `${issuer.url}/evil` }, { x5u: `${issuer.url}/evil` }, { x5c: ['AA=='] }, { kid: '../../../../dev/null' }, { kid: "x' OR '1'='1" }];
    for (const more of headers)
      await refused(await new jose.SignJWT(claimsOf({ iss: issuer.url })).setProtectedHeader({ alg: 'ES256', ...more }).sign(privateKey), JSON.stringify(more));
    expect(issuer.asked.filter((path) => path.includes('evil'))).toEqual([]);
  });

  test('signatures of nothing, of the wrong size, and of another algorithm', async () => {
    const [head, body, signature] = (await issuer.token('ES256')).split('.');
    const zeros = Buffer.alloc(64).toString('base64url');
    for (const bad of ['', zeros, signature.slice(0, -2), `${signature}AA`, Buffer.from(signature, 'base64url').subarray(0, 63).toString('base64url')])
      await refused(`${head}.${body}.${bad}`, bad);
    await refused(`${part({ alg: 'RS256', kid: issuer.kid('ES256') })}.${body}.${signature}`, 'another algorithm');
  });

  test('text that only looks like the same token', async () => {
    const token = await issuer.token('RS256');
    expect((await ask(gateway, token)).status).toBe(200);
    for (const twin of [`${token}=`, `${token}.`, `.${token}`, token.replace('.', '..'), `${token} x`, token.replaceAll('-', '+').replaceAll('_', '/') + '==', `${token}%00`])
      if (twin !== token) await refused(twin, twin.slice(-8));
  });

  test('what is too much', async () => {
    const deep = '{"a":'.repeat(2_000) + '1' + '}'.repeat(2_000);
    for (const token of [`${part(deep)}.${part('{}')}.AA`, `${part({ alg: 'RS256' })}.${part(deep)}.AA`, 'a'.repeat(9_000), 'a.b', 'a.b.c.d', '..', '.'])
      await refused(token, token.slice(0, 20));
    expect((await ask(gateway, await issuer.token('RS256', { big: 'x'.repeat(20_000) }))).status).toBeGreaterThanOrEqual(400);
  });

  test('times that are no times', async () => {
    for (const exp of ['9999999999', 1e308, -1, null, true, [9999999999], {}])
      await refused(await issuer.token('RS256', { exp }), JSON.stringify(exp)).catch((error) => {
        if (exp !== 1e308) throw error; // a number beyond every date: for ever
      });
  });

  test('two Authorization fields', async () => {
    const token = await issuer.token('RS256');
    const { request } = await import('undici');
    const { statusCode, body } = await request(`${gateway.url}/users/7`, { headers: ['authorization', `Bearer ${token}`, 'authorization', 'Bearer x'] });
    await body.dump();
    expect([400, 401]).toContain(statusCode);
  });
});

describe('API keys', () => {
  const key = `sk_${randomBytes(24).toString('hex')}`;
  const hash = `sha256:${createHash('sha256').update(key).digest('hex')}`;

  test('in a header or as a password; hashes are all that the configuration has', async () => {
    const gateway = await gatewayWith({ methods: ['api_key', 'basic'], api_keys: { batch: { hashes: [hash], roles: ['machine'] } } });
    expect((await ask(gateway, null, { headers: { 'x-api-key': key } })).status).toBe(200);
    expect((await ask(gateway, null, { headers: { authorization: `Basic ${Buffer.from(`batch:${key}`).toString('base64')}` } })).status).toBe(200);
    for (const headers of [{ 'x-api-key': `${key}x` }, { 'x-api-key': hash }, { authorization: `Basic ${Buffer.from(`batch:x`).toString('base64')}` },
      { authorization: `Basic ${Buffer.from(`other:${key}`).toString('base64')}` }])
      expect((await ask(gateway, null, { headers })).status).toBe(401);
  });

  test('expired and rotated', async () => {
    const old = `sk_${randomBytes(24).toString('hex')}`;
    const oldHash = `sha256:${createHash('sha256').update(old).digest('hex')}`;
    const gateway = await gatewayWith({ api_keys: { a: { hashes: [hash, oldHash] }, b: { hashes: [`sha256:${createHash('sha256').update('gone').digest('hex')}`], expires: '2020-01-01' } } });
    expect((await ask(gateway, null, { headers: { 'x-api-key': key } })).status).toBe(200);
    expect((await ask(gateway, null, { headers: { 'x-api-key': old } })).status).toBe(200);
    expect((await ask(gateway, null, { headers: { 'x-api-key': 'gone' } })).status).toBe(401);
  });
});

describe('who may', () => {
  test('roles, scopes and claims of a route', async () => {
    const gateway = await gatewayWith({ jwt: { secret_key: SECRET } }, {
      routes: [
        { prefix: '/users/roles', service: 'users', auth: { roles: ['doctor', 'nurse'] } },
        { prefix: '/users/scopes', service: 'users', auth: { scopes: ['read', 'write'] } },
        { prefix: '/users/claims', service: 'users', auth: { claims: { clinic: ['north', 'south'] } } },
        { prefix: '/users/open', service: 'users', auth: { mode: 'none' } },
        { prefix: '/users/either', service: 'users', auth: { mode: 'optional' } },
      ],
    });
    const status = async (path, claims) => (await ask(gateway, claims && (await hs256(claims)), { path })).status;
    expect(await status('/users/roles', { roles: ['nurse'] })).toBe(200);
    expect(await status('/users/roles', { roles: ['patient'] })).toBe(403);
    expect(await status('/users/scopes', { scope: 'write read' })).toBe(200);
    expect(await status('/users/scopes', { scope: 'read' })).toBe(403);
    expect(await status('/users/claims', { clinic: 'south' })).toBe(200);
    expect(await status('/users/claims', { clinic: 'west' })).toBe(403);
    expect(await status('/users/open')).toBe(200);
    expect(await status('/users/either')).toBe(200);
    expect(await status('/users/either', { exp: 1 })).toBe(401);
    expect(await status('/health')).toBe(200);
  });

  test('a preflight needs no token', async () => {
    const gateway = await gatewayWith({ jwt: { secret_key: SECRET } }, { cors: { enabled: true, allow_origins: ['https://app.suoke.life'] } });
    const answer = await fetch(`${gateway.url}/users/7`, {
      method: 'OPTIONS', headers: { origin: 'https://app.suoke.life', 'access-control-request-method': 'PUT' },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.suoke.life');
  });

  test('in production nobody starts without a way to know who asks', async () => {
    for (const auth of [{}, { jwt: { secret_key: 'short' } }, { jwt: { secret_key: 'your-secret-key-change-in-production' } }])
      await expect(gatewayWith(auth, { app: { environment: 'production' } })).rejects.toThrow(/auth|secret/);
    const open = await gatewayWith({ enabled: false }, { app: { environment: 'production' } });
    expect((await ask(open)).status).toBe(200);
  });
});

describe('taken back', () => {
  test('a token by its id and a subject as a whole, across a restart', async () => {
    const auth = { jwt: { secret_key: SECRET } };
    const gateway = await gatewayWith(auth);
    const admin = await hs256({ sub: 'root', roles: ['admin'] });
    const one = await hs256({ jti: 'one' });
    const two = await hs256({ sub: 'u-9', jti: 'two' });
    const revoke = (body, token = admin) =>
      ask(gateway, token, { path: '/api/v1/management/revocations', method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    expect((await ask(gateway, one)).status).toBe(200);
    expect((await ask(gateway, two)).status).toBe(200);
    expect((await revoke({ jti: 'one' }, one)).status).toBe(403);
    expect((await revoke({ jti: 'one' })).status).toBeLessThan(300);
    await until(async () => (await ask(gateway, one)).status === 401, 'the token is refused');
    expect((await ask(gateway, one)).json.code).toBe('token_revoked');
    expect((await ask(gateway, two)).status).toBe(200);
    expect((await revoke({ subject: 'u-9' })).status).toBeLessThan(300);
    await until(async () => (await ask(gateway, two)).status === 401, 'the subject is refused');
  });
});
