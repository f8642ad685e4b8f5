// SPDX-License-Identifier: MIT
// Streams end with the credential that they were opened with, when it expires and when it is revoked: those of a page in
// a browser, which has its token in a cookie or a subprotocol, and those of programs. WebSockets go on where their
// client shows a newer one in time.
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import http from 'node:http';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import * as jose from 'jose';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket as Socket, WebSocketServer } from 'ws';
import { makeCertificate } from './support/certificate.mjs';
import { freePort, startGateway } from './support/gateway.mjs';
import { kind } from './support/grpc.mjs';
import { claimsOf } from './support/issuer.mjs';
import { describeWith, run, whereIs } from './support/programs.mjs';
import { until, within } from './support/wait.mjs';

const SECRET = randomBytes(32).toString('hex');
const SHORT = 10; // seconds: long enough to open everything on a machine that has other things to do
const talk = { Tell: kind('Tell', false, true) };

// What happened to a target, one happening at a time and in order.
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script>
  function happenings(target, ...kinds) {
    const all = [];
    let wake = () => {};
    for (const kind of kinds) target.addEventListener(kind, (event) => wake(all.push(told(event))));
    return async () => {
      while (all.length === 0) await new Promise((resolve) => (wake = resolve));
      return all.shift();
    };
  }
  function told({ type, data, code, reason, wasClean, target }) {
    return { type, data, code, reason, wasClean, state: target.readyState, at: Date.now() };
  }
</script>`;

let gateway, origins, web, chat, talker, certificate;
const left = []; // by clients, as the services were told
const opened = []; // WebSockets, as the service saw them

/** Events for as long as the client stays, or a long answer that is none. */
function tell(request, response) {
  response.writeHead(200, { 'content-type': request.url.startsWith('/events') ? 'text/event-stream' : 'application/octet-stream' });
  let count = 0;
  const timer = setInterval(() => response.write(`data: ${++count}\n\n`), 200);
  response.on('close', () => {
    clearInterval(timer);
    left.push(request.url);
  });
}

beforeAll(async () => {
  web = http.createServer(tell).listen(0, '127.0.0.1');
  await once(web, 'listening');
  chat = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: (offered) => (offered.has('suoke.v2') ? 'suoke.v2' : false) });
  chat.on('connection', (socket, request) => {
    opened.push(request);
    socket.on('message', (data) => socket.send(String(data)));
    socket.on('close', (code) => left.push(`websocket ${code}`));
  });
  talker = new grpc.Server();
  talker.addService(talk, {
    Tell: (call) => {
      const timer = setInterval(() => call.write(Buffer.from('news')), 100);
      call.on('cancelled', () => left.push('call', clearInterval(timer)));
    },
  });
  const calls = await promisify(talker.bindAsync.bind(talker))('127.0.0.1:0', grpc.ServerCredentials.createInsecure());
  const at = (port, more) => ({ endpoints: [{ host: '127.0.0.1', port }], ...more });
  certificate = makeCertificate();
  const tlsPort = await freePort();
  gateway = await startGateway({
    server: { workers: 2, tls: { port: tlsPort, certificates: [{ cert_file: certificate.cert_file, key_file: certificate.key_file }] } },
    auth: { jwt: { secret_key: SECRET, leeway: '0s' } },
    services: { web: at(web.address().port), chat: at(chat.address().port), talk: at(calls, { protocol: 'h2' }) },
    routes: [
      { path: '/page', respond: { body: PAGE, content_type: 'text/html' }, auth: 'none' },
      { path: '/events', service: 'web', auth: { token_from: { cookie: 'session', query: 'token' } } },
      { path: '/download', service: 'web' },
      { prefix: '/chat', service: 'chat', auth: { token_from: { websocket_protocol: true } } },
      { prefix: '/renewed', service: 'chat', auth: { token_from: { websocket_protocol: true }, renew_in_band: true } },
      { grpc: { service: 'suoke.Talk' }, service: 'talk' },
    ],
  });
  origins = { 'http/1.1': gateway.url, h2: `https://127.0.0.1:${tlsPort}` };
});

afterEach(() => void left.splice(0));
afterAll(async () => {
  await gateway?.stop();
  web?.closeAllConnections();
  web?.close();
  for (const socket of chat?.clients ?? []) socket.terminate();
  chat?.close();
  talker?.forceShutdown();
  if (certificate) rmSync(certificate.directory, { recursive: true });
  expect(gateway?.stderr).toBe('');
});

