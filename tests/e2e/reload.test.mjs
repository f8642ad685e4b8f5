// SPDX-License-Identifier: MIT
// A new configuration comes into force under load, and nobody notices.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeFileSync } from 'node:fs';
import { configured, freePort, Gateway } from './support/gateway.mjs';
import { underLoad } from './support/load.mjs';
import { connect, get } from './support/raw.mjs';
import { startUpstream } from './support/upstream.mjs';
import { sleep, until, within } from './support/wait.mjs';

let upstream, gateway, config;

const routes = (...names) => names.map((name) => ({ name, prefix: `/${name}`, service: 'backend' }));

beforeAll(async () => {
  upstream = await startUpstream((exchange) => exchange.reply(200, {}, 'hello'));
  config = await configured({
    server: { workers: 2 },
    services: { backend: upstream.service },
    routes: routes('always'),
  });
  gateway = await new Gateway(config).ready();
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

/** Lines of the log written while `work` ran that satisfy `message`, waited for. */
async function applied(work) {
  const since = gateway.log.length;
  await work();
  return until(() => gateway.logged('configuration applied', since), 'the configuration is applied');
}

async function refused(work) {
  const since = gateway.log.length;
  await work();
  await until(() => gateway.logged('stays in force', since), 'the configuration is refused');
  return gateway.log.slice(since).filter((line) => line.logger !== 'access').map((line) => line.message).join('\n');
}

describe('under load', () => {
  test('SIGHUP, again and again: no request fails', async () => {
    const failures = await underLoad(`${gateway.url}/always`, async () => {
      for (let i = 0; i < 10; ++i) {
        await applied(() => gateway.signal('SIGHUP'));
        await sleep(80);
      }
    });
    expect(failures).toEqual([]);
  });

  test('a file renamed into place, with routes that come and go: no request fails', async () => {
    const failures = await underLoad(`${gateway.url}/always`, async () => {
      for (let i = 0; i < 10; ++i) {
        await applied(() => gateway.write({ ...config, routes: routes('always', `extra${i}`) }));
        expect((await get(gateway.port, `/extra${i}`)).status).toBe(200);
        if (i > 0) expect((await get(gateway.port, `/extra${i - 1}`)).status).toBe(404);
      }
    });
    expect(failures).toEqual([]);
  });

  test('a file written in place is noticed as well', async () => {
    await applied(() => writeFileSync(gateway.file, JSON.stringify({ ...config, routes: routes('always', 'inplace') })));
    expect((await get(gateway.port, '/inplace')).status).toBe(200);
  });
});

describe('a bad file', () => {
  test('leaves the old one in force and says where it is wrong', async () => {
    const said = await refused(() =>
      gateway.write('routes:\n  - name: always\n    prefix: /always\n    servise: backend\n'));
    expect(said).toMatch(/suoke\.yaml:4:5/);
    expect(said).toContain('servise');
    expect(said).toContain('service'); // what was meant
    expect((await get(gateway.port, '/always')).status).toBe(200);
  });

  test.each([
    ['no YAML', 'server: {port: 1\n', /suoke\.yaml:\d+:\d+/],
    ['a service that does not exist', 'services: {a: {url: "http://127.0.0.1:1"}}\nroutes:\n  - {prefix: /always, service: nobody}\n', /suoke\.yaml:3:\d+.*nobody/],
    ['a bad value', 'server:\n  port: many\n', /suoke\.yaml:2:9/],
    ['an expression that is none', 'routes:\n  - {regex: "(", respond: {body: x}}\n', /suoke\.yaml:2:\d+/],
  ])('%s', async (_, text, said) => {
    expect(await refused(() => gateway.write(text))).toMatch(said);
    expect((await get(gateway.port, '/always')).status).toBe(200);
  });

  test('does so under load', async () => {
    const failures = await underLoad(`${gateway.url}/always`, async () => {
      for (let i = 0; i < 5; ++i) await refused(() => gateway.write(`nonsense: ${i}\n`));
    });
    expect(failures).toEqual([]);
  });

  test('shows in the health report until a good one comes', async () => {
    await refused(() => gateway.write('nonsense: true\n'));
    const report = async () => JSON.parse((await get(gateway.port, '/health')).text);
    expect((await report()).status).toBe('degraded');
    await applied(() => gateway.write(config));
    expect((await report()).status).toBe('healthy');
  });
});

describe('what survives', () => {
  test('an answer that is being streamed, also when its route is gone', async () => {
    let next;
    upstream.script = async (exchange) => {
      await exchange.begin();
      await exchange.chunk('before');
      await new Promise((resolve) => (next = resolve));
      await exchange.chunk('after');
      await exchange.lastChunk();
    };
    await applied(() => gateway.write({ ...config, routes: routes('always', 'stream') }));
    const client = await connect(gateway.port);
    await client.send('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n');
    const response = client.response();
    await until(() => next);
    await applied(() => gateway.write(config));
    expect((await get(gateway.port, '/stream')).status).toBe(404);
    next();
    expect((await within(2_000, response)).text).toBe('beforeafter');
    upstream.script = (exchange) => exchange.reply(200, {}, 'hello');
  });

  test('a kept connection of a client, which meets the new routes', async () => {
    const client = await connect(gateway.port);
    const ask = async (path) => {
      await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return (await client.response()).status;
    };
    expect(await ask('/new')).toBe(404);
    await applied(() => gateway.write({ ...config, routes: routes('always', 'new') }));
    expect(await ask('/new')).toBe(200);
  });
});

test('another port: the new listener opens, the old one closes, connections stay', async () => {
  const client = await connect(gateway.port);
  const old = gateway.port;
  const port = await freePort();
  await applied(() => gateway.write({ ...config, server: { ...config.server, port } }));
  expect((await get(port, '/always')).status).toBe(200);
  await until(() => connect(old).then((c) => (c.leave(), false), (e) => e.code === 'ECONNREFUSED'), 'the old port is closed');
  await client.send('GET /always HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.response()).status).toBe(200);
  client.leave();
});
