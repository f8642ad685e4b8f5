// SPDX-License-Identifier: MIT
// Tokens as an attacker makes them, byte for byte over the wire, with keys whose private halves we have: whatever is not
// exactly a token of ours is refused with 401 and a challenge, nothing of it reaches a service, nothing brings the
// gateway into trouble, and what is refused says nothing of why that would help.
import { constants, createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as jose from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from './support/gateway.mjs';
import { Issuer, claimsOf } from './support/issuer.mjs';
import { ask, connect, leaveAll, lines } from './support/raw.mjs';
import { startUpstream } from './support/upstream.mjs';

const now = () => Math.floor(Date.now() / 1000);
const base64url = (value) => Buffer.from(value).toString('base64url');
const json = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

// ---- keys, and tokens made of any text

const ours = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const theirs = { RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }), ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const kidOf = (algorithm) => `key-${algorithm}`;
const jwks = {
  keys: Object.entries(ours).map(([alg, { publicKey }]) => ({ ...publicKey.export({ format: 'jwk' }), alg, kid: kidOf(alg), use: 'sig' })),
};

const signatures = {
  RS256: (key, text) => sign('sha256', text, key),
  PS256: (key, text) => sign('sha256', text, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  ES256: (key, text) => sign('sha256', text, { key, dsaEncoding: 'ieee-p1363' }),
  'ES256 in DER': (key, text) => sign('sha256', text, { key, dsaEncoding: 'der' }),
  ES384: (key, text) => sign('sha384', text, { key, dsaEncoding: 'ieee-p1363' }),
  EdDSA: (key, text) => sign(null, text, key),
  HS256: (key, text) => createHmac('sha256', key).update(text).digest(),
  HS384: (key, text) => createHmac('sha384', key).update(text).digest(),
  HS512: (key, text) => createHmac('sha512', key).update(text).digest(),
};

/** A token of these texts (or values), signed so. `spell` writes a part in base64url. */
function forge({ alg = 'RS256', header = {}, claims = {}, payload = claimsOf(claims), by = alg, key = ours[by]?.privateKey, spell = base64url } = {}) {
  const head = typeof header === 'string' ? header : { alg, typ: 'JWT', kid: kidOf(alg), ...header };
  const text = `${spell(json(head))}.${spell(json(payload))}`;
  return `${text}.${spell(signatures[by](key, Buffer.from(text)))}`;
}

// ---- the scene: services that say what they are told, and must not be reached by what is refused

let behind, directory, gateway, byPem, bySecret;
const SECRET = randomBytes(32).toString('hex');

beforeAll(async () => {
  behind = await startUpstream((exchange) => exchange.json(exchange.headers.list));
  directory = mkdtempSync(join(tmpdir(), 'suoke-attacks-'));
  writeFileSync(join(directory, 'jwks.json'), JSON.stringify(jwks));
  writeFileSync(join(directory, 'rsa.pem'), ours.RS256.publicKey.export({ format: 'pem', type: 'spki' }));
  const start = (jwt) =>
    startGateway({
      auth: { jwt },
      services: { users: { endpoints: [{ host: '127.0.0.1', port: behind.port }] } },
      routes: [
        { prefix: '/users', service: 'users' },
        { prefix: '/anywhere', service: 'users', auth: { token_from: { cookie: 'access_token', query: 'token' } } },
      ],
    });
  [gateway, byPem, bySecret] = await Promise.all([
    start({ jwks_file: join(directory, 'jwks.json') }),
    start({ public_key_file: join(directory, 'rsa.pem') }),
    start({ secret_key: SECRET }),
  ]);
});
afterEach(() => {
  leaveAll();
  kept.clear();
  expect(behind.violations.splice(0)).toEqual([]);
  for (const one of [gateway, byPem, bySecret]) expect(one.alive, one.stderr).toBe(true);
});
afterAll(async () => {
  for (const one of [gateway, byPem, bySecret, behind]) await one?.stop();
  rmSync(directory, { recursive: true, force: true });
});

// On one connection to each gateway, for as long as it is kept.
const kept = new Map();
async function show(token, { at = gateway, path = '/users/7', ...headers } = {}) {
  const client = kept.get(at) ?? (await connect(at.port));
  kept.delete(at);
  await client.send(`GET ${path} HTTP/1.1\r\nHost: gateway.test\r\n${lines({ Authorization: `Bearer ${token}`, ...headers })}\r\n`);
  const answer = await client.response();
  if (answer.headers.get('connection') === 'close') client.leave();
  else kept.set(at, client);
  return answer;
}

/** What the service is told; the token must be accepted. */
async function told(token, options) {
  const answer = await show(token, options);
  expect(answer.status, `${token.slice(0, 200)}\n${answer.text}`).toBe(200);
  return JSON.parse(answer.text).map(([name, value]) => [name.toLowerCase(), value]);
}

async function refused(token, why, options) {
  const before = behind.requests.length;
  const answer = await show(token, options);
  expect([answer.status, answer.headers.get('www-authenticate')], `${why}: ${token.slice(0, 300)}`).toEqual([401, expect.stringMatching(/^Bearer realm="[^"]*", error="invalid_token"/)]);
  expect(['invalid_token', 'token_expired'], why).toContain(JSON.parse(answer.text).code);
  expect(behind.requests.length, `${why} reached the service`).toBe(before);
  return answer;
}

test('the tokens that all others here are changes of are good', async () => {
  for (const alg of ['RS256', 'ES256', 'ES384', 'EdDSA']) await told(forge({ alg }));
  await told(forge(), { at: byPem });
  await told(forge({ alg: 'HS256', key: SECRET }), { at: bySecret });
});

describe('the algorithm', () => {
  test('none, in all spellings, with and without a signature', async () => {
    const good = forge().split('.')[2];
    for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', ' none', 'none\0', 'no\u006ee', '', 'NULL', null, undefined, false, 0, [], ['none'], ['RS256'], {}])
      for (const signature of ['', good, base64url('x'), base64url('\0'.repeat(256))])
        for (const at of [gateway, byPem, bySecret])
          await refused(`${base64url(JSON.stringify({ alg, typ: 'JWT', kid: kidOf('RS256') }))}.${base64url(json(claimsOf()))}.${signature}`, `alg ${JSON.stringify(alg)}`, { at });
  }, 60_000);

  test('names that are nearly right', async () => {
    for (const alg of ['rs256', 'Rs256', 'RS256 ', ' RS256', 'RS256\n', 'RS256\0', 'RS-256', 'RS257', 'RS1', 'ES256K', 'HS256/RS256', 'RSA', 'sha256', 'dir', 'ＲＳ256'])
      await refused(forge({ header: { alg } }), alg);
  });

  test('the public key taken for a secret: as PEM, DER, JWK, and its numbers', async () => {
    const { publicKey } = ours.RS256;
    const pem = publicKey.export({ format: 'pem', type: 'spki' }), pkcs1 = publicKey.export({ format: 'pem', type: 'pkcs1' });
    const jwk = jwks.keys[0];
    const secrets = [
      pem, pem.trim(), pem.replaceAll('\n', '\r\n'), `${pem}\n`, pkcs1, pkcs1.trim(), pem.split('\n').slice(1, -2).join('\n'), pem.split('\n').slice(1, -2).join(''),
      publicKey.export({ format: 'der', type: 'spki' }), publicKey.export({ format: 'der', type: 'pkcs1' }),
      JSON.stringify(jwk), JSON.stringify(jwks), jwk.n, Buffer.from(jwk.n, 'base64url'), '', '\0',
    ];
    for (const key of secrets)
      for (const alg of ['HS256', 'HS384', 'HS512'])
        for (const kid of [kidOf('RS256'), undefined])
          for (const at of [gateway, byPem]) await refused(forge({ alg, key, header: { kid } }), `${alg} by a public key`, { at });
  }, 60_000);

  test('a signature of another algorithm by the right key, and by the right key of another kid', async () => {
    await refused(forge({ alg: 'RS256', by: 'PS256', key: ours.RS256.privateKey }), 'PS256 said to be RS256');
    await refused(forge({ alg: 'PS256', header: { kid: kidOf('RS256') }, key: ours.RS256.privateKey }), 'PS256 by a key that says it is for RS256');
    await refused(forge({ alg: 'ES256', by: 'RS256' }), 'RS256 said to be ES256');
    await refused(forge({ alg: 'RS256', by: 'ES256' }), 'ES256 said to be RS256');
    await refused(forge({ alg: 'ES384', by: 'ES256' }), 'the wrong curve, by its own algorithm');
    await refused(forge({ alg: 'ES256', by: 'ES384' }), 'the wrong curve, by the key of another');
    await refused(forge({ alg: 'ES256', key: secp256k1.privateKey }), 'a curve that nobody has a key of');
    for (const alg of Object.keys(ours))
      for (const other of Object.keys(ours))
        if (alg !== other) await refused(forge({ alg, header: { kid: kidOf(other) } }), `${alg} with the kid of ${other}`);
  });
});

describe('the header', () => {
  test('brings or points at a key of its own', async () => {
    const evil = theirs.RS256.publicKey.export({ format: 'jwk' });
    const trap = await startUpstream((exchange) => exchange.json({ keys: [{ ...evil, kid: 'evil', alg: 'RS256' }] }));
    try {
      const url = `http://127.0.0.1:${trap.port}/jwks`;
      const der = theirs.RS256.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
      const ways = [
        { jwk: evil }, { jwk: { ...evil, kid: kidOf('RS256') } }, { jku: url }, { x5u: url }, { x5c: [der] }, { jwk: evil, jku: url, x5u: url, x5c: [der], x5t: 'AA' },
        { jku: `${url}#@suoke.life` }, { jwk: { kty: 'oct', k: base64url('x'.repeat(32)) } },
      ];
      for (const way of ways)
        for (const kid of [kidOf('RS256'), 'evil', undefined]) await refused(forge({ header: { ...way, kid }, key: theirs.RS256.privateKey }), JSON.stringify(Object.keys(way)));
      expect(trap.connections).toEqual([]);
    } finally {
      await trap.stop();
    }
  });

  test('names its key by a path, a query, a number, or something very long', async () => {
    const kids = [
      '../../../../../../dev/null', '/dev/null', 'file:///etc/passwd', 'http://127.0.0.1:1/', "' OR '1'='1", "x' UNION SELECT 'secret' --", '$(id)', '`id`', '; id', '%00', '\0', '\r\nX: y',
      `${kidOf('RS256')}\0`, `${kidOf('RS256')} `, kidOf('RS256').toUpperCase(), '__proto__', '*', '{{7*7}}', '${jndi:ldap://127.0.0.1/a}', 'k'.repeat(256), 'k'.repeat(257), 'k'.repeat(3_000),
      0, 1, -1, true, null, [], [kidOf('RS256')], {}, { a: 1 },
    ];
    for (const kid of kids) await refused(forge({ header: { kid } }), `kid ${JSON.stringify(kid).slice(0, 60)}`);
    // A file that everybody knows, or nothing, as the secret.
    for (const key of ['', '\0', 'AA==']) await refused(forge({ alg: 'HS256', key, header: { kid: '/dev/null' } }), 'an empty secret');
  });

  test('asks for extensions, or for a payload that is not encoded', async () => {
    for (const crit of [['exp'], ['b64'], ['alg'], [], ['unknown'], 'exp', null, true]) await refused(forge({ header: { crit } }), `crit ${JSON.stringify(crit)}`);
    for (const b64 of [false, 'true', 0, null]) await refused(forge({ header: { b64 } }), `b64 ${JSON.stringify(b64)}`);
    await refused(forge({ header: { b64: false, crit: ['b64'] } }), 'b64 with crit');
    const head = base64url(JSON.stringify({ alg: 'RS256', kid: kidOf('RS256'), b64: false, crit: ['b64'] })), plain = '{"sub":"u-7"}';
    await refused(`${head}.${plain}.${base64url(signatures.RS256(ours.RS256.privateKey, `${head}.${plain}`))}`, 'a payload in the clear');
    await told(forge({ header: { b64: true } }));
  });

  test('says something twice, or the same in two spellings', async () => {
    const kid = kidOf('RS256');
    for (const header of [
      `{"alg":"none","alg":"RS256","kid":"${kid}"}`, `{"alg":"RS256","alg":"RS256","kid":"${kid}"}`, `{"alg":"RS256","kid":"x","kid":"${kid}"}`,
      `{"alg":"RS256","\\u0061lg":"none","kid":"${kid}"}`, `{"alg":"RS256","kid":"${kid}","typ":"JWT","typ":"at+jwt"}`,
    ])
      await refused(forge({ header }), header);
    for (const header of ['', ' ', 'null', '[]', '"RS256"', '7', '{', `{"alg":"RS256"}x`, `{"alg":"RS256",}`, `{'alg':'RS256'}`, `\uFEFF{"alg":"RS256"}`, `{"alg":"RS256"} // x`, '{"alg":"RS256\u0001"}'])
      await refused(forge({ header }), JSON.stringify(header));
  });

  test('is that of another kind of token', async () => {
    for (const typ of ['JWE', 'dpop+jwt', 'logout+jwt', 'id+jwt', 'application/secevent+jwt', 'JWT\0', 7, null, [], {}]) await refused(forge({ header: { typ } }), `typ ${JSON.stringify(typ)}`);
    for (const typ of ['jwt', 'at+jwt', 'application/at+jwt', undefined]) await told(forge({ header: { typ } }));
  });
});

describe('the signature', () => {
  test('of nothing (psychic), of zeros, of the order, in DER, and of another length', async () => {
    const order = Buffer.from('FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551', 'hex');
    const [head, body, good] = forge({ alg: 'ES256' }).split('.');
    const zeros = Buffer.alloc(32), one = Buffer.alloc(32, 0).fill(1, 31), raw = Buffer.from(good, 'base64url');
    const bad = [
      Buffer.concat([zeros, zeros]), Buffer.concat([one, zeros]), Buffer.concat([zeros, one]), Buffer.concat([order, order]), Buffer.concat([one, order]), Buffer.concat([order, one]),
      Buffer.concat([one, one]), Buffer.alloc(64, 0xff), Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(63), Buffer.alloc(65), raw.subarray(0, 63), raw.subarray(0, 32), Buffer.concat([raw, Buffer.from([0])]),
      Buffer.concat([Buffer.from([0]), raw]), Buffer.concat([raw.subarray(32), raw.subarray(0, 32)]), Buffer.from('3006020100020100', 'hex'), Buffer.from('30', 'hex'), Buffer.from('3080', 'hex'),
    ];
    for (const signature of bad) await refused(`${head}.${body}.${signature.toString('base64url')}`, signature.toString('hex'));
    for (let i = 0; i < 8; ++i) await refused(forge({ alg: 'ES256', by: 'ES256 in DER', key: ours.ES256.privateKey, claims: { jti: `${i}` } }), 'DER');
    for (const alg of ['RS256', 'ES384', 'EdDSA']) {
      const [otherHead, otherBody, its] = forge({ alg }).split('.');
      const size = Buffer.from(its, 'base64url').length;
      for (const signature of [Buffer.alloc(size), Buffer.alloc(size, 0xff), Buffer.alloc(size - 1), Buffer.alloc(size + 1), Buffer.alloc(1), Buffer.alloc(2_000)])
        await refused(`${otherHead}.${otherBody}.${signature.toString('base64url')}`, `${alg} ${signature.length}`);
    }
  });

  test('of another token, or of another key', async () => {
    const [head, , signature] = forge().split('.');
    await refused(`${head}.${base64url(json(claimsOf({ sub: 'root', roles: ['admin'] })))}.${signature}`, 'claims that were changed');
    const [otherHead] = forge({ header: { x: 1 } }).split('.');
    await refused(`${otherHead}.${forge().split('.')[1]}.${signature}`, 'a header that was changed');
    for (const alg of ['RS256', 'ES256']) await refused(forge({ alg, key: theirs[alg].privateKey }), `${alg} of a stranger`);
  });
});

describe('the text', () => {
  const spelt = (bytes) => base64url(bytes);

  test('base64url in other spellings of the same bytes', async () => {
    const padded = (value) => { const text = spelt(value); return text + '='.repeat((4 - (text.length % 4)) % 4); };
    const standard = (value) => spelt(value).replaceAll('-', '+').replaceAll('_', '/');
    const spaced = (value) => `${spelt(value).slice(0, 4)} ${spelt(value).slice(4)}`;
    // The last letter of a part that is not a multiple of three bytes carries bits that count for nothing.
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const trailing = (value) => {
      const text = spelt(value);
      return text.length % 4 === 0 ? text : text.slice(0, -1) + letters[letters.indexOf(text.at(-1)) + 1];
    };
    for (const spell of [padded, standard, spaced, trailing, (v) => `${spelt(v)}%3D`, (v) => `${spelt(v)}\0`, (v) => `${spelt(v)}!`])
      for (let i = 0; i < 4; ++i) {
        const token = forge({ claims: { sub: `u-${'x'.repeat(i)}??>>` }, spell });
        if (token.split('.').some((part) => part !== spelt(Buffer.from(part.replace(/[\0 !]|%3D/g, ''), 'base64url')))) await refused(token, spell.toString()).catch((error) => {
          // A NUL is no character of a field: the request is refused before anybody looks for a token.
          if (!token.includes('\0')) throw error;
        });
      }
  });

  test('other numbers of parts, and other things around it', async () => {
    const token = forge(), [head, body, signature] = token.split('.');
    for (const bad of [head, `${head}.${body}`, `${head}.${body}.`, `.${body}.${signature}`, `${head}..${signature}`, `${token}.`, `.${token}`, `${token}.${signature}`, `${token} ${token}`, `${token},`, `"${token}"`, `${token}\t`, '.', '..', '...', '....', 'x', 'null', 'undefined', '[object Object]'])
      if (bad.trim() !== token) await refused(bad, bad.slice(-20));
  });

  test('encrypted tokens, and tokens in tokens', async () => {
    const jwe = await new jose.EncryptJWT(claimsOf()).setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: kidOf('RS256') }).encrypt(ours.RS256.publicKey);
    await refused(jwe, 'JWE');
    await refused(await new jose.EncryptJWT(claimsOf()).setProtectedHeader({ alg: 'dir', enc: 'A128GCM' }).encrypt(randomBytes(16)), 'JWE, direct');
    await refused(forge({ header: { cty: 'JWT' }, payload: forge() }), 'nested');
    await refused(forge({ payload: JSON.stringify(forge()) }), 'nested, as a JSON text');
    await refused(JSON.stringify({ payload: base64url(json(claimsOf())), signatures: [] }), 'JSON serialization');
  });

  test('too long, too deep, too many', async () => {
    const deep = (levels) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    await refused(forge({ header: deep(1_000) }), 'a deep header');
    await refused(forge({ payload: `{"sub":"x","exp":${now() + 60},"a":${deep(600)}}` }), 'deep claims');
    await refused(forge({ payload: `{"sub":"x","exp":${now() + 60},"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}` }), 'deep lists');
    await refused(forge({ claims: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`c${i}`, i])) }), 'many claims');
    await refused(forge({ claims: { a: Array(1_200).fill(0) } }), 'many values');
    await refused(forge({ header: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`h${i}`, i])) }), 'a header of many members');
    await refused(forge({ claims: { big: 'x'.repeat(6_500) } }), 'more than 8 KiB');
    for (const size of [9_000, 20_000, 60_000, 200_000]) {
      const { status } = await show('a'.repeat(size)).catch(() => ({ status: 431 })); // cut while it was sending
      expect([400, 401, 431], `${size} bytes`).toContain(status);
    }
    await told(forge({ claims: { big: 'x'.repeat(4_000) } }));
  });
});

