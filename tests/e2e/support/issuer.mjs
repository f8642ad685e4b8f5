// SPDX-License-Identifier: MIT
// An issuer of tokens: keys of several algorithms, published as a JWK set, that can be rotated.
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import * as jose from 'jose';

/** Claims of a good access token of the platform, with changes; `undefined` takes one out. */
export function claimsOf(changes = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'suoke-auth-service', aud: 'suoke-life', sub: 'u-7', type: 'access', iat: now, exp: now + 600, ...changes };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

export class Issuer {
  fetches = 0;
  asked = [];
  broken = false;
  #keys = new Map(); // by algorithm
  #old = [];

  static async start(algorithms) {
    const issuer = new Issuer();
    for (const algorithm of algorithms) await issuer.rotate(algorithm);
    issuer.server = http.createServer((request, response) => issuer.#answer(request, response));
    await new Promise((resolve) => issuer.server.listen(0, '127.0.0.1', resolve));
    issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
    issuer.jwksUrl = `${issuer.url}/jwks`;
    return issuer;
  }

  #answer(request, response) {
    this.asked.push(request.url);
    if (request.url !== '/jwks') return response.writeHead(404).end();
    ++this.fetches;
    if (this.broken) return response.writeHead(503).end();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(this.jwks()));
  }

  /** A new key of this algorithm; the old one stays published. */
  async rotate(algorithm) {
    const { publicKey, privateKey } = await jose.generateKeyPair(algorithm, { extractable: true });
    const kid = `${algorithm}-${randomBytes(4).toString('hex')}`;
    const jwk = { ...(await jose.exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
    if (this.#keys.has(algorithm)) this.#old.push(this.#keys.get(algorithm).jwk);
    this.#keys.set(algorithm, { kid, jwk, privateKey, publicKey });
  }

  jwks() {
    return { keys: [...[...this.#keys.values()].map(({ jwk }) => jwk), ...this.#old] };
  }
  kid(algorithm) {
    return this.#keys.get(algorithm).kid;
  }
  publicPem(algorithm) {
    return jose.exportSPKI(this.#keys.get(algorithm).publicKey);
  }

  token(algorithm, claims = {}, header = {}) {
    const { kid, privateKey } = this.#keys.get(algorithm);
    return new jose.SignJWT(claimsOf({ iss: this.url, ...claims })).setProtectedHeader({ alg: algorithm, typ: 'JWT', kid, ...header }).sign(privateKey);
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
