// SPDX-License-Identifier: MIT
// A client that leaves takes its upstream request with it, wherever it leaves.
import { expect, test } from 'vitest';
import { connect } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { until, within } from './support/wait.mjs';

const scene = await setScene();
const HOST = 'Host: gateway.test\r\n';
const AT_ONCE = 200;

/** The upstream's connection ends within 200 ms, and the log says why. */
async function noticed(name) {
  await within(AT_ONCE, scene.upstream.last.abandoned(), 'closing the upstream connection');
  const line = await scene.gateway.accessLine((l) => l.request_id === name);
  expect(line.reason).toBe('client_gone');
  return line;
}

const get = (id) => `GET /wait HTTP/1.1\r\n${HOST}X-Request-ID: ${id}\r\n\r\n`;

test.each(['leave', 'reset'])('while it waits for the answer (%s)', async (how) => {
  scene.script = (exchange) => exchange.abandoned();
  const client = await connect(scene.port);
  const asked = scene.upstream.next();
  await client.send(get(`waiting-${how}`));
  await asked;
  client[how]();
  expect((await noticed(`waiting-${how}`)).status_code).toBe(499);
});

test('in the middle of a stream that is silent', async () => {
  scene.script = async (exchange) => {
    await exchange.begin();
    await exchange.chunk('hello');
    await exchange.abandoned();
  };
  const client = await connect(scene.port);
  await client.send(get('streaming'));
  await until(() => client.bytes.peek().includes('hello'));
  client.leave();
  expect((await noticed('streaming')).status_code).toBe(200);
});

test('in the middle of a download', async () => {
  scene.script = async (exchange) => {
    await exchange.begin();
    while (exchange.connection.bytes.open) await exchange.chunk('x'.repeat(50_000));
  };
  const client = await connect(scene.port);
  await client.send(get('downloading'));
  await until(() => client.bytes.size > 1_000_000);
  client.leave();
  await noticed('downloading');
});

test('in the middle of its own upload', async () => {
  let got = 0;
  scene.script = async (exchange) => {
    for await (const piece of exchange.pieces()) got += piece.length;
  };
  const client = await connect(scene.port);
  await client.send(`POST /up HTTP/1.1\r\n${HOST}X-Request-ID: uploading\r\nContent-Length: 100000\r\n\r\nthe beginning`);
  await until(() => got > 0);
  client.leave();
  await within(AT_ONCE, scene.upstream.last.abandoned(), 'closing the upstream connection');
  const line = await scene.gateway.accessLine((l) => l.request_id === 'uploading');
  expect(['client_gone', 'body_truncated']).toContain(line.reason);
});

test('a body cut short is never forwarded as a whole one', async () => {
  let whole = false;
  scene.script = async (exchange) => {
    await exchange.body();
    whole = true;
  };
  for (const framing of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
    const client = await connect(scene.port);
    const asked = scene.upstream.next();
    await client.send(`POST /cut HTTP/1.1\r\n${HOST}${framing}\r\n\r\n${framing.includes('chunked') ? '5\r\nhello\r\n' : 'hello'}`);
    await asked;
    client.finish();
    await within(1_000, scene.upstream.last.abandoned(), 'closing the upstream connection');
  }
  expect(whole).toBe(false);
});

test('with requests still in the pipe: none of them is asked', async () => {
  scene.script = (exchange) => exchange.abandoned();
  const before = scene.upstream.requests.length;
  const client = await connect(scene.port);
  const asked = scene.upstream.next();
  await client.send(get('first'), get('second'), get('third'));
  await asked;
  client.leave();
  await noticed('first');
  expect(scene.upstream.requests.length - before).toBe(1);
});

test('the gateway keeps nothing of all those', async () => {
  await until(() => scene.gateway.accessLines.length >= 8, 'every exchange is accounted for');
  const baseline = scene.gateway.descriptors;
  scene.script = (exchange) => exchange.abandoned();
  const clients = await Promise.all(Array.from({ length: 50 }, () => connect(scene.port)));
  for (const client of clients) await client.send(get('many'));
  await until(() => scene.gateway.descriptors >= baseline + 100, 'fifty exchanges in flight');
  for (const client of clients) client.leave();
  await until(() => scene.gateway.descriptors <= baseline, 'all descriptors are given back');
});