describe('the claims', () => {
  test('said twice, or no JSON', async () => {
    const rest = `"iss":"suoke-auth-service","aud":"suoke-life","exp":${now() + 60}`;
    for (const payload of [`{"sub":"u-7","sub":"root",${rest}}`, `{"sub":"u-7","\\u0073ub":"root",${rest}}`, `{"sub":"u-7",${rest},"exp":9999999999}`, `{"sub":"u-7",${rest},"a":{"b":1,"b":2}}`, `{"sub":"u-7",${rest}`, `[{"sub":"u-7",${rest}}]`,
      '', 'null', '7', '"x"', `{"sub":"u-7",${rest}}{}`, `{"sub":"u-7",${rest},"a":NaN}`, `{"sub":"u-7",${rest},"a":01}`, `{"sub":"u-7",${rest},"a":"\\ud800"}`, `\uFEFF{"sub":"u-7",${rest}}`])
      await refused(forge({ payload }), payload);
    const latin1 = Buffer.from(`{"sub":"u-\xE9",${rest}}`, 'latin1');
    const text = `${base64url(JSON.stringify({ alg: 'RS256', kid: kidOf('RS256') }))}.${base64url(latin1)}`;
    await refused(`${text}.${base64url(signatures.RS256(ours.RS256.privateKey, text))}`, 'no UTF-8');
  });

  test('dates: text, fractions, negative, huge, and other types', async () => {
    const t = now();
    for (const exp of [`${t + 60}`, 'never', '', null, true, false, [t + 60], {}, -1, 0, 1, t - 31, t - 3_600, -9e15]) await refused(forge({ claims: { exp } }), `exp ${JSON.stringify(exp)}`);
    const raw = (date) => forge({ payload: `{"iss":"suoke-auth-service","aud":"suoke-life","sub":"u-7",${date}}` });
    for (const exp of ['1e308', '1e999', '-1e999', '99999999999999999999999', '9223372036854775807', '1e400', '0x7fffffff', '+99', 'Infinity']) await refused(raw(`"exp":${exp}`), `exp ${exp}`);
    await refused(raw(`"iat":${t}`), 'no exp at all');
    await told(raw(`"exp":${t + 60}.5`));
    await told(raw(`"exp":${t / 1e9 + 1}e9`));
    await told(forge({ claims: { exp: t - 20 } }));   // within the leeway of 30 seconds
    for (const name of ['nbf', 'iat']) {
      await told(forge({ claims: { [name]: t + 20 } }));
      for (const date of [t + 60, t + 1e8, `${t}`, null, true, [t], {}]) await refused(forge({ claims: { [name]: date } }), `${name} ${JSON.stringify(date)}`);
    }
  });

  test('for whom and by whom, in all types', async () => {
    await told(forge({ claims: { aud: ['others', 'suoke-life'] } }));
    for (const aud of ['others', 'suoke-life ', 'SUOKE-LIFE', 'suoke-life,others', '', [], ['others'], [['suoke-life']], ['suoke-life', 7], 7, null, true, {}, { 0: 'suoke-life' }]) await refused(forge({ claims: { aud } }), `aud ${JSON.stringify(aud)}`);
    for (const iss of ['others', 'suoke-auth-service/', 'suoke-auth-service\0', '', [], ['suoke-auth-service'], 7, null, true, {}]) await refused(forge({ claims: { iss } }), `iss ${JSON.stringify(iss)}`);
    for (const sub of ['', ' ', ' u-7', 'u-7 ', null, true, 7.5, [], ['u-7'], {}, 'u\0', 'u\n', '\u0001', '\u007f', '\tu']) await refused(forge({ claims: { sub } }), `sub ${JSON.stringify(sub)}`);
    for (const use of [{ type: 'refresh' }, { token_type: 'refresh' }, { token_use: 'id' }, { typ: 'Refresh' }, { typ: 'ID' }, { type: ['access'] }, { type: null }]) await refused(forge({ claims: use }), JSON.stringify(use));
  });

  test('what would be a line, a list or a byte of its own in the fields the service believes', async () => {
    const fields = async (claims) => (await told(forge({ claims }))).filter(([name]) => /^x-(user|auth|gateway-user|evil)/.test(name));
    const valueOf = async (claims, name) => (await fields(claims)).filter(([n]) => n === name).map(([, value]) => value);
    expect(await valueOf({ sub: 7 }, 'x-user-id')).toEqual(['7']);
    expect(await valueOf({ sub: '李伟' }, 'x-user-id')).toEqual(['%E6%9D%8E%E4%BC%9F']);
    expect(await valueOf({ sub: 'a%0d%0aX-Evil: 1' }, 'x-user-id')).toEqual(['a%250d%250aX-Evil: 1']);
    expect(await valueOf({ sub: 'a\u2028b\u00a0c\u0085d' }, 'x-user-id')).toEqual(['a%E2%80%A8b%C2%A0c%C2%85d']);
    expect(await valueOf({ sub: 'ａｄｍｉｎ' }, 'x-user-id')).not.toEqual(['admin']);
    expect(await valueOf({ roles: ['user\r\nX-User-Roles: admin', 'x\0y', 'a,admin', 'b admin', '', 7, null, ['admin'], { admin: 1 }, 'doctor'] }, 'x-user-roles')).toEqual(['a%2Cadmin,b%20admin,doctor']);
    expect(await valueOf({ roles: { admin: true } }, 'x-user-roles')).toEqual([]);
    expect(await valueOf({ roles: 'a\nadmin' }, 'x-user-roles')).toEqual([]);
    expect(await valueOf({ scope: 'read  write\r\nX-Evil:1 admin' }, 'x-user-scopes')).not.toContainEqual(expect.stringMatching(/[\r\n]/));
    expect(await valueOf({ name: 'Li\r\nX-Evil: 1' }, 'x-user-name')).toEqual([]);
    expect(await valueOf({ name: 'x'.repeat(4_500) }, 'x-user-name')).toEqual([]);
    expect(await valueOf({ user_type: 'admin\r\n' }, 'x-user-type')).toEqual(['authenticated']);
    expect(await valueOf({ user_type: ['admin'] }, 'x-user-type')).toEqual(['authenticated']);
    for (const claims of [{ name: 'a\r\nX-Evil: 1' }, { roles: ['a\r\nX-Evil: 1'] }, { scope: 'a\r\nX-Evil:1' }, { jti: 'a\r\nX-Evil: 1' }]) expect((await fields(claims)).filter(([name]) => name === 'x-evil')).toEqual([]);
  });

  test('names and identities that the client adds beside its token', async () => {
    const forged = {
      'X-User-ID': 'root', 'X-USER-ROLES': 'admin', 'x_user_id': 'root', 'X-User_Type': 'admin', 'X-Auth-Method': 'certificate', 'X-Gateway-User': 'root', 'X-Consumer-Username': 'root', 'X-Client-Cert-Subject': 'CN=root', 'X-User-Whatever': '1',
    };
    const seen = await told(forge({ claims: { sub: 'u-7' } }), forged);
    expect(seen.filter(([, value]) => /root|certificate|^1$/.test(value) || value === 'admin')).toEqual([]);
    expect(seen.filter(([name]) => name.replaceAll('_', '-') === 'x-user-id')).toEqual([['x-user-id', 'u-7']]);
  });
});

