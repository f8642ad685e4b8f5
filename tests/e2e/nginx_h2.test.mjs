// SPDX-License-Identifier: MIT
// nginx as an upstream that speaks HTTP/2, and that says goodbye often.
import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from './support/certificate.mjs';
import { startGateway } from './support/gateway.mjs';
import { underLoad } from './support/load.mjs';
import { nginxIsInstalled, startNginx } from './support/nginx.mjs';
import { startUpstream } from './support/upstream.mjs';
import { until } from './support/wait.mjs';

const certificate = makeCertificate();
afterAll(() => rmSync(certificate.directory, { recursive: true }));
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

const WAYS = {
  'in the clear': { listen: 'http2', tls: {} },
  'over TLS': { listen: 'ssl http2', tls: { enabled: true, ca_file: certificate.cert_file, server_name: 'localhost' } },
};

describe.skipIf(!nginxIsInstalled).each(Object.entries(WAYS))('nginx by HTTP/2 %s', (_, { listen, tls }) => {
  let behind, running = []; // behind: who answers what nginx passes on

  beforeAll(async () => {
    behind = await startUpstream((exchange) => behind.answer(exchange));
  });
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop();
    expect(behind.violations.splice(0)).toEqual([]);
  });
  afterAll(() => behind?.stop());

  /** A gateway before an nginx that obeys `directives`, too. */
  async function start(directives = '') {
    const nginx = await startNginx({
      listen,
      server: `
        ssl_certificate ${certificate.cert_file};
        ssl_certificate_key ${certificate.key_file};
        add_header X-Spoken $server_protocol;
        add_header X-Connection $connection;
        add_header X-Worker $pid;
        location /hello { return 200 hello; }
        location /behind { proxy_pass http://127.0.0.1:${behind.port}; proxy_http_version 1.1; }
        ${directives}`,
    });
    const gateway = await startGateway({
      security: { max_request_size: '20MB' },
      services: { web: { ...nginx.service, protocol: 'h2', tls } },
      routes: [{ prefix: '/', service: 'web' }],
    });
    running = [gateway, nginx];
    const ask = async (path, options) => {
      const { statusCode, headers, body } = await request(`${gateway.url}${path}`, options);
      return { status: statusCode, headers, text: await body.text() };
    };
    return { nginx, gateway, ask };
  }

  /** Nobody is answered before `count` have asked. */
  function answerTogether(count) {
    const waiting = [];
    behind.answer = async (exchange) => {
      waiting.push(exchange);
      if (waiting.length === count) await Promise.all(waiting.splice(0).map((each) => each.reply(200, {}, each.target)));
    };
  }

  test('GET', async () => {
    const { ask } = await start();
    const response = await ask('/hello');
    expect(response).toMatchObject({ status: 200, text: 'hello' });
    expect(response.headers['x-spoken']).toBe('HTTP/2.0');
  });

  test('a POST of 1 MB', async () => {
    behind.answer = async (exchange) => exchange.reply(200, {}, sha(await exchange.body()));
    const { ask } = await start('client_max_body_size 2m; client_body_buffer_size 2m;');
    const body = randomBytes(1 << 20);
    for (let i = 0; i < 3; ++i) expect(await ask('/behind', { method: 'POST', body })).toMatchObject({ status: 200, text: sha(body) });
  });

  test('ten exchanges at once share a connection', async () => {
    const { ask } = await start();
    const first = await ask('/hello');
    answerTogether(10);
    const all = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(`/behind/${i}`)));
    expect(all.map(({ text }) => text)).toEqual(Array.from({ length: 10 }, (_, i) => `/behind/${i}`));
    for (const { headers } of all) expect(headers['x-connection']).toBe(first.headers['x-connection']);
  });

  test('two streams a connection: twenty at once take as many connections as they need', async () => {
    const { ask } = await start('http2_max_concurrent_streams 2;');
    answerTogether(20);
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`/behind/${i}`)));
    expect(all.map(({ status, text }) => `${status} ${text}`)).toEqual(Array.from({ length: 20 }, (_, i) => `200 /behind/${i}`));
    expect(new Set(all.map(({ headers }) => headers['x-connection'])).size).toBeGreaterThanOrEqual(10);
  });

  test.each([['GET', undefined], ['POST', 'some words']])('a GOAWAY every few requests: none of 500 %s fails', async (method, body) => {
    behind.answer = async (exchange) => exchange.reply(200, {}, String(await exchange.body()));
    const { ask } = await start('keepalive_requests 7;');
    const failures = [];
    const connections = new Set();
    const client = async () => {
      for (let i = 0; i < 25; ++i) {
        const { status, headers, text } = await ask('/behind', { method, body });
        connections.add(headers['x-connection']);
        if (status !== 200 || text !== (body ?? '')) failures.push(`${status} ${text}`);
      }
    };
    await Promise.all(Array.from({ length: 20 }, client));
    expect(failures).toEqual([]);
    expect(connections.size).toBeGreaterThanOrEqual(500 / 7);
  });

  test('it reloads in the middle of traffic and no request fails', async () => {
    const { nginx, gateway, ask } = await start();
    const worker = async () => (await ask('/hello')).headers['x-worker'];
    const failures = await underLoad(`${gateway.url}/hello`, async () => {
      for (let i = 0; i < 5; ++i) {
        const before = await worker();
        nginx.reload();
        await until(async () => (await worker()) !== before, 'the new worker');
      }
    });
    expect(failures).toEqual([]);
  });
});