let count = 0;
/** A token of its own id, and when it ends. */
async function tokenOf(subject, seconds = 600, claims = {}) {
  const exp = Math.floor(Date.now() / 1000) + seconds, jti = `t${++count}`;
  const text = await new jose.SignJWT(claimsOf({ sub: subject, jti, exp, ...claims })).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET));
  return { text, jti, ends: exp * 1000 };
}

/** As a client of a WebSocket shows its newer token; `old`, as older clients do. */
const shows = ({ text }, old = false) => JSON.stringify(old ? { id: '7', type: 'auth', channel: 'c', data: { token: text } } : { type: 'auth', token: text });
const WARNING = 'The token expires soon; send a new one';
/** It is no good any more since a second. */
const past = (token) => until(() => Date.now() > token.ends + 1_000, 'the old token has ended', 40_000);

async function revoke(what) {
  const answer = await fetch(`${gateway.url}/api/v1/management/revocations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${(await tokenOf('root', 600, { roles: ['admin'] })).text}`, 'content-type': 'application/json' },
    body: JSON.stringify(what),
  });
  expect(answer.ok, await answer.text()).toBe(true);
}

/** In time: never before the token's end (the clocks of processes are one), and not much later. */
function expectEnd(at, token, patience = 5_000) {
  expect(at - token.ends).toBeGreaterThanOrEqual(-20);
  expect(at - token.ends).toBeLessThan(patience);
}

// ---- pages