describe('where it stands', () => {
  const at = (path, headers) => ask(gateway.port, `GET ${path} HTTP/1.1\r\nHost: gateway.test\r\n${headers}\r\n`);

  test('the scheme in any case, behind one or more blanks and nothing else', async () => {
    const token = forge();
    for (const line of [`bearer ${token}`, `BEARER ${token}`, `bEaReR ${token}`, `Bearer   ${token}`]) expect((await at('/users/7', `Authorization: ${line}\r\n`)).status, line.slice(0, 12)).toBe(200);
    for (const line of [`Bearer\t${token}`, `Bearer \t${token}`, `Bearer${token}`, `Bearer:${token}`, `Bearer=${token}`, `Bearer token=${token}`, token, `Token ${token}`, `JWT ${token}`, `DPoP ${token}`, `Basic ${token}`, `Bearer`, 'Bearer ', `Bearer Bearer ${token}`, `Bearer ${token}, Bearer ${token}`, `Bearer\xa0${token}`]) {
      const answer = await at('/users/7', `Authorization: ${line}\r\n`);
      expect([answer.status, answer.headers.get('www-authenticate')], line.slice(0, 16)).toEqual([401, expect.stringMatching(/^Bearer/)]);
    }
  });

  test('a token in two places, the same or others', async () => {
    const token = forge(), other = forge({ claims: { sub: 'root' } });
    const twice = (a, b) => `Authorization: Bearer ${a}\r\nAuthorization: Bearer ${b}\r\n`;
    for (const [path, headers] of [
      ['/users/7', twice(token, other)], ['/users/7', twice(token, 'x')], ['/users/7', twice('x', token)],
      ['/anywhere/7', `Authorization: Bearer ${token}\r\nCookie: access_token=${other}\r\n`], [`/anywhere/7?token=${other}`, `Authorization: Bearer ${token}\r\n`],
      [`/anywhere/7?token=${token}&token=${other}`, ''], [`/anywhere/7?token=${token}`, `Cookie: access_token=${other}\r\n`], ['/anywhere/7', `Cookie: access_token=${token}; access_token=${other}\r\n`],
      [`/anywhere/7?token=x`, `Authorization: Bearer ${token}\r\n`],
    ]) {
      const { status } = await at(path, headers);
      expect([400, 401], `${path.slice(0, 30)} ${headers.slice(0, 30)}`).toContain(status);
    }
    const answer = await at(`/anywhere/7?token=${token}&x=1`, `Cookie: a=b; access_token=${token}\r\n`);
    expect(answer.status).toBe(200);
    expect(behind.last.target).toBe('/7?x=1');
    // Where a route does not look, a token opens nothing.
    for (const [path, headers] of [[`/users/7?token=${token}`, ''], [`/users/7?access_token=${token}`, ''], ['/users/7', `Cookie: access_token=${token}\r\n`], ['/users/7', `X-Authorization: Bearer ${token}\r\n`], ['/users/7', `Proxy-Authorization: Bearer ${token}\r\n`]])
      expect((await at(path, headers)).status, path.slice(0, 20)).toBe(401);
  });
});

