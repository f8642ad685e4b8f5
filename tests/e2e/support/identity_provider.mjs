// SPDX-License-Identifier: MIT
// A real OpenID provider (panva's oidc-provider) on loopback, that counts what it is asked, changes its keys, and can
// be away, silent or out of its mind. Its clients are machines (client_credentials) and a web app (a code, with PKCE).
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import * as jose from 'jose';
import Provider from 'oidc-provider';
import { freePort } from './gateway.mjs';

// What access tokens are for: each service says how its tokens look.
export const API = 'https://api.suoke.test';          // RS256
export const DEVICES = 'https://devices.suoke.test';  // ES256
export const ELSEWHERE = 'https://shop.test';         // RS256, for somebody else
export const OPAQUE = 'https://records.suoke.test';   // no JWTs: ask about them
const LOOKS = {
  [API]: { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } },
  [DEVICES]: { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } },
  [ELSEWHERE]: { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } },
  [OPAQUE]: { accessTokenFormat: 'opaque' },
};
const CALLBACK = 'http://127.0.0.1/signed-in';
const PEOPLE = { alice: { name: 'Alice Wang', roles: ['doctor'] }, bob: { name: 'Bob', roles: ['patient'] } };
const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
const digest = (text) => createHash('sha256').update(text).digest('base64url');

