// SPDX-License-Identifier: MIT
// Tokens of a real OpenID provider: what it signs is believed, while it changes its keys and while it is away; about
// what it does not sign it is asked (RFC 7662).
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startGateway } from './support/gateway.mjs';
import { API, DEVICES, ELSEWHERE, IdentityProvider, OPAQUE } from './support/identity_provider.mjs';
import { startUpstream } from './support/upstream.mjs';
import { sleep, until } from './support/wait.mjs';

let behind, idp, stranger, running = []; // `stranger` is another provider of the same make

beforeAll(async () => {
  behind = await startUpstream((exchange) =>
    exchange.json(Object.fromEntries(exchange.headers.list.map(([name, value]) => [name.toLowerCase(), value]))));
  [idp, stranger] = [await IdentityProvider.start(), await IdentityProvider.start()];
});
beforeEach(() => {
  idp.lifetime = 600;
  idp.asked.length = 0;
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await idp.recover();
  expect(behind.violations.splice(0)).toEqual([]);
});
afterAll(async () => {
  for (const one of [behind, idp, stranger]) await one?.stop();
});

async function gatewayWith(auth = {}, { workers = 1, jwt = {} } = {}) {
  const gateway = await startGateway({
    server: { workers },
    auth: { jwt: { jwks_url: idp.jwksUrl, issuers: [idp.url], audiences: [API, DEVICES], ...jwt }, ...auth },
    services: { users: behind.service },
    routes: [
      { prefix: '/users/write', service: 'users', auth: { scopes: ['read', 'write'] } },
      { prefix: '/users/doctors', service: 'users', auth: { roles: ['doctor'] } },
      { prefix: '/users', service: 'users' },
    ],
  });
  running.push(gateway);
  return gateway;
}

async function ask(gateway, token, path = '/users/7') {
  const answer = await fetch(gateway.url + path, { headers: token ? { authorization: `Bearer ${token}` } : {} });
  return { status: answer.status, headers: answer.headers, json: await answer.json() };
}
const statusOf = async (...question) => (await ask(...question)).status;
const all = (count, make) => Promise.all(Array.from({ length: count }, (_, i) => make(i)));
const fetches = () => idp.times('/jwks');
const questions = () => idp.times('/token/introspection');

// ---- who gets in

