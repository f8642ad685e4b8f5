// SPDX-License-Identifier: MIT
// Thousands of streams that last: a reload that is none of their business leaves them alone, and a drain ends each
// in its own protocol's words, spread over the window.
import http from 'node:http';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startGateway } from './support/gateway.mjs';
import { kind } from './support/grpc.mjs';
import { until } from './support/wait.mjs';

const SOCKETS = 2000, EVENTS = 500, CALLS = 200;
const both = { Both: kind('Both', true, true) };
let gateway, web, chat, talker, config;

beforeAll(async () => {
  web = http.createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('id: 1\ndata: hello\n\n');
  });
  await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve));
  chat = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4096 });
  chat.on('connection', (socket) => socket.on('message', (data) => socket.send(data.toString())));
  talker = new grpc.Server();
  talker.addService(both, { Both: (call) => call.on('data', (data) => call.write(data)).on('end', () => call.end()) });
  const calls = await promisify(talker.bindAsync.bind(talker))('127.0.0.1:0', grpc.ServerCredentials.createInsecure());
  const at = (port, more) => ({ endpoints: [{ host: '127.0.0.1', port }], ...more });
  config = {
    server: { workers: 2, drain_timeout: '5s' },
    performance: { connection_pool: { max_connections: 5000 } },
    services: { web: at(web.address().port), chat: at(chat.address().port), talk: at(calls, { protocol: 'h2' }) },
    routes: [
      { name: 'events', prefix: '/events', service: 'web' },
      { name: 'chat', prefix: '/chat', service: 'chat' },
      { name: 'talk', grpc: { service: 'suoke.Talk' }, service: 'talk' },
    ],
  };
  gateway = await startGateway(config);
}, 60_000);

afterAll(async () => {
  web.closeAllConnections();
  web.close();
  for (const socket of chat.clients) socket.terminate();
  chat.close();
  talker.forceShutdown();
});

const socket = () =>
  new Promise((resolve, reject) => {
    const made = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`, { perMessageDeflate: false });
    made.ended = new Promise((end) => made.once('close', (code) => end({ code, at: Date.now() })));
    made.once('open', () => resolve(made));
    made.once('error', reject);
  });

const events = () =>
  new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port: gateway.port, path: '/events', agent: false }, (response) => {
      const stream = { text: '' };
      response.setEncoding('utf8').on('data', (text) => (stream.text += text));
      stream.ended = new Promise((end) => {
        response.once('end', () => end('in order'));
        response.once('error', (error) => end(error.code));
      });
      response.once('data', () => resolve(stream));
    });
    request.once('error', reject);
  });

async function inWaves(count, make) {
  const all = [];
  while (all.length < count) all.push(...(await Promise.all(Array.from({ length: Math.min(100, count - all.length) }, make))));
  return all;
}

test('a reload leaves them alone and a drain ends them in order, not all at once', async () => {
  const sockets = await inWaves(SOCKETS, socket);
  const streams = await inWaves(EVENTS, events);
  const client = new (grpc.makeGenericClientConstructor(both, 'Talk'))(`127.0.0.1:${gateway.port}`, grpc.credentials.createInsecure());
  const calls = Array.from({ length: CALLS }, () => {
    const call = client.Both();
    call.replies = 0;
    call.on('data', () => ++call.replies);
    call.ended = new Promise((end) => call.once('status', end));
    call.on('error', () => {});
    call.write(Buffer.from('x'));
    return call;
  });
  // The gateway offers 128 streams a connection; grpc-js keeps the others waiting for theirs.
  const running = () => calls.filter((call) => call.replies === 1);
  await until(() => running().length >= 100, 'the calls run');

  const lost = [];
  sockets.forEach((one) => one.ended.then(() => lost.push('socket')));
  streams.forEach((one) => one.ended.then(() => lost.push('events')));
  const since = gateway.log.length;
  gateway.write({ ...gateway.config, routes: [...config.routes, { name: 'new', path: '/new', respond: { body: 'new' } }] });
  await until(() => gateway.logged('configuration applied', since), 'the reload');
  const echoes = sockets.map((one) => new Promise((resolve) => one.once('message', (data) => resolve(data.toString()))));
  sockets.forEach((one) => one.send('still here'));
  expect(new Set(await Promise.all(echoes))).toEqual(new Set(['still here']));
  expect(lost).toEqual([]);

  const began = Date.now();
  gateway.process.kill('SIGTERM');
  const closes = await Promise.all(sockets.map((one) => one.ended));
  expect(new Set(closes.map(({ code }) => code))).toEqual(new Set([1001]));
  const after = closes.map(({ at }) => at - began).sort((a, b) => a - b);
  expect(after[after.length >> 1]).toBeGreaterThan(500); // spread over the window: the middle one is neither first nor last
  expect(after[after.length - 1] - after[0]).toBeGreaterThan(2000);
  expect(new Set(await Promise.all(streams.map((one) => one.ended)))).toEqual(new Set(['in order']));
  for (const { text } of streams) expect(text).toMatch(/retry: \d+\n/);
  await Promise.all(running().map((call) => call.ended));
  expect(await gateway.exit).toMatchObject({ code: 0 });
  client.close();
}, 90_000);