/** What a provider keeps, beyond one that has other keys. */
class Memory {
  #kept = new Map();
  adapter = (model) => {
    const key = (id) => `${model} ${id}`;
    const find = (wanted) => [...this.#kept].find(([name, value]) => name.startsWith(`${model} `) && wanted(value))?.[1];
    return {
      upsert: async (id, value) => void this.#kept.set(key(id), value),
      find: async (id) => this.#kept.get(key(id)),
      findByUid: async (uid) => find((value) => value.uid === uid),
      findByUserCode: async (code) => find((value) => value.userCode === code),
      consume: async (id) => void (this.#kept.get(key(id)).consumed = Math.floor(Date.now() / 1000)),
      destroy: async (id) => void this.#kept.delete(key(id)),
      revokeByGrantId: async (grant) => this.#kept.forEach((value, name) => value.grantId === grant && this.#kept.delete(name)),
    };
  };
}

async function newKey(algorithm) {
  const { privateKey } = await jose.generateKeyPair(algorithm, { extractable: true });
  return { ...(await jose.exportJWK(privateKey)), kid: `${algorithm}-${randomBytes(4).toString('hex')}`, alg: algorithm, use: 'sig' };
}

export class IdentityProvider {
  asked = []; // paths, in order
  hold = null; // a promise: what is asked waits for it
  instead = null; // (request, response) => ... in its place
  lifetime = 600; // of access tokens, in seconds
  #answer;
  #memory = new Memory();
  #secrets = { batch: randomBytes(16).toString('hex'), app: randomBytes(16).toString('hex'), gateway: randomBytes(16).toString('hex') };

  static async start() {
    const idp = new IdentityProvider();
    idp.port = await freePort();
    idp.url = `http://127.0.0.1:${idp.port}`;
    idp.keys = [await newKey('RS256'), await newKey('ES256')];
    idp.#settle();
    await idp.comeBack();
    return idp;
  }

  get jwksUrl() {
    return `${this.url}/jwks`;
  }
  /** As `auth.introspection` says it. */
  get introspection() {
    return { url: `${this.url}/token/introspection`, client_id: 'gateway', client_secret: this.#secrets.gateway };
  }
  times(path) {
    return this.asked.filter((each) => each === path).length;
  }

  // ---- its keys

  /** New keys sign from now on; those of before stay published, unless `forget`. */
  async rotate({ forget = false } = {}) {
    this.keys = [await newKey('RS256'), await newKey('ES256'), ...(forget ? [] : this.keys)];
    this.#settle();
  }

  #settle() {
    const nothing = { grant_types: [], response_types: [], redirect_uris: [] };
    const client = (client_id, more) => ({ client_id, client_secret: this.#secrets[client_id], ...nothing, ...more });
    const resource = (_, name) => ({ scope: 'read write', audience: name, accessTokenTTL: this.lifetime, ...LOOKS[name] });
    this.provider = new Provider(this.url, {
      adapter: this.#memory.adapter,
      jwks: { keys: this.keys },
      cookies: { keys: ['only for these tests'] },
      clients: [
        client('batch', { grant_types: ['client_credentials'] }),
        client('app', { grant_types: ['authorization_code'], response_types: ['code'], redirect_uris: [CALLBACK] }),
        client('gateway'),
      ],
      scopes: ['openid'],
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        revocation: { enabled: true, allowedPolicy: () => true },
        introspection: { enabled: true, allowedPolicy: (_, { clientId }) => clientId === 'gateway' },
        resourceIndicators: { enabled: true, defaultResource: () => API, useGrantedResource: () => true, getResourceServerInfo: resource },
      },
      interactions: { url: (_, { uid }) => `/sign-in/${uid}` },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
      extraTokenClaims: (_, { accountId }) => PEOPLE[accountId],
      ttl: { AccessToken: () => this.lifetime, ClientCredentials: () => this.lifetime, Interaction: 60, Session: 60, Grant: 60, IdToken: 60 },
    });
    this.provider.on('server_error', (_, error) => console.error(error));
    this.#answer = this.provider.callback();
  }

  // ---- here, and away

  async comeBack() {
    this.server = http.createServer(async (request, response) => {
      const path = request.url.split('?')[0];
      this.asked.push(path);
      await this.hold;
      if (this.instead) return this.instead(request, response);
      return path.startsWith('/sign-in/') ? this.#signIn(request, response) : this.#answer(request, response);
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** Nobody listens there any more. */
  async goAway() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** It answers again, whatever it was that it did instead. */
  async recover() {
    Object.assign(this, { hold: null, instead: null });
    if (!this.server.listening) await this.comeBack();
  }

  async stop() {
    if (this.server.listening) await this.goAway();
  }

  // ---- its people and machines

  /** Whoever is asked signs in as `this.person` and agrees to everything. */
  async #signIn(request, response) {
    const { prompt, params, session, grantId } = await this.provider.interactionDetails(request, response);
    if (prompt.name === 'login') return this.provider.interactionFinished(request, response, { login: { accountId: this.person } });
    const { Grant } = this.provider;
    const grant = grantId ? await Grant.find(grantId) : new Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope('openid');
    grant.addResourceScope(params.resource, params.scope);
    return this.provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }

  /** The form is sent by client `who`; the answer's JSON, if it has any. */
  async #post(path, who, form) {
    const headers = { authorization: basic(who, this.#secrets[who]) };
    const answer = await fetch(this.url + path, { method: 'POST', headers, body: new URLSearchParams(form) });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** A machine's access token. */
  async token(resource = API, scope = 'read') {
    return (await this.#post('/token', 'batch', { grant_type: 'client_credentials', resource, scope })).access_token;
  }

  /** `person` signs in to the web app: an access token and an ID token. */
  async signIn(person, resource = API, scope = 'read') {
    this.person = person;
    const verifier = randomBytes(32).toString('base64url');
    const asked = {
      client_id: 'app', response_type: 'code', redirect_uri: CALLBACK, scope: `openid ${scope}`, resource, state: 's', prompt: 'consent',
      code_challenge: digest(verifier), code_challenge_method: 'S256',
    };
    const end = await this.#browse(`/auth?${new URLSearchParams(asked)}`);
    const code = new URL(end).searchParams.get('code');
    if (!code) throw new Error(`no code: ${end}`);
    return this.#post('/token', 'app', { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier, resource });
  }

  /** Follows a browser's way, with its cookies, to the web app. */
  async #browse(place) {
    const cookies = new Map();
    for (let at = place, step = 0; step < 10; ++step) {
      const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
      const answer = await fetch(new URL(at, this.url), { redirect: 'manual', headers: { cookie } });
      for (const set of answer.headers.getSetCookie()) cookies.set(...set.split(';')[0].split(/=(.*)/s).slice(0, 2));
      const text = await answer.text();
      at = answer.headers.get('location');
      if (!at) throw new Error(`the way ends with ${answer.status} ${text}`);
      if (at.startsWith(CALLBACK)) return at;
    }
    throw new Error('the way goes round in circles');
  }

  /** RFC 7009, by the machine whose token it is. */
  revoke(token) {
    return this.#post('/token/revocation', 'batch', { token });
  }

  // ---- what only tests make

  /** Signed with a key of the provider, or with `key`: what it would never have made. */
  async forge(claims = {}, { key = this.keys[0], kid = key.kid } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.url, aud: API, sub: 'somebody', client_id: 'batch', iat: now, exp: now + 600, ...claims };
    return new jose.SignJWT(all).setProtectedHeader({ alg: key.alg, typ: 'at+jwt', kid }).sign(await jose.importJWK(key, key.alg));
  }
}
