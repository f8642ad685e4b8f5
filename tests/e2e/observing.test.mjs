// SPDX-License-Identifier: MIT
// What the gateway tells about itself: health, metrics and the access log.
import { describe, expect, test } from 'vitest';
import { connect, get, post } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { echo } from './support/upstream.mjs';
import { until } from './support/wait.mjs';

const scene = await setScene({
  app: { name: 'suoke-test', environment: 'testing' },
  routes: [
    { name: 'user', path: '/users/{id}', service: 'backend' },
    { name: 'everything else', prefix: '/api', service: 'backend' },
  ],
});
scene.script = echo;

const json = async (path) => {
  const response = await get(scene.port, path);
  expect(response.headers.get('content-type')).toBe('application/json');
  return { status: response.status, body: JSON.parse(response.text) };
};

describe('built-in endpoints', () => {
  test('/', async () => {
    expect(await json('/')).toMatchObject({ status: 200, body: { service: 'suoke-test', status: 'running' } });
  });
  test.each(['/health', '/health/'])('%s', async (path) => {
    const { status, body } = await json(path);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'healthy', service: 'suoke-test', environment: 'testing' });
    expect(body.services.backend).toEqual({ status: 'healthy', healthy_endpoints: 1, total_endpoints: 1 });
    expect(Date.parse(body.timestamp)).toBeGreaterThan(Date.now() - 5_000);
    expect(body.uptime).toBeGreaterThan(0);
  });
  test('/health/live and /health/ready', async () => {
    expect(await json('/health/live')).toEqual({ status: 200, body: { status: 'alive' } });
    expect(await json('/health/ready')).toEqual({ status: 200, body: { status: 'ready' } });
  });
});

describe('/metrics', () => {
  /** Parses the text format, refusing what a scraper would refuse. */
  async function scrape(path = '/metrics') {
    const response = await get(scene.port, path);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const types = new Map();
    const samples = new Map();
    for (const line of response.text.trimEnd().split('\n')) {
      const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
      if (type) {
        expect(types.has(type[1]), line).toBe(false);
        types.set(type[1], type[2]);
      } else if (!line.startsWith('# HELP ')) {
        const sample = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (NaN|[+-]Inf|-?\d[\d.e+-]*)$/.exec(line);
        expect(sample, line).not.toBeNull();
        expect(types.has(sample[1]) || types.has(sample[1].replace(/_(bucket|sum|count)$/, '')), line).toBe(true);
        const series = sample[1] + (sample[2] ?? '');
        expect(samples.has(series), line).toBe(false);
        samples.set(series, Number(sample[3].replace('Inf', 'Infinity')));
      }
    }
    return samples;
  }

  const answered = 'suoke_gateway_requests_total{method="GET",path="/users/{id}",route="user",status_code="200"}';

  test('counts by template, and nothing twice', async () => {
    const before = (await scrape()).get(answered) ?? 0;
    for (let i = 0; i < 5; ++i) await get(scene.port, `/users/${i}?token=secret${i}`);
    const after = await scrape();
    expect(after.get(answered) - before).toBe(5);
    expect([...after.keys()].join('\n')).not.toMatch(/secret|\/users\/\d/);
  });

  test('counts failures by reason', async () => {
    await get(scene.port, '/nowhere');
    scene.script = (exchange) => exchange.close();
    await get(scene.port, '/users/1');
    scene.script = echo;
    const client = await connect(scene.port);
    await client.send('nonsense\r\n\r\n');
    await client.response();
    const samples = await scrape();
    const errors = [...samples].filter(([name]) => name.startsWith('suoke_gateway_errors_total'));
    for (const reason of ['no_route', 'upstream_reset', 'malformed_request']) {
      const sum = errors.filter(([name]) => name.includes(`error_type="${reason}"`)).reduce((n, [, value]) => n + value, 0);
      expect(sum, reason).toBeGreaterThanOrEqual(1);
    }
  });

  test('shows connections and reuse', async () => {
    const clients = await Promise.all(Array.from({ length: 7 }, () => connect(scene.port)));
    await until(async () => (await scrape()).get('suoke_gateway_active_connections') === 8, 'seven connections and ours');
    for (const client of clients) client.leave();
    await until(async () => (await scrape()).get('suoke_gateway_active_connections') === 1, 'ours alone');
    expect((await scrape()).get('suoke_gateway_upstream_connections_reused_total')).toBeGreaterThan(0);
  });

  test('has an older address too', async () => {
    expect((await scrape('/metrics/prometheus')).get('process_open_fds')).toBeGreaterThan(5);
  });
});

describe('the access log', () => {
  const lineOf = (id) => scene.gateway.accessLine((line) => line.request_id === id);

  test('tells one exchange in one line', async () => {
    await post(scene.port, '/users/li?token=secret', 'hello', {
      'X-Request-ID': 'one',
      'User-Agent': 'vitest "quoted"',
      Authorization: 'Bearer secret',
      Cookie: 'session=secret',
    });
    const line = await lineOf('one');
    expect(line).toMatchObject({
      level: 'info',
      method: 'POST',
      route: 'user',
      path: '/users/{id}',
      status_code: 200,
      request_size_bytes: 5,
      client_ip: '127.0.0.1',
      user_agent: 'vitest "quoted"',
      protocol: 'HTTP/1.1',
      service: 'backend',
      instance: `127.0.0.1:${scene.upstream.port}`,
      attempts: 1,
    });
    expect(line.response_time_ms).toBeGreaterThan(0);
    expect(line.response_size_bytes).toBeGreaterThan(0);
    expect(Date.parse(line.timestamp)).toBeGreaterThan(Date.now() - 10_000);
    expect(line.reason).toBeUndefined();
  });

  test('never what a client hid in its query, headers or path', async () => {
    await get(scene.port, '/api/patients/secret-name?q=secret', { 'X-Request-ID': 'private', 'X-Other': 'secret' });
    await lineOf('private');
    await get(scene.port, '/secret-nowhere?secret', { 'X-Request-ID': 'nowhere' });
    expect(await lineOf('nowhere')).toMatchObject({ status_code: 404, reason: 'no_route' });
    expect(JSON.stringify(scene.gateway.log)).not.toContain('secret');
  });

  test('cannot be forged', async () => {
    await get(scene.port, '/api', { 'X-Request-ID': 'forger', 'User-Agent': '\\n{"level":"error"}\xff\xe9' });
    expect((await lineOf('forger')).level).toBe('info');
  });

  test('says why, when it was us', async () => {
    scene.script = (exchange) => exchange.close();
    await get(scene.port, '/api/x', { 'X-Request-ID': 'why' });
    scene.script = echo;
    expect(await lineOf('why')).toMatchObject({ status_code: 502, reason: 'upstream_reset', path: '/api/*' });
  });
});