describe('what the provider signs', () => {
  test('RS256 and ES256 open the door for a machine, which is named to the service', async () => {
    const gateway = await gatewayWith();
    for (const resource of [API, DEVICES]) {
      const { status, json } = await ask(gateway, await idp.token(resource, 'read write'));
      expect(status, resource).toBe(200);
      expect(json).toMatchObject({ 'x-user-id': 'batch', 'x-user-scopes': 'read write', 'x-auth-method': 'jwt' });
    }
    expect(fetches()).toBe(1);
  });

  test('somebody who has signed in is named with name and roles', async () => {
    const gateway = await gatewayWith();
    const { status, json } = await ask(gateway, (await idp.signIn('alice')).access_token, '/users/doctors/7');
    expect(status).toBe(200);
    expect(json).toMatchObject({ 'x-user-id': 'alice', 'x-user-name': 'Alice Wang', 'x-user-roles': 'doctor' });
    expect(await statusOf(gateway, (await idp.signIn('bob', DEVICES)).access_token, '/users/doctors/7')).toBe(403);
  });

  test('a route gets the scopes that it wants, or says which it misses', async () => {
    const gateway = await gatewayWith();
    expect(await statusOf(gateway, await idp.token(API, 'write read'), '/users/write')).toBe(200);
    const { status, headers } = await ask(gateway, await idp.token(API, 'read'), '/users/write');
    expect(status).toBe(403);
    expect(headers.get('www-authenticate')).toMatch(/error="insufficient_scope".*scope="read write"/);
  });

  test('what is for somebody else, or of somebody else, opens nothing', async () => {
    const gateway = await gatewayWith();
    const { kid } = idp.keys[0];
    const wrong = {
      'for another audience': await idp.token(ELSEWHERE),
      'an ID token': (await idp.signIn('alice')).id_token,
      'of another provider': await stranger.token(),
      'of another provider that says it is this one': await stranger.forge({ iss: idp.url }),
      'of another key under the name of a known one': await idp.forge({}, { key: stranger.keys[0], kid }),
      'of this provider, which says it is another one': await idp.forge({ iss: stranger.url }),
      'for nobody': await idp.forge({ aud: undefined }),
      'of no issuer': await idp.forge({ iss: undefined }),
      'for one that is only called alike': await idp.forge({ aud: `${API}/` }),
    };
    for (const [why, token] of Object.entries(wrong)) expect(await ask(gateway, token), why).toMatchObject({ status: 401, json: { code: 'invalid_token' } });
    expect(await statusOf(gateway, await idp.forge({ aud: [ELSEWHERE, API] }))).toBe(200);
  });

  test('opens nothing any more when it has expired', async () => {
    const gateway = await gatewayWith({}, { jwt: { leeway: '0s' } });
    expect(await statusOf(gateway, await idp.token())).toBe(200); // the keys are there
    idp.lifetime = 4;
    const token = await idp.token();
    expect(await statusOf(gateway, token)).toBe(200);
    await until(async () => (await statusOf(gateway, token)) !== 200, 'it expires', 15_000);
    expect((await ask(gateway, token)).json.code).toBe('token_expired');
  });

  test('two providers at once: each speaks for its own tokens', async () => {
    const gateway = await gatewayWith({
      providers: { partner: { jwks_url: stranger.jwksUrl, issuers: [stranger.url], audiences: [ELSEWHERE] } },
    });
    expect(await statusOf(gateway, await idp.token(API))).toBe(200);
    expect(await statusOf(gateway, await stranger.token(ELSEWHERE))).toBe(200);
    expect(await statusOf(gateway, await stranger.token(API))).toBe(401);
    expect(await statusOf(gateway, await idp.token(ELSEWHERE))).toBe(401);
    expect(await statusOf(gateway, await stranger.forge({ iss: idp.url }))).toBe(401);
  });
});

// ---- other keys

describe('keys change', () => {
  test('the new one is asked for once, the old one is good while it is published', async () => {
    const gateway = await gatewayWith({}, { workers: 2 });
    const [seen, unseen] = [await idp.token(), await idp.token()];
    await until(async () => (await statusOf(gateway, seen)) === 200, 'the keys come');
    expect(fetches()).toBe(1);

    await idp.rotate();
    const fresh = await all(20, (i) => idp.token(i % 2 ? API : DEVICES));
    let letGo;
    idp.hold = new Promise((resolve) => (letGo = resolve)); // so that they all wait for the same answer
    const answers = fresh.map((token) => statusOf(gateway, token));
    await until(() => fetches() === 2, 'the keys are asked for');
    await sleep(100); // the others arrive meanwhile
    letGo();
    idp.hold = null;
    expect(await Promise.all(answers)).toEqual(Array(20).fill(200));
    expect(fetches()).toBe(2);
    expect(await all(2, (i) => statusOf(gateway, [seen, unseen][i]))).toEqual([200, 200]);

    await idp.rotate({ forget: true });
    expect(await statusOf(gateway, await idp.token())).toBe(200);
    expect(fetches()).toBe(3);
    // Also those that were good before, and are remembered as such.
    for (const token of [seen, unseen, fresh[0], fresh[1]])
      await until(async () => (await statusOf(gateway, token)) === 401, 'the old keys are forgotten by every worker');
  }, 90_000);

  test('a flood of keys that nobody has is no flood for the provider, and a new key is found afterwards', async () => {
    const gateway = await gatewayWith({}, { workers: 2 });
    const good = await idp.token();
    expect(await statusOf(gateway, good)).toBe(200);
    const began = Date.now();
    for (let round = 0; round < 4; ++round) {
      const flood = await all(30, () => idp.forge({}, { key: idp.keys[1], kid: randomBytes(6).toString('hex') }));
      const [answers, other] = await Promise.all([Promise.all(flood.map((token) => statusOf(gateway, token))), statusOf(gateway, good)]);
      expect(answers).toEqual(Array(30).fill(401));
      expect(other).toBe(200);
    }
    // The first one, one for the flood, and another one every ten seconds.
    expect(fetches()).toBeLessThanOrEqual(2 + Math.floor((Date.now() - began) / 10_000));
    await idp.rotate();
    const fresh = await idp.token();
    await until(async () => (await statusOf(gateway, fresh)) === 200, 'the new key is found', 15_000);
  }, 60_000);
});

