// SPDX-License-Identifier: MIT
// TLS, HTTP/2, gRPC, WebSocket and SSE through the real gateway, by clients and servers we did not write.
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { makeCertificate } from './support/certificate.mjs';
import { freePort, startGateway } from './support/gateway.mjs';
import { kind } from './support/grpc.mjs';
import { until } from './support/wait.mjs';

const run = promisify(execFile);
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
const listening = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

const certificate = makeCertificate();
let gateway, plain, h2c, sockets, calls, tlsPort, config, chatServer;
const cancelled = [];

// ---- the services

function answer(request, response) {
  if (request.url.startsWith('/web/events')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let n = 0;
    const timer = setInterval(() => {
      response.write(`id: ${++n}\ndata: token ${n}\n\n`);
      if (n === 5) response.end(clearInterval(timer));
    }, 20);
    response.on('close', () => clearInterval(timer));
    return;
  }
  const hash = createHash('sha256');
  let size = 0;
  request.on('data', (bytes) => hash.update(bytes) && (size += bytes.length));
  request.on('end', () => {
    const { method, url } = request;
    const body = JSON.stringify({ method, url, size, sha: hash.digest('hex'), proto: request.headers['x-forwarded-proto'], http: request.httpVersion });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(body);
  });
}

const talk = {
  One: kind('One', false, false), Up: kind('Up', true, false), Down: kind('Down', false, true), Both: kind('Both', true, true),
  Never: kind('Never', false, false),
};

const talking = {
  One(call, callback) {
    if (call.request.toString() === 'fail') return callback({ code: grpc.status.NOT_FOUND, details: 'no such thing: 无' });
    const back = new grpc.Metadata();
    back.set('seen-bin', call.metadata.get('sent-bin')[0] ?? Buffer.alloc(0));
    call.sendMetadata(back);
    callback(null, Buffer.concat([Buffer.from('re: '), call.request]));
  },
  Up(call, callback) {
    const hash = createHash('sha256');
    let size = 0;
    call.on('data', (bytes) => hash.update(bytes) && (size += bytes.length));
    call.on('end', () => callback(null, Buffer.from(`${size} ${hash.digest('hex')}`)));
  },
  Down(call) {
    for (let i = 0; i < 10; ++i) call.write(Buffer.from(`${call.request} ${i}`));
    call.end();
  },
  Both(call) {
    call.on('data', (bytes) => call.write(Buffer.from(bytes.toString().toUpperCase())));
    call.on('end', () => call.end());
    call.on('cancelled', () => cancelled.push('Both'));
  },
  Never(call) {
    call.on('cancelled', () => cancelled.push('Never'));
  },
};

beforeAll(async () => {
  const web = http.createServer(answer);
  const web2 = http2.createServer(answer);
  const chat = (chatServer = new WebSocketServer({ port: 0, host: '127.0.0.1' }));
  chat.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
  const talker = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  talker.addService(talk, talking);
  plain = { server: web, port: await listening(web) };
  h2c = { server: web2, port: await listening(web2) };
  await until(() => chat.address(), 'the chat listens');
  sockets = { server: chat, port: chat.address().port };
  calls = { server: talker, port: await promisify(talker.bindAsync.bind(talker))('127.0.0.1:0', grpc.ServerCredentials.createInsecure()) };
  tlsPort = await freePort();
  const at = (port, more) => ({ endpoints: [{ host: '127.0.0.1', port }], ...more });
  config = {
    server: { tls: { port: tlsPort, certificates: [{ cert_file: certificate.cert_file, key_file: certificate.key_file }] } },
    security: { max_request_size: '200MB' },
    services: {
      web: at(plain.port), web2: at(h2c.port, { protocol: 'h2' }), chat: at(sockets.port), talk: at(calls.port, { protocol: 'h2' }),
    },
    routes: [
      { name: 'web', prefix: '/web', service: 'web', strip_prefix: false },
      { name: 'web2', prefix: '/web2', service: 'web2', strip_prefix: false },
      { name: 'chat', prefix: '/chat', service: 'chat' },
      { name: 'short', prefix: '/short', service: 'chat', websocket: { max_message_size: '1KB' } },
      { name: 'calm', prefix: '/calm', service: 'chat', websocket: { messages_per_second: 50 } },
      { name: 'talk', grpc: { service: 'suoke.Talk' }, service: 'talk' },
    ],
  };
  gateway = await startGateway(config);
});

