// SPDX-License-Identifier: MIT
// A service is where a name says, and goes where the name goes.
import { afterAll, beforeAll, expect, test } from 'vitest';
import dgram from 'node:dgram';
import http from 'node:http';
import { freePort, startGateway } from './support/gateway.mjs';
import { until } from './support/wait.mjs';

let server, gateway, addresses, here, there;

/** Answers A questions with `addresses`, for a second; knows no IPv6. */
function answer(question) {
  let end = 12;
  while (question[end] !== 0) end += question[end] + 1;
  const type = question.readUInt16BE(end + 1);
  const asked = question.subarray(12, end + 5);
  const found = type === 1 ? addresses : [];
  const head = Buffer.from([question[0], question[1], 0x81, 0x80, 0, 1, 0, found.length, 0, 0, 0, 0]);
  const records = found.map((address) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]));
  return Buffer.concat([head, asked, ...records]);
}

const instance = async (name, host, port) => {
  const all = http.createServer((_, response) => response.setHeader('X-Instance', name).end('hello'));
  await new Promise((resolve) => all.listen(port, host, resolve));
  return all;
};
const asked = async () => (await fetch(`${gateway.url}/users`)).headers.get('x-instance');

beforeAll(async () => {
  const port = await freePort();
  here = await instance('here', '127.0.0.1', port);
  there = await instance('there', '127.0.0.2', port);
  addresses = ['127.0.0.1'];
  server = dgram.createSocket('udp4');
  server.on('message', (question, from) => server.send(answer(question), from.port, from.address));
  await new Promise((resolve) => server.bind(0, '127.0.0.1', resolve));
  gateway = await startGateway({
    service_discovery: { dns_servers: [`127.0.0.1:${server.address().port}`] },
    services: { users: { discovery: { dns: { name: 'users.test', port } } } },
    routes: [{ prefix: '/users', service: 'users' }],
  });
});

afterAll(async () => {
  await gateway?.stop();
  server?.close();
  for (const each of [here, there]) {
    each?.close();
    each?.closeAllConnections?.();
  }
});

test('an answer that changes moves the traffic, and one that fails changes nothing', async () => {
  await until(async () => (await asked()) === 'here', 'the first answer');
  addresses = ['127.0.0.2'];
  await until(async () => (await asked()) === 'there', 'the new answer', 12_000);
  server.removeAllListeners('message');
  await until(() => gateway.log.find((line) => line.message === 'discovery.failed'), 'the failure is told', 25_000);
  expect(await asked()).toBe('there');
}, 45_000);