describeWith('chromium', () => {
  let browser, page;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: whereIs('chromium'), args: ['--no-sandbox'] });
  }, 60_000);
  afterAll(() => browser?.close());
  afterEach(() => page.context().close(), 60_000);

  const enter = async (origin) => {
    const one = await browser.newPage({ ignoreHTTPSErrors: true });
    await one.goto(`${origin}/page`);
    return one;
  };
  const signIn = (page, origin, token) => page.context().addCookies([{ name: 'session', value: token.text, url: origin }]);

  /** Both streams of a page; resolves when each has brought something. */
  async function open(page, origin, token, protocols = ['bearer', token.text]) {
    await signIn(page, origin, token);
    await page.evaluate(([url, protocols]) => {
      window.source = new EventSource('/events');
      window.nextEvent = happenings(source, 'open', 'message', 'auth_expiring', 'auth_expired', 'error');
      window.socket = new WebSocket(url, protocols);
      window.nextOfSocket = happenings(socket, 'open', 'message', 'close');
    }, [`${origin.replace('http', 'ws')}/chat`, protocols]);
    expect(await ofSocket(page)).toMatchObject({ type: 'open' });
    await untilEvent(page, 'message');
  }
  const ofSocket = (page) => within(20_000, page.evaluate(() => nextOfSocket()), 'the socket\'s next happening');
  const untilEvent = (page, type) =>
    within(20_000, page.evaluate(async (type) => {
      for (;;) {
        const happened = await nextEvent();
        if (happened.type === type || happened.type === 'error') return happened;
      }
    }, type), `the event ${type}`).then((happened) => {
      expect(happened).toMatchObject({ type });
      return happened;
    });
  const echo = async (page, text) => {
    await page.evaluate((text) => socket.send(text), text);
    return (await ofSocket(page)).data;
  };

  describe.each(['http/1.1', 'h2'])('over %s', (protocol) => {
    let origin;
    beforeEach(async () => {
      origin = origins[protocol];
      page = await enter(origin);
      expect(await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol)).toBe(protocol);
    }, 90_000);

    test('a token expires: the EventSource hears of it, the WebSocket is closed with 1008; a new one opens both again', async () => {
      const token = await tokenOf('alice', SHORT);
      await open(page, origin, token);
      expect(await page.evaluate(() => socket.protocol)).toBe('bearer');
      expect(opened.at(-1).headers).toMatchObject({ authorization: `Bearer ${token.text}`, 'x-user-id': 'alice' });
      expect(opened.at(-1).headers['sec-websocket-protocol']).toBe(undefined);
      expect(await echo(page, 'still here')).toBe('still here');

      const closed = await ofSocket(page);
      expect(closed).toMatchObject({ type: 'close', code: 1008, reason: 'token expired', wasClean: true });
      expectEnd(closed.at, token);
      const expired = await untilEvent(page, 'auth_expired');
      expect(JSON.parse(expired.data)).toMatchObject({ error: 'token_expired' });
      expectEnd(expired.at, token);
      await until(() => left.includes('/events') && left.some((each) => each.startsWith('websocket')), 'the services know');

      // The browser comes back by itself, with the token it had: that is final.
      await untilEvent(page, 'error');
      await until(() => page.evaluate(() => source.readyState === EventSource.CLOSED), 'it gives up', 15_000);
      await open(page, origin, await tokenOf('alice'));
      expect(await echo(page, 'again')).toBe('again');
    }, 90_000);

    test('a page that shows its newer token keeps its WebSocket', async () => {
      const [token, newer] = [await tokenOf('alice', SHORT), await tokenOf('alice')];
      await page.evaluate(([url, protocols]) => {
        window.socket = new WebSocket(url, protocols);
        window.nextOfSocket = happenings(socket, 'open', 'message', 'close');
      }, [`${origin.replace('http', 'ws')}/renewed`, ['bearer', token.text]]);
      expect(await ofSocket(page)).toMatchObject({ type: 'open' });
      expect(JSON.parse((await ofSocket(page)).data)).toEqual({ type: 'auth_expiring', message: WARNING, expires_in: expect.any(Number) });
      expect(JSON.parse(await echo(page, shows(newer)))).toEqual({ type: 'auth_ok', expires_in: expect.any(Number) });
      await past(token);
      expect(await echo(page, 'still here')).toBe('still here');
      await revoke({ jti: newer.jti });
      expect(await ofSocket(page)).toMatchObject({ type: 'close', code: 1008, reason: 'token revoked', wasClean: true });
    }, 90_000);

    test('a warning comes before', async () => {
      await signIn(page, origin, await tokenOf('alice', 31));
      await page.evaluate(() => {
        window.source = new EventSource('/events');
        window.nextEvent = happenings(source, 'auth_expiring', 'error');
      });
      const { expires_in: seconds } = JSON.parse((await untilEvent(page, 'auth_expiring')).data);
      expect(seconds).toBeGreaterThan(15);
      expect(seconds).toBeLessThanOrEqual(31);
    });

    test('a token is revoked: its streams end at once, no others; and those of a subject all', async () => {
      const other = await enter(origin);
      try {
        const [one, two] = [await tokenOf('bob'), await tokenOf('bob')];
        await open(page, origin, one, ['suoke.v2', 'bearer', one.text]);
        expect(await page.evaluate(() => socket.protocol)).toBe('suoke.v2');
        await open(other, origin, two);

        await revoke({ jti: one.jti });
        expect(await ofSocket(page)).toMatchObject({ type: 'close', code: 1008, reason: 'token revoked', wasClean: true });
        expect(JSON.parse((await untilEvent(page, 'auth_expired')).data)).toMatchObject({ error: 'token_revoked' });
        expect(await echo(other, 'still here')).toBe('still here');
        await untilEvent(other, 'message');

        await revoke({ subject: 'bob' });
        expect(await ofSocket(other)).toMatchObject({ type: 'close', code: 1008, reason: 'token revoked' });
        expect(JSON.parse((await untilEvent(other, 'auth_expired')).data)).toMatchObject({ error: 'token_revoked' });
      } finally {
        await other.context().close();
      }
    }, 90_000);

    test('without a good token nothing opens', async () => {
      const token = await tokenOf('eve', -10);
      await signIn(page, origin, token);
      const happened = await page.evaluate(async ([url, protocols]) => {
        const source = happenings(new EventSource('/events'), 'open', 'error');
        const socket = happenings(new WebSocket(url, protocols), 'open', 'close');
        return [await source(), await socket()];
      }, [`${origin.replace('http', 'ws')}/chat`, ['bearer', token.text]]);
      expect(happened).toMatchObject([{ type: 'error', state: 2 }, { type: 'close', code: 1006 }]);
    });
  });
});

// ---- programs

