// SPDX-License-Identifier: MIT
// Unix sockets on both sides: the gateway listens on a path with all its workers and forwards to one.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gateway } from './support/gateway.mjs';

const directory = mkdtempSync(join(tmpdir(), 'suoke-unix-'));
const front = join(directory, 'front.sock');
const back = join(directory, 'back.sock');
let upstream, gateway;

beforeAll(async () => {
  upstream = http.createServer((request, response) => response.end(`${request.headers.host} ${request.url}`));
  await new Promise((resolve) => upstream.listen(back, resolve));
  gateway = await new Gateway({
    server: { host: `unix:${front}`, workers: 2, unix_mode: '0600' },
    services: { backend: { endpoints: [{ host: `unix:${back}` }] } },
    routes: [{ name: 'all', prefix: '/', service: 'backend', strip_prefix: false }],
  }).ready();
});

afterAll(async () => {
  await gateway?.stop();
  upstream?.close();
  rmSync(directory, { recursive: true, force: true });
});

const ask = (path) =>
  new Promise((resolve, reject) => {
    const request = http.get({ socketPath: front, path, headers: { host: 'api' }, agent: false }, async (response) => {
      let text = '';
      for await (const piece of response) text += piece;
      resolve({ status: response.statusCode, text });
    });
    request.on('error', reject);
  });

test('requests come in and go out through paths', async () => {
  expect(await ask('/users/7')).toEqual({ status: 200, text: 'localhost /users/7' });
  expect(statSync(front).mode & 0o777).toBe(0o600);
});

test('many at once are all answered, whichever worker takes them', async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(`/${i}`)));
  expect(answers.map((answer) => answer.status)).toEqual(Array(100).fill(200));
});

test('the file goes with the gateway', async () => {
  await gateway.stop();
  expect(existsSync(front)).toBe(false);
});