afterAll(async () => {
  await gateway.stop();
  expect(gateway.stderr).toBe('');
  plain.server.close();
  h2c.server.close();
  sockets.server.close();
  calls.server.forceShutdown();
  rmSync(certificate.directory, { recursive: true });
});

const secure = (path) => `https://127.0.0.1:${tlsPort}${path}`;
const agents = {
  'HTTP/1.1': new Agent({ connect: { ca: certificate.pem }, allowH2: false }),
  'HTTP/2': new Agent({ connect: { ca: certificate.pem }, allowH2: true }),
};

// ---- TLS and HTTP/2

describe.each(Object.entries(agents))('undici over TLS with %s', (_, dispatcher) => {
  test.each(['/web', '/web2'])('asks and is answered: %s', async (path) => {
    const response = await fetch(secure(`${path}/a?b=c`), { dispatcher });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ method: 'GET', url: `${path}/a?b=c`, proto: 'https' });
  });

  test.each(['/web', '/web2'])('ten megabytes go up whole: %s', async (path) => {
    const body = randomBytes(10 << 20);
    const response = await fetch(secure(path), { method: 'POST', body, dispatcher });
    expect(await response.json()).toMatchObject({ size: body.length, sha: sha(body) });
  });

  test('a hundred requests beside each other', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, async (_, i) => (await fetch(secure(`/web2/${i}`), { dispatcher })).json()));
    expect(all.map(({ url }) => url)).toEqual(Array.from({ length: 100 }, (_, i) => `/web2/${i}`));
  });
});

describe('curl', () => {
  const curl = async (...args) => (await run('curl', ['-s', '--cacert', certificate.cert_file, '-w', ' %{http_version}', ...args])).stdout;
  test.each([
    ['2', ['--http2', 'https']], ['1.1', ['--http1.1', 'https']], ['2', ['--http2-prior-knowledge', 'http']], ['1.1', ['--http1.1', 'http']],
  ])('gets HTTP/%s with %s', async (version, [flag, scheme]) => {
    const url = scheme === 'https' ? secure('/web/x') : `${gateway.url}/web/x`;
    const said = await curl(flag, url);
    expect(said).toContain('"url":"/web/x"');
    expect(said.endsWith(` ${version}`)).toBe(true);
  });

  test('is told nothing by anything older than TLS 1.2', async () => {
    await expect(curl('--tls-max', '1.1', secure('/web'))).rejects.toThrow();
    expect(await curl('--tls-max', '1.2', secure('/web'))).toContain('"url":"/web"');
  });
});

// ---- gRPC

