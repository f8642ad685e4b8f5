// SPDX-License-Identifier: MIT
// A browser, as the pages of the platform use it: EventSource, WebSocket, fetch and gRPC-Web.
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { makeCertificate } from './support/certificate.mjs';
import { freePort } from './support/gateway.mjs';
import { kind } from './support/grpc.mjs';
import { describeWith, whereIs } from './support/programs.mjs';
import { setScene } from './support/scene.mjs';
import { until, within } from './support/wait.mjs';

// What every page brings along: what happened to a target, one happening at a time and in order.
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
  function told({ type, data, code, reason }) {
    return { type, data: data instanceof ArrayBuffer ? Array.from(new Uint8Array(data)) : data, code, reason };
  }
</script>`;

// ---- the services

const chat = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: (offered) => (offered.has('suoke.v2') ? 'suoke.v2' : false) });
const closes = []; // as the chat was told
chat.on('connection', (socket) => {
  socket.on('message', (data, binary) => (String(data) === 'bye' ? socket.close(4002, 'bye') : socket.send(data, { binary })));
  socket.on('close', (code, reason) => closes.push({ code, reason: String(reason) }));
});
if (!chat.address()) await once(chat, 'listening');

const talker = new grpc.Server();
talker.addService({ One: kind('One', false, false) }, { One: (call, reply) => reply(null, Buffer.concat([Buffer.from('re: '), call.request])) });
const calls = await promisify(talker.bindAsync.bind(talker))('127.0.0.1:0', grpc.ServerCredentials.createInsecure());

const certificate = makeCertificate();
const [port, tlsPort] = [await freePort(), await freePort()];
const origins = { 'http/1.1': `http://127.0.0.1:${port}`, h2: `https://127.0.0.1:${tlsPort}` };
const at = (port, more) => ({ endpoints: [{ host: '127.0.0.1', port }], ...more });
const scene = await setScene({
  server: { port, tls: { port: tlsPort, certificates: [{ cert_file: certificate.cert_file, key_file: certificate.key_file }] } },
  services: { chat: at(chat.address().port), talk: at(calls, { protocol: 'h2' }) },
  routes: [
    { name: 'page', path: '/page', respond: { body: PAGE, content_type: 'text/html' } },
    { name: 'beating', prefix: '/beating', service: 'backend', sse: { heartbeat: '100ms' } },
    { name: 'upload', prefix: '/images', service: 'backend', max_request_size: '20MB' },
    { name: 'chat', prefix: '/chat', service: 'chat' },
    { name: 'short', prefix: '/short', service: 'chat', websocket: { max_message_size: '1KB' } },
    { name: 'talk', grpc: { service: 'suoke.Talk' }, service: 'talk', grpc_web: { allow_origins: Object.values(origins) } },
    { name: 'everything', prefix: '/', service: 'backend' },
  ],
});

afterAll(() => {
  chat.close();
  talker.forceShutdown();
  rmSync(certificate.directory, { recursive: true });
});