// ---- it is away

describe('the provider is away', () => {
  test('and its keys are used on, for tokens that were seen and for others', async () => {
    const gateway = await gatewayWith({}, { jwt: { jwks_refresh: '10s' } });
    const [seen, unseen] = [await idp.token(), await idp.token(DEVICES)];
    expect(await statusOf(gateway, seen)).toBe(200);
    await idp.goAway();
    await until(() => gateway.logged('keys.unreachable'), 'it is missed', 15_000);
    expect(await all(2, (i) => statusOf(gateway, [seen, unseen][i]))).toEqual([200, 200]);
    expect(await statusOf(gateway, await idp.forge({}, { key: stranger.keys[0] }))).toBe(401);
    await idp.comeBack();
    await idp.rotate();
    const fresh = await idp.token();
    await until(async () => (await statusOf(gateway, fresh)) === 200, 'a key that came meanwhile', 20_000);
  }, 60_000);

  test('for longer than its keys are believed: that is no fault of the client', async () => {
    const gateway = await gatewayWith({}, { jwt: { jwks_refresh: '10s', jwks_max_age: '12s' } });
    const token = await idp.token();
    expect(await statusOf(gateway, token)).toBe(200);
    await idp.goAway();
    await until(async () => (await statusOf(gateway, await idp.forge())) !== 200, 'the keys are too old', 20_000);
    expect(await ask(gateway, await idp.forge())).toMatchObject({ status: 503, json: { code: 'keys_unavailable' } });
    await until(() => gateway.logged('keys.stale'), 'the log says so');
    await idp.comeBack();
    await until(async () => (await statusOf(gateway, await idp.forge())) === 200, 'it is back', 20_000);
  }, 90_000);

  const WAYS = {
    'nobody listens': (idp) => idp.goAway(),
    'it says nothing': (idp) => void (idp.hold = new Promise(() => {})),
    'it says 500': (idp) => void (idp.instead = (_, response) => response.writeHead(500).end('{"keys":[]}')),
    'it says something else': (idp) => void (idp.instead = (_, response) => response.writeHead(200).end('<h1>Maintenance</h1>')),
    'it says where else to ask': (idp) => void (idp.instead = (_, response) => response.writeHead(302, { location: '/keys' }).end()),
  };
  test.each(Object.entries(WAYS))('from the start (%s): 503, and 200 as soon as it is there', async (_, leave) => {
    const tokens = [await idp.token(), await idp.token(DEVICES)];
    await leave(idp);
    const gateway = await gatewayWith();
    for (const token of tokens) {
      const { status, headers, json } = await ask(gateway, token);
      expect([status, json.code]).toEqual([503, 'keys_unavailable']);
      expect(headers.get('www-authenticate')).toBe(null);
    }
    expect(await ask(gateway)).toMatchObject({ status: 401, json: { code: 'missing_token' } });
    expect(await statusOf(gateway, 'no token')).toBe(401);
    await idp.recover();
    await until(async () => (await statusOf(gateway, tokens[0])) === 200, 'the keys come', 20_000);
    expect(await statusOf(gateway, tokens[1])).toBe(200);
    await until(() => gateway.logged('keys.loaded'), 'the log says so');
  }, 60_000);
});

// ---- tokens that say nothing

