// SPDX-License-Identifier: MIT
// Many at once: those who wait, those who dawdle, and more than there are descriptors for.
import { afterEach, describe, expect, test } from 'vitest';
import { startGateway } from './support/gateway.mjs';
import { connect, get, leaveAll } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { startUpstream } from './support/upstream.mjs';
import { sleep, until, within } from './support/wait.mjs';

const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
const scene = await setScene({ server: { workers: 2, header_timeout: '2s' } });

/** Opens connections a hundred at a time. */
async function crowd(count, port = scene.port) {
  const all = [];
  while (all.length < count)
    all.push(...(await Promise.all(Array.from({ length: Math.min(100, count - all.length) }, () => connect(port)))));
  return all;
}

/** The slowest of some ordinary requests, in milliseconds. */
async function slowestOf(count) {
  let slowest = 0;
  for (let i = 0; i < count; ++i) {
    const began = performance.now();
    expect((await get(scene.port, '/a')).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - began);
  }
  return slowest;
}

test('2,000 connections cost little while they idle, and are all answered at once', async () => {
  scene.script = (exchange) => exchange.reply(200, {}, 'hello');
  const clients = [];
  const before = scene.gateway.memory;
  for (let i = 0; i < 40; ++i) {
    const some = await crowd(50);
    await Promise.all(some.map((client) => client.send(GET)));
    for (const client of some) expect((await client.response()).text).toBe('hello');
    clients.push(...some);
  }
  // An idle connection holds no buffer: what it costs is its coroutine and its socket.
  expect((scene.gateway.memory - before) / clients.length).toBeLessThan(8 * 1024);

  await Promise.all(clients.map((client) => client.send(GET)));
  const answers = await Promise.all(clients.map((client) => client.response()));
  expect(answers.every((answer) => answer.text === 'hello')).toBe(true);
}, 20_000);

test('500 heads that do not end: others are answered at once, they get 408', async () => {
  scene.script = (exchange) => exchange.reply(200, {}, 'hello');
  const slow = await crowd(500);
  const answers = slow.map((client) => client.response());
  await Promise.all(slow.map((client) => client.send('GET /a HTTP/1.1\r\nHost: ')));
  const drip = setInterval(() => slow.forEach((client) => client.send('a')), 200);
  expect(await slowestOf(50)).toBeLessThan(500);
  const statuses = (await within(5_000, Promise.all(answers))).map((answer) => answer.status);
  clearInterval(drip);
  expect(new Set(statuses)).toEqual(new Set([408]));
});

test('50 readers that do not read: others are answered at once', async () => {
  const piece = Buffer.alloc(64 * 1024);
  let sent = 0;
  scene.script = async (exchange) => {
    if (exchange.target !== '/endless') return exchange.reply(200, {}, 'hello');
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
    for (; exchange.connection.bytes.open; sent += piece.length) await exchange.send(piece);
  };
  const before = scene.gateway.memory;
  const readers = await crowd(50);
  for (const reader of readers) {
    reader.socket.pause();
    await reader.send('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
  }
  await until(() => scene.upstream.requests.filter((r) => r.target === '/endless').length === 50);
  // Once every buffer between the two ends is full, nothing moves any more.
  for (let last = -1; last !== sent; await sleep(200)) last = sent;
  expect(await slowestOf(20)).toBeLessThan(500);
  expect((scene.gateway.memory - before) / readers.length).toBeLessThan(256 * 1024);
  for (const reader of readers) reader.leave();
});

describe('with 128 descriptors', () => {
  const toStop = [];
  afterEach(async () => {
    leaveAll();
    for (const one of toStop.splice(0).reverse()) await one.stop();
  });

  test('accepting pauses, costs nothing meanwhile, and goes on afterwards', async () => {
    const upstream = await startUpstream((exchange) => exchange.reply(200, {}, 'hello'));
    toStop.push(upstream);
    const gateway = await startGateway(
      { services: { backend: upstream.service }, routes: [{ prefix: '/', service: 'backend' }] },
      { ulimit: 128 },
    );
    toStop.push(gateway);
    expect((await get(gateway.port, '/a')).status).toBe(200);

    const clients = await crowd(200, gateway.port); // the kernel accepts them; the gateway cannot
    await until(() => gateway.descriptors >= 126, 'every descriptor is in use');
    const before = gateway.cpu;
    await sleep(1_000);
    expect(gateway.cpu - before, 'seconds of processor time in one second').toBeLessThan(0.2);
    expect(gateway.alive).toBe(true);

    for (const client of clients) client.leave();
    await until(() => gateway.descriptors < 60, 'they are closed');
    expect((await within(3_000, get(gateway.port, '/a'))).text).toBe('hello');
    const metrics = (await get(gateway.port, '/metrics')).text;
    expect(Number(/^suoke_gateway_accept_pauses_total (\d+)/m.exec(metrics)[1])).toBeGreaterThan(0);
  });
});

describe('server.max_connections', () => {
  test('closes what comes beyond it, at once', async () => {
    const gateway = await startGateway({ server: { max_connections: 5, workers: 1 }, routes: [{ path: '/a', respond: { body: 'hello' } }] });
    try {
      const clients = await crowd(5, gateway.port);
      for (const client of clients) {
        await client.send(GET);
        expect((await client.response()).text).toBe('hello');
      }
      // Its reset may be here before its connection is told.
      const sixth = await connect(gateway.port).catch((error) => error);
      if (sixth instanceof Error) expect(sixth.code).toBe('ECONNRESET');
      else await within(500, sixth.ended(), 'closing the sixth');
    } finally {
      leaveAll();
      await gateway.stop();
    }
  });
});