describe.each([['plain', () => [`127.0.0.1:${gateway.port}`, grpc.credentials.createInsecure()]],
                ['TLS', () => [`127.0.0.1:${tlsPort}`, grpc.credentials.createSsl(certificate.pem)]]])('gRPC over %s', (_, where) => {
  let client;
  beforeAll(() => {
    client = new (grpc.makeGenericClientConstructor(talk, 'Talk'))(...where(), { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  });
  afterAll(() => client.close());

  test('unary, with binary metadata both ways', async () => {
    const metadata = new grpc.Metadata();
    metadata.set('sent-bin', Buffer.from([0, 255, 10, 13]));
    let seen;
    const reply = await new Promise((resolve, reject) => {
      const call = client.One(Buffer.from('you'), metadata, (error, value) => (error ? reject(error) : resolve(value)));
      call.on('metadata', (back) => (seen = back.get('seen-bin')[0]));
    });
    expect(reply.toString()).toBe('re: you');
    expect([...seen]).toEqual([0, 255, 10, 13]);
  });

  test('a status of the service, with its words', async () => {
    const failed = promisify(client.One.bind(client))(Buffer.from('fail'));
    await expect(failed).rejects.toMatchObject({ code: grpc.status.NOT_FOUND, details: 'no such thing: 无' });
  });

  test('client streaming: 100 MB', async () => {
    const piece = randomBytes(1 << 20);
    const hash = createHash('sha256');
    const reply = await new Promise((resolve, reject) => {
      const call = client.Up((error, value) => (error ? reject(error) : resolve(value)));
      (async () => {
        for (let i = 0; i < 100; ++i) {
          hash.update(piece);
          if (!call.write(piece)) await new Promise((next) => call.once('drain', next));
        }
        call.end();
      })();
    });
    expect(reply.toString()).toBe(`${100 << 20} ${hash.digest('hex')}`);
  });

  test('server streaming', async () => {
    const got = [];
    for await (const message of client.Down(Buffer.from('n'))) got.push(message.toString());
    expect(got).toEqual(Array.from({ length: 10 }, (_, i) => `n ${i}`));
  });

  test('both ways, in turn', async () => {
    const call = client.Both();
    const replies = call[Symbol.asyncIterator]();
    for (const word of ['one', 'two', 'three']) {
      call.write(Buffer.from(word));
      expect((await replies.next()).value.toString()).toBe(word.toUpperCase());
    }
    call.end();
    expect((await replies.next()).done).toBe(true);
  });

  test('a deadline ends it on both sides', async () => {
    cancelled.length = 0;
    const late = promisify((callback) => client.Never(Buffer.alloc(0), new grpc.Metadata(), { deadline: Date.now() + 200 }, callback));
    await expect(late()).rejects.toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
    await until(() => cancelled.includes('Never'), 'the service is told');
  });

  test('a client that cancels cancels the service', async () => {
    cancelled.length = 0;
    const call = client.Both();
    call.on('error', () => {});
    call.write(Buffer.from('x'));
    await new Promise((resolve) => call.once('data', resolve));
    call.cancel();
    await until(() => cancelled.includes('Both'), 'the service is told');
  });

  test('a method nobody serves is a status of the gateway', async () => {
    const stranger = new (grpc.makeGenericClientConstructor({ No: { ...talk.One, path: '/other.Service/No' } }, 'Other'))(...where());
    await expect(promisify(stranger.No.bind(stranger))(Buffer.alloc(0))).rejects.toMatchObject({ code: grpc.status.UNIMPLEMENTED });
    stranger.close();
  });
});

// ---- WebSocket

const opened = (url) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { ca: certificate.pem });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
const next = (socket, event) => new Promise((resolve) => socket.once(event, (...all) => resolve(all)));

describe('WebSocket', () => {
  test.each([['ws', () => `ws://127.0.0.1:${gateway.port}/chat`], ['wss', () => `wss://127.0.0.1:${tlsPort}/chat`]])('%s echoes, large messages too', async (_, url) => {
    const socket = await opened(url());
    for (const message of ['你好', randomBytes(5 << 20)]) {
      const reply = next(socket, 'message');
      socket.send(message);
      const [data, binary] = await reply;
      expect(sha(data)).toBe(sha(message));
      expect(binary).toBe(typeof message !== 'string');
    }
    socket.close(4001, 'enough');
    expect((await next(socket, 'close'))[0]).toBe(4001);
  });

  test('a route with a policy closes with 1009', async () => {
    const socket = await opened(`ws://127.0.0.1:${gateway.port}/short`);
    socket.send('x'.repeat(2000));
    expect((await next(socket, 'close'))[0]).toBe(1009);
  });

  test('a service that is talking hears all that was let through, and why it ends', async () => {
    const [connected, socket] = await Promise.all([next(chatServer, 'connection'), opened(`ws://127.0.0.1:${gateway.port}/calm`)]);
    let heard = 0;
    connected[0].on('message', () => heard++);
    const ends = next(connected[0], 'close');
    for (let i = 0; i < 60; ++i) socket.send('x'.repeat(2000));
    expect((await next(socket, 'close'))[0]).toBe(1008);
    expect((await ends)[0]).toBe(1001);
    expect(heard).toBeGreaterThanOrEqual(50);
  });

  test('a reload leaves a socket of an unchanged route alone and ends one of a changed one', async () => {
    const stays = await opened(`ws://127.0.0.1:${gateway.port}/chat`);
    const goes = await opened(`ws://127.0.0.1:${gateway.port}/short`);
    const since = gateway.log.length;
    gateway.write({ ...gateway.config, routes: config.routes.map((route) => (route.name === 'short' ? { ...route, websocket: { max_message_size: '2KB' } } : route)) });
    await until(() => gateway.logged('configuration applied', since), 'the reload');
    expect((await next(goes, 'close'))[0]).toBe(1012);
    stays.send('still here');
    expect((await next(stays, 'message'))[0].toString()).toBe('still here');
    stays.close();
    await next(stays, 'close');
  });
});

// ---- SSE

test('events arrive one by one, over HTTP/2 as well', async () => {
  const response = await fetch(secure('/web/events'), { dispatcher: agents['HTTP/2'] });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const pieces = [];
  for await (const piece of response.body) pieces.push(Buffer.from(piece).toString());
  expect(pieces.join('')).toBe([1, 2, 3, 4, 5].map((n) => `id: ${n}\ndata: token ${n}\n\n`).join(''));
  expect(pieces.length).toBeGreaterThanOrEqual(5);
});