describe('programs', () => {
  const bearer = ({ text }) => ({ authorization: `Bearer ${text}` });

  async function socketWith(token, path = '/chat') {
    const socket = new Socket(`ws://127.0.0.1:${gateway.port}${path}`, { headers: bearer(token) });
    socket.heard = [];
    socket.on('message', (data) => socket.heard.push(String(data)));
    socket.ended = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason), at: Date.now() }));
    await once(socket, 'open');
    return socket;
  }

  /** An answer that lasts: its text grows, and `ended` says when it is whole. */
  async function listen(path, token) {
    const answer = await fetch(gateway.url + path, { headers: bearer(token) });
    const stream = { status: answer.status, text: '' };
    const read = async () => {
      for await (const piece of answer.body) stream.text += Buffer.from(piece).toString();
      return Date.now(); // by a last chunk: a cut would be an error
    };
    stream.ended = read();
    stream.cancelled = stream.ended.catch(() => {});
    await until(() => stream.text.includes('data: 1'), 'the first event');
    return stream;
  }

  function call(token) {
    const client = new grpc.Client(`127.0.0.1:${gateway.port}`, grpc.credentials.createInsecure());
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${token.text}`);
    const { path, requestSerialize, responseDeserialize } = talk.Tell;
    const made = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, Buffer.alloc(0), metadata);
    made.heard = [];
    made.on('data', (data) => made.heard.push(String(data)));
    made.ended = once(made, 'error').then(([{ code, details }]) => ({ code, details, at: Date.now() })).finally(() => client.close());
    return made;
  }

  test('a token that an operator has minted expires: WebSocket, events and call end, a download does not', async () => {
    const { said, code } = await run(process.env.SUOKE_BIN, ['token', 'mint', '--config', gateway.file, '--subject', 'alice', '--ttl', `${SHORT}s`]);
    expect(code).toBe(0);
    const text = said.trim();
    const token = { text, ends: jose.decodeJwt(text).exp * 1000 };
    const [socket, events, download, made] = [await socketWith(token), await listen('/events', token), await listen('/download', token), call(token)];
    await until(() => made.heard.length > 0, 'a message');

    const closed = await within(20_000, socket.ended, 'the close');
    expect(closed).toMatchObject({ code: 1008, reason: 'token expired' });
    expectEnd(closed.at, token);
    expectEnd(await within(5_000, events.ended, 'the end of the events'), token);
    expect(events.text).toMatch(/\n\nevent: auth_expired\ndata: \{"error":"token_expired",[^\n]*\}\n\n$/);
    const status = await within(5_000, made.ended, 'the end of the call');
    expect(status).toMatchObject({ code: grpc.status.UNAUTHENTICATED });
    expectEnd(status.at, token);
    expect(new Set(made.heard)).toEqual(new Set(['news']));
    await until(() => left.includes('call') && left.includes('/events'), 'the services know');

    const before = download.text.length;
    await until(() => download.text.length > before, 'the download goes on');
    expect((await fetch(`${gateway.url}/download`, { headers: bearer(token) })).status).toBe(401);
  }, 60_000);

  describe('a WebSocket whose client shows a newer token', () => {
    const renewing = (token) => socketWith(token, '/renewed');
    /** The next message; from the gateway, JSON. */
    const next = async (socket) => {
      await until(() => socket.heard.length > 0, 'the next message', 20_000);
      return socket.heard.shift();
    };
    const told = async (socket) => JSON.parse(await next(socket));
    const answer = (socket, text) => {
      socket.send(text);
      return told(socket);
    };
    const OK = { type: 'auth_ok', expires_in: expect.any(Number) };
    const expectEcho = async (socket) => {
      socket.send('still here');
      expect(await next(socket)).toBe('still here'); // and nothing else before: the service has seen no token
    };

    test('in time goes on, and ends with that one', async () => {
      const [token, newer] = [await tokenOf('alice', SHORT), await tokenOf('alice', SHORT + 8)];
      const socket = await renewing(token);
      expect(socket.extensions).toBe('');
      const warning = await told(socket);
      expect(warning).toEqual({ type: 'auth_expiring', message: WARNING, expires_in: expect.any(Number) });
      expect(warning.expires_in).toBeLessThanOrEqual(SHORT);
      const { type, expires_in: seconds } = await answer(socket, shows(newer));
      expect(type).toBe('auth_ok');
      expect(seconds).toBeLessThanOrEqual(SHORT + 8);
      expect(await told(socket)).toMatchObject({ type: 'auth_expiring' });
      await past(token);
      await expectEcho(socket);
      const closed = await within(20_000, socket.ended, 'the close');
      expect(closed).toMatchObject({ code: 1008, reason: 'token expired' });
      expectEnd(closed.at, newer);
      expect(socket.heard).toEqual([]);
    }, 60_000);

    test('is warned thirty seconds before the end, and not sooner', async () => {
      const token = await tokenOf('alice', 33);
      const socket = await renewing(token);
      const { expires_in: seconds } = await told(socket);
      expect(token.ends - Date.now()).toBeLessThan(30_020);
      expect(seconds).toBeLessThanOrEqual(30);
      expect(await answer(socket, shows(await tokenOf('alice'), true))).toEqual(OK);
      await expectEcho(socket);
      socket.close();
      await socket.ended;
    }, 60_000);

    test('of somebody else is closed', async () => {
      const socket = await renewing(await tokenOf('alice'));
      socket.send(shows(await tokenOf('Alice')));
      expect(await within(8_000, socket.ended, 'the close')).toMatchObject({ code: 1008, reason: "the token is somebody else's" });
      expect(socket.heard).toEqual([]);
      await until(() => left.length === 1, 'the service knows');
    });

    test('that is no good is told so, and nothing has changed', async () => {
      const revoked = await tokenOf('alice');
      await revoke({ jti: revoked.jti });
      const token = await tokenOf('alice', SHORT);
      const socket = await renewing(token);
      expect(await told(socket)).toMatchObject({ type: 'auth_expiring' });
      const { text } = await tokenOf('alice');
      const wrong = [
        [await tokenOf('alice', -10), 'token_expired'], [revoked, 'token_revoked'], [{ text: `${text}x` }, 'invalid_token'], [{ text: '' }, 'invalid_token'],
      ];
      for (const [shown, code] of wrong) expect(await answer(socket, shows(shown))).toEqual({ type: 'auth_failed', code, message: expect.any(String) });
      await expectEcho(socket);
      const closed = await within(20_000, socket.ended, 'the close');
      expect(closed).toMatchObject({ code: 1008, reason: 'token expired' });
      expectEnd(closed.at, token);
    }, 60_000);

    test('ends when the newer one is revoked, and not when the older one is', async () => {
      const [token, newer] = [await tokenOf('dora'), await tokenOf('dora')];
      const socket = await renewing(token);
      expect(await answer(socket, shows(newer))).toEqual(OK);
      await revoke({ jti: token.jti });
      await until(async () => (await fetch(`${gateway.url}/download`, { headers: bearer(token) })).status === 401, 'the older one is no good');
      await expectEcho(socket);
      await revoke({ jti: newer.jti });
      expect(await within(5_000, socket.ended, 'the close')).toMatchObject({ code: 1008, reason: 'token revoked' });
    });

    test('all the time is closed', async () => {
      const socket = await renewing(await tokenOf('alice'));
      for (let i = 0; i < 6; ++i) socket.send(shows({ text: 'x' }));
      expect(await within(8_000, socket.ended, 'the close')).toMatchObject({ code: 1008, reason: 'too many tokens were shown' });
    });

    test('is heard by the service, where the route does not ask for it', async () => {
      const socket = await socketWith(await tokenOf('alice'));
      const message = shows(await tokenOf('eve'));
      socket.send(message);
      expect(await next(socket)).toBe(message);
      socket.close();
      await socket.ended;
    });
  });

  test('a token is revoked: the same, at every worker', async () => {
    const token = await tokenOf('carol');
    const sockets = await Promise.all(Array.from({ length: 8 }, () => socketWith(token)));
    const events = await Promise.all(Array.from({ length: 4 }, () => listen('/events', token)));
    const made = call(token);
    await until(() => made.heard.length > 0, 'a message');
    const other = await socketWith(await tokenOf('carol'));

    await revoke({ jti: token.jti });
    for (const { ended } of sockets) expect(await within(5_000, ended, 'the close')).toMatchObject({ code: 1008, reason: 'token revoked' });
    for (const stream of events) {
      await within(5_000, stream.ended, 'the end of the events');
      expect(stream.text).toMatch(/\n\nevent: auth_expired\ndata: \{"error":"token_revoked",[^\n]*\}\n\n$/);
    }
    expect(await within(5_000, made.ended, 'the end of the call')).toMatchObject({ code: grpc.status.UNAUTHENTICATED });
    other.send('still here');
    expect(String((await once(other, 'message'))[0])).toBe('still here');
    other.close();
    await other.ended;
  });

  test('a call with a token that is no good has the same status from the start', async () => {
    expect(await within(5_000, call(await tokenOf('eve', -10)).ended, 'the refusal')).toMatchObject({ code: grpc.status.UNAUTHENTICATED });
  });

  test('the token is in no line of the log', async () => {
    const token = await tokenOf('dave');
    const answer = await fetch(`${gateway.url}/events?token=${token.text}`);
    expect(answer.status).toBe(200);
    await answer.body.cancel();
    await gateway.accessLine(({ path }) => path?.startsWith('/events'));
    expect(gateway.log.filter((line) => JSON.stringify(line).includes(token.text))).toEqual([]);
  });
});