describe('what a refusal tells', () => {
  const plain = ({ status, headers, text }) => {
    const body = JSON.parse(text);
    for (const name of ['request_id', 'requestId', 'timestamp', 'trace_id']) delete body[name];
    return { status, challenge: headers.get('www-authenticate'), body, fields: headers.list.map(([name]) => name.toLowerCase()).sort() };
  };

  test('a key that does not exist, one that does, and a wrong signature are all the same', async () => {
    const known = plain(await refused(forge({ key: theirs.RS256.privateKey }), 'a known key'));
    for (const header of [{ kid: 'nobody' }, { kid: undefined }, { kid: '' }, { kid: kidOf('ES256') }]) expect(plain(await refused(forge({ key: theirs.RS256.privateKey, header }), JSON.stringify(header))), JSON.stringify(header)).toEqual(known);
    for (const alg of ['ES256', 'HS256']) expect(plain(await refused(forge({ alg, key: theirs[alg]?.privateKey ?? 'x'.repeat(32) }), alg))).toEqual(known);
    expect(plain(await refused(forge({ claims: { exp: 1 }, key: theirs.RS256.privateKey }), 'expired, and not ours'))).toEqual(known);
    expect(plain(await refused(forge({ header: { alg: 'none' } }), 'none'))).toEqual(known);
  });

  test('with an issuer that is asked: neither the answer nor the questions grow with what strangers invent', async () => {
    const issuer = await Issuer.start(['RS256']);
    const asking = await startGateway({
      auth: { jwt: { jwks_url: issuer.jwksUrl, issuers: [issuer.url] } },
      services: { users: { endpoints: [{ host: '127.0.0.1', port: behind.port }] } },
      routes: [{ prefix: '/users', service: 'users' }],
    });
    try {
      await told(await issuer.token('RS256'), { at: asking });
      const [head, body] = (await issuer.token('RS256')).split('.');
      const wrong = plain(await refused(`${head}.${body}.${base64url(randomBytes(256))}`, 'a wrong signature', { at: asking }));
      const before = issuer.fetches, began = Date.now();
      for (let i = 0; i < 40; ++i) expect(plain(await refused(await issuer.token('RS256', {}, { kid: `invented-${i}` }), 'an invented key', { at: asking }))).toEqual(wrong);
      expect(issuer.fetches - before).toBeLessThanOrEqual(1 + Math.floor((Date.now() - began) / 10_000));
    } finally {
      await asking.stop();
      await issuer.stop();
    }
  }, 60_000);
});

