// SPDX-License-Identifier: MIT
// SIGTERM: what runs is finished, what is new finds the door closed, and the exit code is 0.
import { afterEach, expect, test } from 'vitest';
import { Agent, request } from 'undici';
import { startGateway } from './support/gateway.mjs';
import { connect, get, leaveAll } from './support/raw.mjs';
import { startUpstream } from './support/upstream.mjs';
import { sleep, until, within } from './support/wait.mjs';

const toStop = [];
afterEach(async () => {
  leaveAll();
  for (const one of toStop.splice(0).reverse()) await one.stop();
});

async function scene(script, server = {}) {
  const upstream = await startUpstream(script);
  toStop.push(upstream);
  const gateway = await startGateway({
    server,
    services: { backend: upstream.service },
    routes: [{ prefix: '/', service: 'backend' }],
  });
  toStop.push(gateway);
  return { upstream, gateway };
}

const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';

test('under load no request fails; only connecting does, once the door is closed', async () => {
  const { gateway } = await scene(async (exchange) => {
    await sleep(2);
    await exchange.reply(200, {}, 'hello');
  }, { workers: 2 });
  const agent = new Agent({ connections: 32, pipelining: 1 });
  const failures = [];
  let answered = 0;
  const loops = Array.from({ length: 32 }, async () => {
    for (;;) {
      try {
        const { statusCode, body } = await request(`${gateway.url}/a`, { dispatcher: agent });
        const text = await body.text();
        if (statusCode !== 200 || text !== 'hello') failures.push(`${statusCode} ${text}`);
        ++answered;
      } catch (error) {
        if (error.code === 'ECONNREFUSED') return;
        failures.push(`${error.code}: ${error.message}`);
        if (failures.length > 50) return;
      }
    }
  });
  await until(() => answered > 500);
  gateway.signal('SIGTERM');
  await Promise.all(loops);
  await agent.close();
  expect(failures).toEqual([]);
  expect(await within(5_000, gateway.exit, 'the exit')).toEqual({ code: 0, signal: null });
});

test('an idle gateway leaves at once, idle connections and all', async () => {
  const { gateway } = await scene();
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(gateway.port)));
  for (const client of clients) {
    await client.send(GET);
    await client.response();
  }
  gateway.signal('SIGTERM');
  expect(await within(2_500, gateway.exit, 'the exit')).toEqual({ code: 0, signal: null });
  for (const client of clients) expect(await client.ended()).toBe('closed');
});

test('SIGINT does the same', async () => {
  const { gateway } = await scene();
  gateway.signal('SIGINT');
  expect(await within(2_000, gateway.exit, 'the exit')).toEqual({ code: 0, signal: null });
});

test('a long exchange is finished, with its end announced; readiness is red meanwhile', async () => {
  let finish;
  const { gateway } = await scene(async (exchange) => {
    await new Promise((resolve) => (finish = resolve));
    await exchange.reply(200, {}, 'worth waiting for');
  });
  const watcher = await connect(gateway.port);
  const ready = async () => {
    await watcher.send('GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n');
    return (await watcher.response()).status;
  };
  expect(await ready()).toBe(200);
  const client = await connect(gateway.port);
  await client.send(GET);
  await until(() => finish);
  gateway.signal('SIGTERM');
  await until(() => gateway.logged('draining'));
  expect(await ready()).toBe(503);
  finish();
  const response = await client.response();
  expect(response.text).toBe('worth waiting for');
  expect(response.headers.get('connection')).toBe('close');
  expect(await within(2_500, gateway.exit, 'the exit')).toEqual({ code: 0, signal: null });
});

test('what takes longer than drain_timeout is cut', async () => {
  const { gateway, upstream } = await scene((exchange) => exchange.abandoned(), { drain_timeout: '500ms' });
  const client = await connect(gateway.port);
  await client.send(GET);
  await until(() => upstream.last);
  const began = Date.now();
  gateway.signal('SIGTERM');
  expect(await within(3_000, gateway.exit, 'the exit')).toEqual({ code: 0, signal: null });
  expect(Date.now() - began).toBeGreaterThanOrEqual(490);
  await client.ended();
});

test('the second signal does not wait', async () => {
  const { gateway, upstream } = await scene((exchange) => exchange.abandoned(), { drain_timeout: '30s' });
  const client = await connect(gateway.port);
  await client.send(GET);
  await until(() => upstream.last);
  gateway.signal('SIGTERM');
  await until(() => gateway.logged('draining'));
  gateway.signal('SIGTERM');
  expect(await within(1_500, gateway.exit, 'the exit')).toEqual({ code: 0, signal: null });
});

test('a request that was on its way when the signal came is answered', async () => {
  const { gateway } = await scene();
  const client = await connect(gateway.port);
  await client.send('GET /a HTTP/1.1\r\nHo');
  await until(() => gateway.descriptors > 0);
  gateway.signal('SIGTERM');
  await until(() => gateway.logged('draining'));
  await client.send('st: a\r\n\r\n');
  expect((await within(2_000, client.response())).status).toBe(200);
  expect(await within(2_500, gateway.exit, 'the exit')).toEqual({ code: 0, signal: null });
});
