// SPDX-License-Identifier: MIT
// A real server behind the gateway, a real client in front of it.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Agent, request } from 'undici';
import { startGateway } from './support/gateway.mjs';
import { nginxIsInstalled, startNginx } from './support/nginx.mjs';

const MB = 1 << 20;
const large = randomBytes(10 * MB);
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(!nginxIsInstalled)('nginx', () => {
  let nginx, gateway, agent;

  beforeAll(async () => {
    nginx = await startNginx({
      files: { 'large.bin': large, 'page.html': '<p>hello</p>\n' },
      server: `
        location /files/ { add_header X-Connection "$connection:$connection_requests"; types { text/html html; } }
        location /status/404 { return 404 "not here\\n"; }
        location /status/418 { return 418 "teapot\\n"; }
        location /status/500 { return 500 "broken\\n"; }
        location /status/444 { return 444; }
        location /status/204 { return 204; }
        location /moved { return 302 /elsewhere; }
        location /private { auth_basic "here"; auth_basic_user_file /dev/null; }
        location /echo { client_body_in_single_buffer on; client_body_buffer_size 16m;
                         proxy_pass http://$server_addr:$server_port/swallow; proxy_set_header X-Length $content_length; }
        location /swallow { return 200 "$http_x_length"; }
        location /small { client_max_body_size 1k; proxy_pass http://127.0.0.1:1/; }`,
    });
    gateway = await startGateway({
      security: { max_request_size: 20 * MB },
      services: { web: nginx.service },
      routes: [{ prefix: '/', service: 'web' }],
    });
    agent = new Agent({ connections: 4 });
  });
  afterAll(async () => {
    await agent?.close();
    await gateway?.stop();
    await nginx?.stop();
  });

  const ask = async (path, options = {}) => {
    const { statusCode, headers, body } = await request(`${gateway.url}${path}`, { dispatcher: agent, ...options });
    return { status: statusCode, headers, body: Buffer.from(await body.arrayBuffer()) };
  };

  test('10 MB come down unchanged', async () => {
    for (let i = 0; i < 3; ++i) {
      const response = await ask('/files/large.bin');
      expect(response.headers['content-length']).toBe(String(large.length));
      expect(sha(response.body)).toBe(sha(large));
    }
  });

  test('four times 10 MB at once', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => ask('/files/large.bin')));
    for (const { body } of all) expect(sha(body)).toBe(sha(large));
  });

  test('a part of it', async () => {
    const response = await ask('/files/large.bin', { headers: { range: 'bytes=1000-1999' } });
    expect(response.status).toBe(206);
    expect(response.headers['content-range']).toBe(`bytes 1000-1999/${large.length}`);
    expect(response.body.equals(large.subarray(1000, 2000))).toBe(true);
  });

  test('only if it has changed', async () => {
    const { headers } = await ask('/files/page.html');
    const again = await ask('/files/page.html', { headers: { 'if-none-match': headers.etag } });
    expect(again.status).toBe(304);
    expect(again.headers.etag).toBe(headers.etag);
    expect(again.body.length).toBe(0);
  });

  test('HEAD tells the length and sends nothing', async () => {
    const response = await ask('/files/large.bin', { method: 'HEAD' });
    expect(response.headers['content-length']).toBe(String(large.length));
    expect(response.body.length).toBe(0);
  });

  test('10 MB go up, with a length', async () => {
    const response = await ask('/echo', { method: 'POST', body: large });
    expect(response.status).toBe(200);
    expect(response.body.toString()).toBe(String(large.length));
  });

  test('and in chunks', async () => {
    const pieces = (async function* () {
      for (let at = 0; at < large.length; at += 100_000) yield large.subarray(at, at + 100_000);
    })();
    const response = await ask('/echo', { method: 'POST', body: pieces });
    expect(response.status).toBe(200);
    expect(response.body.toString()).toBe(String(large.length));
  });

  test('its connections are kept and used again', async () => {
    const seen = [];
    for (let i = 0; i < 10; ++i) seen.push((await ask('/files/page.html')).headers['x-connection'].split(':'));
    const connections = new Set(seen.map(([connection]) => connection));
    expect(connections.size).toBe(1);
    expect(Number(seen.at(-1)[1])).toBeGreaterThanOrEqual(10);
  });

  test.each([
    [404, 'not here\n'],
    [418, 'teapot\n'],
    [500, 'broken\n'],
  ])('its %d is its own, not ours', async (status, text) => {
    const response = await ask(`/status/${status}`);
    expect(response.status).toBe(status);
    expect(response.body.toString()).toBe(text);
    expect(response.headers.server).toMatch(/nginx/);
  });

  test('204 and 302', async () => {
    expect((await ask('/status/204')).status).toBe(204);
    const moved = await ask('/moved');
    expect(moved.status).toBe(302);
    expect(moved.headers.location).toMatch(/elsewhere$/);
  });

  test('its refusal of a body reaches a client that is still sending it', async () => {
    const response = await ask('/small', { method: 'POST', body: large.subarray(0, 2 * MB) });
    expect(response.status).toBe(413);
  });

  test('a connection it closes without a word is a 502 of ours', async () => {
    const response = await ask('/status/444');
    expect(response.status).toBe(502);
    expect(JSON.parse(response.body).code).toBe('upstream_reset');
  });
});