describe('opaque tokens', () => {
  const asking = (more = {}) => ({ methods: ['jwt', 'introspection'], introspection: { ...idp.introspection, ...more } });

  test('are asked about once, and whose they are is told to the service', async () => {
    const gateway = await gatewayWith(asking());
    const alice = (await idp.signIn('alice', OPAQUE)).access_token;
    expect(await ask(gateway, alice, '/users/doctors')).toMatchObject({
      status: 200, json: { 'x-user-id': 'alice', 'x-user-name': 'Alice Wang', 'x-user-roles': 'doctor', 'x-auth-method': 'introspection' },
    });
    for (let i = 0; i < 20; ++i) expect(await statusOf(gateway, alice)).toBe(200);
    expect(questions()).toBe(1);
    const machine = await idp.token(OPAQUE, 'read write');
    expect(await ask(gateway, machine, '/users/write')).toMatchObject({ status: 200, json: { 'x-user-id': 'batch', 'x-user-scopes': 'read write' } });
    expect(await statusOf(gateway, machine, '/users/doctors')).toBe(403);
    expect(questions()).toBe(2);
  });

  test('that are revoked at the provider are good for as long as a yes counts, and no longer', async () => {
    const gateway = await gatewayWith(asking({ cache: '2s' }));
    const token = await idp.token(OPAQUE);
    expect(await statusOf(gateway, token)).toBe(200);
    const said = Date.now(); // or sooner
    await idp.revoke(token);
    let asked, good; // when the last one was asked for that was let in
    await until(async () => {
      asked = Date.now();
      if ((await statusOf(gateway, token)) === 401) return true;
      good = asked;
      return false;
    }, 'the revocation counts', 15_000);
    expect((good ?? said) - said).toBeLessThanOrEqual(2_020);
    expect((await ask(gateway, token)).json.code).toBe('invalid_token');
  });

  test('without a cache are asked about each time', async () => {
    const gateway = await gatewayWith(asking({ cache: '0s' }));
    const token = await idp.token(OPAQUE);
    for (let i = 0; i < 3; ++i) expect(await statusOf(gateway, token)).toBe(200);
    expect(questions()).toBe(3);
    await idp.revoke(token);
    expect(await statusOf(gateway, token)).toBe(401);
  });

  test('that expire are good no longer, however long a yes would count', async () => {
    const gateway = await gatewayWith(asking({ cache: '10m' }));
    idp.lifetime = 4;
    const token = await idp.token(OPAQUE);
    expect(await statusOf(gateway, token)).toBe(200);
    await until(async () => (await statusOf(gateway, token)) === 401, 'it expires', 15_000);
    expect(questions()).toBeLessThanOrEqual(3);
  });

  test('that nobody made are refused; the provider\'s own JWTs are not asked about, a stranger\'s are', async () => {
    const gateway = await gatewayWith(asking());
    expect(await ask(gateway, randomBytes(32).toString('base64url'))).toMatchObject({ status: 401, json: { code: 'invalid_token' } });
    expect(questions()).toBe(1);
    expect(await statusOf(gateway, await idp.token())).toBe(200);
    expect(await statusOf(gateway, await idp.token(ELSEWHERE))).toBe(401);
    expect(questions()).toBe(1);
  });

  test('while the provider is away: what it said counts, for others it is 503, and then 200', async () => {
    const gateway = await gatewayWith(asking());
    const [seen, unseen] = [await idp.token(OPAQUE), await idp.token(OPAQUE)];
    expect(await statusOf(gateway, seen)).toBe(200);
    await idp.goAway();
    expect(await statusOf(gateway, seen)).toBe(200);
    expect(await ask(gateway, unseen)).toMatchObject({ status: 503, json: { code: 'keys_unavailable' } });
    await idp.comeBack();
    expect(await statusOf(gateway, unseen)).toBe(200);
  });

  test('a gateway that the provider does not know, or gets no answer from, cannot judge', async () => {
    const gateway = await gatewayWith(asking({ client_secret: 'wrong' }));
    expect(await statusOf(gateway, await idp.token(OPAQUE))).toBe(503);
    const other = await gatewayWith(asking({ timeout: '300ms' }));
    const token = await idp.token(OPAQUE);
    idp.hold = new Promise(() => {});
    expect(await statusOf(other, token)).toBe(503);
    await idp.recover();
    expect(await statusOf(other, token)).toBe(200);
  });
});
