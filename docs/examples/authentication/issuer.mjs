// SPDX-License-Identifier: MIT
// An identity provider, made small: it publishes its key at /jwks, and signs at /token whatever it is asked to.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import http from 'node:http';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'first', alg: 'ES256', use: 'sig' }] };
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(claims) {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: 'http://127.0.0.1:9002', aud: 'suoke-life', iat: now, exp: now + 600, jti: randomUUID(), ...claims };
  const signed = `${part({ alg: 'ES256', kid: 'first', typ: 'at+jwt' })}.${part(all)}`;
  return `${signed}.${sign('sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

http.createServer((request, response) => {
  const { pathname, searchParams: asked } = new URL(request.url, 'http://127.0.0.1:9002');
  if (pathname === '/jwks') return response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks));
  response.end(token({ sub: asked.get('sub') ?? 'alice', roles: asked.getAll('role'), scope: asked.get('scope') ?? 'read' }));
}).listen(9002, '127.0.0.1');