// ---- the same tokens, judged by another implementation

// A small generator of numbers, so that a failure can be run again.
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

// What is changed, and where we differ from jose on purpose: why we are the stricter one, or once the more lenient.
const CHANGES = {
  nothing: () => ({}),
  'another algorithm in the header': (pick) => ({ header: { alg: pick(['PS256', 'RS384', 'ES256', 'HS256', 'none', 'ES384', 'EdDSA']) } }),
  'another kid': (pick) => ({ header: { kid: pick(['nobody', kidOf('ES384'), kidOf('RS256')]) } }),
  'an empty kid': () => ({ header: { kid: '' }, lenient: 'it names no key, as if there were none; the algorithm\'s are tried' }),
  'a header that says more': (pick) => ({ header: pick([{ x: 1 }, { cty: 'json' }, { jku: 'http://127.0.0.1/' }, { x5t: 'AA' }]) }),
  'a stranger\'s key': () => ({ stranger: true }),
  'an expiry': (pick) => ({ claims: { exp: pick([now() - 3_600, now() - 31, now() - 5, now() + 5, now() + 1e6, undefined, 'x', null]) } }),
  'a beginning': (pick) => ({ claims: { nbf: pick([now() - 60, now() + 5, now() + 3_600, 'x', null]) } }),
  'an audience': (pick) => ({ claims: { aud: pick(['suoke-life', 'others', ['a', 'suoke-life'], ['a'], [], undefined]) } }),
  'an issuer': (pick) => ({ claims: { iss: pick(['suoke-auth-service', 'others', undefined]) } }),
  'claims of all kinds': (pick) => ({ claims: { extra: pick([1, 'x', null, [1, 2], { a: { b: 1 } }, 'ü', true]), roles: pick([['a'], 'a', 7, null]) } }),
  'no subject': () => ({ claims: { sub: undefined } }),
  crit: (pick) => ({ header: { crit: pick([['x'], []]) } }),
  'the wrong bytes': (pick, random) => ({ flip: random }),
  'a subject that is no text': (pick) => ({ claims: { sub: pick(['', ' u', true, []]) }, stricter: 'who asks must be sound in a field of a request' }),
  'issued in the future': () => ({ claims: { iat: now() + 3_600 }, stricter: 'jose looks at iat only with maxTokenAge' }),
  'a refresh token': () => ({ claims: { type: 'refresh' }, stricter: 'it is no access token; jose knows no such claim' }),
  'another kind of token': () => ({ header: { typ: 'logout+jwt' }, stricter: 'jose compares typ only when told to' }),
  'a member twice': () => ({ twice: true, stricter: 'RFC 7519 §4 lets either be done; JSON.parse takes the last' }),
  'padding': () => ({ spell: (value) => { const text = base64url(value); return text + '='.repeat((4 - (text.length % 4)) % 4); }, stricter: 'RFC 7515 §2 has no padding' }),
};