describeWith('chromium', () => {
  let browser, page;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: whereIs('chromium'), args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    scene.script = () => {}; // the tests speak for the upstream
    page = await browser.newPage({ ignoreHTTPSErrors: true }); // in a context, so with connections, of its own
  });
  afterEach(() => page.context().close());

  const next = () => within(5_000, page.evaluate(() => next()), 'the next happening');
  const asked = () => within(5_000, scene.upstream.next(), 'the request');

  /** The page begins to listen, and the upstream to tell. */
  async function listen(path = '/events') {
    const request = asked();
    await page.evaluate((path) => {
      window.source = new EventSource(path);
      window.next = happenings(source, 'message', 'error');
    }, path);
    const stream = await request;
    await stream.begin({ 'Content-Type': 'text/event-stream' });
    return stream;
  }

  const dial = (url, protocols = []) =>
    page.evaluate(([url, protocols]) => {
      window.socket = new WebSocket(url, protocols);
      socket.binaryType = 'arraybuffer';
      window.next = happenings(socket, 'open', 'message', 'close');
      return next();
    }, [url, protocols]);

  /** The protocol that a WebSocket, which has ended, was opened with: the access log's next line. */
  async function spoken(dialogue) {
    const before = scene.gateway.accessLines.length;
    await dialogue();
    const line = await until(() => scene.gateway.accessLines.slice(before).find(({ route }) => route === 'chat'), 'the line of the WebSocket');
    return line.protocol;
  }

  describe.each(Object.entries(origins))('over %s', (protocol, origin) => {
    beforeEach(async () => {
      await page.goto(`${origin}/page`);
      expect(await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol)).toBe(protocol);
    });

    describe('EventSource', () => {
      test('hears each event when it is told, not later', async () => {
        const stream = await listen();
        for (const word of ['one', 'two', 'three']) {
          await stream.chunk(`data: ${word}\n\n`);
          expect(await next()).toMatchObject({ type: 'message', data: word });
        }
      });

      test('hears nothing of heartbeats', async () => {
        const tools = await page.context().newCDPSession(page);
        let pieces = 0;
        tools.on('Network.dataReceived', () => ++pieces);
        await tools.send('Network.enable');
        const stream = await listen('/beating');
        await stream.chunk('data: one\n\n');
        expect(await next()).toMatchObject({ data: 'one' });
        const before = pieces;
        await until(() => pieces >= before + 3, 'three heartbeats');
        await stream.chunk('data: two\n\n');
        expect(await next()).toMatchObject({ type: 'message', data: 'two' });
      });

      test('comes back by itself and says what it heard last', async () => {
        const stream = await listen();
        await stream.chunk('retry: 50\nid: seven\ndata: one\n\n');
        expect(await next()).toMatchObject({ data: 'one' });
        const again = asked();
        await stream.lastChunk();
        expect(await next()).toMatchObject({ type: 'error' });
        const second = await again;
        expect(second.headers.get('last-event-id')).toBe('seven');
        await second.begin({ 'Content-Type': 'text/event-stream' });
        await second.chunk('data: two\n\n');
        expect(await next()).toMatchObject({ type: 'message', data: 'two' });
      });

      test('is told when the upstream dies, and comes back to the last whole event', async () => {
        const stream = await listen();
        await stream.chunk('retry: 50\nid: 1\ndata: whole\n\nid: 2\ndata: ha');
        expect(await next()).toMatchObject({ data: 'whole' });
        const again = asked();
        stream.reset();
        const error = await next();
        expect(error.type).toBe('error');
        expect(JSON.parse(error.data.split('\n').at(-1)).error).toMatch(/^upstream_(reset|truncated)$/);
        expect(await next()).toEqual({ type: 'error' }); // the browser's own: the stream is over
        expect((await again).headers.get('last-event-id')).toBe('1');
      });

      test('that is closed lets go of the upstream', async () => {
        const stream = await listen();
        await stream.chunk('data: one\n\n');
        await next();
        await page.evaluate(() => source.close());
        await within(3_000, stream.abandoned(), 'letting go');
      });

      test('of a page that is left lets go of the upstream', async () => {
        const stream = await listen();
        await stream.chunk('data: one\n\n');
        await next();
        await page.goto('about:blank');
        await within(3_000, stream.abandoned(), 'letting go');
      });
    });

    describe('WebSocket', () => {
      const socket = (path) => `${origin.replace('http', 'ws')}${path}`;

      test('opens on what the page came by', async () => {
        const opened = await spoken(async () => {
          expect(await dial(socket('/chat'))).toMatchObject({ type: 'open' });
          await page.evaluate(() => window.socket.close());
          await next();
        });
        expect(opened).toBe({ 'http/1.1': 'HTTP/1.1', h2: 'HTTP/2' }[protocol]); // h2: a stream of the page's connection, RFC 8441
      });

      test('is echoed, text and bytes', async () => {
        await dial(socket('/chat'));
        await page.evaluate(() => window.socket.send('你好'));
        expect(await next()).toMatchObject({ type: 'message', data: '你好' });
        const same = await page.evaluate(async () => {
          const sent = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
          window.socket.send(sent);
          const { data } = await next();
          return data.length === sent.length && data.every((byte, i) => byte === sent[i]);
        });
        expect(same).toBe(true);
      });

      test('agrees on a subprotocol with the service', async () => {
        await dial(socket('/chat'), ['suoke.v9', 'suoke.v2']);
        expect(await page.evaluate(() => window.socket.protocol)).toBe('suoke.v2');
      });

      test('the page\'s goodbye reaches the service', async () => {
        await dial(socket('/chat'));
        closes.length = 0;
        await page.evaluate(() => window.socket.close(4001, '够了'));
        expect(await next()).toMatchObject({ type: 'close', code: 4001 });
        await until(() => closes.length > 0, 'the goodbye');
        expect(closes).toEqual([{ code: 4001, reason: '够了' }]);
      });

      test('the service\'s goodbye reaches the page', async () => {
        await dial(socket('/chat'));
        await page.evaluate(() => window.socket.send('bye'));
        expect(await next()).toEqual({ type: 'close', code: 4002, reason: 'bye' });
      });

      test('is closed with 1009 where a route says so', async () => {
        await dial(socket('/short'));
        closes.length = 0;
        await page.evaluate(() => window.socket.send('x'.repeat(1024)));
        expect(await next()).toMatchObject({ type: 'message' });
        await page.evaluate(() => window.socket.send('x'.repeat(1025)));
        expect(await next()).toMatchObject({ type: 'close', code: 1009 });
        await until(() => closes.length > 0, 'the goodbye');
        expect(closes).toMatchObject([{ code: 1001 }]);
      });
    });

    describe('fetch', () => {
      test('reads an answer piece by piece', async () => {
        const request = asked();
        const opened = page.evaluate(async () => {
          window.reader = (await fetch('/answer')).body.getReader();
        });
        const answer = await request;
        await answer.begin({ 'Content-Type': 'application/x-ndjson' });
        await opened;
        for (const piece of ['{"n":1}\n', '{"n":2}\n']) {
          await answer.chunk(piece);
          expect(await page.evaluate(async () => new TextDecoder().decode((await reader.read()).value))).toBe(piece);
        }
        await answer.lastChunk();
        expect(await page.evaluate(async () => (await reader.read()).done)).toBe(true);
      });

      test('that is given up lets go of the upstream', async () => {
        const request = asked();
        await page.evaluate(() => {
          window.patience = new AbortController();
          fetch('/answer', { signal: patience.signal }).catch(() => {});
        });
        const answer = await request;
        await page.evaluate(() => patience.abort());
        await within(3_000, answer.abandoned(), 'letting go');
      });

      test('uploads an image of 10 MB', async () => {
        scene.script = async (exchange) => {
          const hash = createHash('sha256');
          for await (const piece of exchange.pieces()) hash.update(piece);
          await exchange.json({ type: exchange.headers.get('content-type'), sha: hash.digest('hex') });
        };
        const { sent, got } = await page.evaluate(async () => {
          const image = Uint8Array.from({ length: 10 << 20 }, (_, i) => (i * 2654435761) >>> 13);
          const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', image));
          const response = await fetch('/images/1', { method: 'PUT', body: new Blob([image], { type: 'image/png' }) });
          return { sent: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join(''), got: await response.json() };
        });
        expect(got).toEqual({ type: 'image/png', sha: sent });
      });
    });

    test('gRPC-Web calls the gateway under its other name', async () => {
      const elsewhere = Object.values(origins).find((other) => other !== origin);
      const before = scene.gateway.accessLines.length;
      expect(await call(elsewhere)).toEqual({ status: 200, message: 're: you', trailers: expect.stringMatching(/^grpc-status: ?0\r\n/) });
      const asked = await scene.gateway.accessLine((line) => line.method === 'OPTIONS' && scene.gateway.accessLines.indexOf(line) >= before);
      expect(asked).toMatchObject({ route: 'talk', status_code: 204 });
    });
  });

  /** A unary gRPC-Web call from the page: the frame of the message, then the one of the trailers. */
  const call = (where) =>
    page.evaluate(async (where) => {
      const message = new TextEncoder().encode('you');
      const response = await fetch(`${where}/suoke.Talk/One`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/grpc-web+proto', 'X-Grpc-Web': '1' },
        body: Uint8Array.of(0, 0, 0, 0, message.length, ...message),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      const text = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
      const end = 5 + bytes[4];
      if (bytes[0] !== 0 || bytes[end] !== 0x80) throw new Error(`no frames: ${bytes}`);
      return { status: response.status, message: text(5, end), trailers: text(end + 5) };
    }, where);

  test('a page from elsewhere may not call', async () => {
    await page.goto(`http://localhost:${port}/page`); // another origin than 127.0.0.1
    await expect(call(origins['http/1.1'])).rejects.toThrow('Failed to fetch');
  });

  test('a first wss:// has no HTTP/2 to share and comes by HTTP/1.1', async () => {
    await page.goto(`${origins['http/1.1']}/page`);
    const protocol = await spoken(async () => {
      expect(await dial(`wss://127.0.0.1:${tlsPort}/chat`)).toMatchObject({ type: 'open' });
      await page.evaluate(() => window.socket.send('hello'));
      expect(await next()).toMatchObject({ data: 'hello' });
      await page.evaluate(() => window.socket.close());
      await next();
    });
    expect(protocol).toBe('HTTP/1.1');
  });
});