function changed(alg, change) {
  const key = (change.stranger && theirs[alg]?.privateKey) || ours[alg].privateKey;
  const payload = change.twice ? json(claimsOf(change.claims)).replace('"sub":"u-7"', '"sub":"a","sub":"u-7"') : claimsOf(change.claims);
  const token = forge({ alg, by: alg, key, payload, header: change.header, spell: change.spell });
  if (!change.flip) return token;
  const at = change.flip(token.length), letters = 'ABCxyz019-_.';
  return token.slice(0, at) + letters[change.flip(letters.length)] + token.slice(at + 1);
}

describe('another implementation', () => {
  test('takes and refuses what we take and refuse, but for the differences that are meant', async () => {
    const keys = jose.createLocalJWKSet(jwks);
    const options = { issuer: 'suoke-auth-service', audience: 'suoke-life', clockTolerance: 30, requiredClaims: ['exp', 'sub'] };
    const random = numbers(20_260_101), pick = (list) => list[random(list.length)];
    const counts = { both: 0, neither: 0, otherwise: 0 };
    for (let i = 0; i < 400; ++i) {
      const name = pick(Object.keys(CHANGES)), alg = pick(Object.keys(ours)), change = CHANGES[name](pick, random);
      // With neither issuer nor audience configured we compare them when they are there; jose wants them to be.
      if (change.claims && ('iss' in change.claims || 'aud' in change.claims) && Object.values(change.claims).includes(undefined)) continue;
      const token = changed(alg, change);
      const spelling = token.split('.').every((part) => base64url(Buffer.from(part, 'base64url')) === part);
      const verdict = await jose.jwtVerify(token, keys, options).then(() => 200, () => 401);
      const answer = await show(token);
      const label = `${i}: ${name}, ${alg}, jose says ${verdict}: ${token}`;
      if (answer.status === verdict) ++counts[verdict === 200 ? 'both' : 'neither'];
      else ++counts.otherwise;
      if (change.lenient) expect(answer.status, label).toBe(200);
      else if (change.stricter || !spelling) expect(answer.status, label).toBe(401);
      else expect(answer.status, label).toBe(verdict);
      if (answer.status !== 200) expect(answer.headers.get('www-authenticate'), label).toMatch(/^Bearer/);
    }
    // All three kinds came by, or this compares nothing.
    expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(20);
  }, 120_000);
});
