// SPDX-License-Identifier: MIT
// Certificates that are renewed, that are no good, that run out; and handshakes that nobody finishes.
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { makeCertificate } from './support/certificate.mjs';
import { freePort, startGateway } from './support/gateway.mjs';
import { connect, get, leaveAll, RawClient } from './support/raw.mjs';
import { until, within } from './support/wait.mjs';

const directory = mkdtempSync(join(tmpdir(), 'suoke-certificates-'));
const made = [directory];
let gateway, tlsPort;

afterEach(async () => {
  leaveAll();
  await gateway.stop();
  expect(gateway.stderr).toBe('');
});
afterAll(() => {
  for (const each of made) rmSync(each, { recursive: true });
});

const certificate = (wanted) => {
  const one = makeCertificate(wanted);
  made.push(one.directory);
  return { ...one, fingerprint: new X509Certificate(one.pem).fingerprint256 };
};

async function start(certificates, settings) {
  tlsPort = await freePort();
  gateway = await startGateway({
    server: { tls: { port: tlsPort, certificates: certificates.map(({ cert_file, key_file }) => ({ cert_file, key_file })), ...settings } },
    routes: [{ name: 'hello', path: '/hello', respond: { body: 'hello', content_type: 'text/plain' } }],
  });
}

/** A raw client that has shaken hands. */
async function secure() {
  const socket = tls.connect({ port: tlsPort, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });
  await within(5_000, once(socket, 'secureConnect'), 'the handshake');
  const client = new RawClient(socket);
  client.shown = socket.getPeerX509Certificate().fingerprint256;
  return client;
}

async function hello(client) {
  await client.send('GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return (await client.response()).text;
}

/** The fingerprint of what a new connection is shown. */
async function shown() {
  const client = await secure();
  client.leave();
  return client.shown;
}

const health = async () => JSON.parse((await get(gateway.port, '/health')).text);
const check = async (name) => (await health()).checks.find((each) => each.name === name);
const metric = async (name) => Number((await get(gateway.port, '/metrics')).text.match(new RegExp(`^suoke_gateway_${name} (.+)$`, 'm'))?.[1]);
/** The log from the moment of `work` to the line with `message`. */
const said = async (message, work) => {
  const since = gateway.log.length;
  await work();
  await until(() => gateway.logged(message, since), message);
  return gateway.log.slice(since).filter((line) => line.logger !== 'access');
};
const applied = (work) => said('configuration applied', work);
const refused = (work) => said('stays in force', work);

/** Puts the files of `next` where those of `now` are. */
function replace(now, next) {
  renameSync(next.cert_file, now.cert_file);
  renameSync(next.key_file, now.key_file);
}

// ---- renewal

describe('a renewed certificate', () => {
  test('is shown to whoever comes; who is there stays', async () => {
    const [old, renewed] = [certificate(), certificate()];
    await start([old]);
    const client = await secure();
    expect(await hello(client)).toBe('hello');
    const lines = await applied(() => replace(old, renewed));
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]); // certificate and key are taken together
    expect(await hello(client)).toBe('hello');
    expect(client.shown).toBe(old.fingerprint);
    expect(await shown()).toBe(renewed.fingerprint);
  });

  test('is noticed where its directory is a swapped link, as Kubernetes mounts secrets', async () => {
    const versions = [certificate(), certificate()];
    const mount = mkdtempSync(join(directory, 'mount-'));
    symlinkSync(versions[0].directory, join(mount, '..data'));
    const names = { cert_file: 'cert.pem', key_file: 'key.pem' };
    for (const name of Object.values(names)) symlinkSync(join('..data', name), join(mount, name));
    await start([{ cert_file: join(mount, names.cert_file), key_file: join(mount, names.key_file) }]);
    expect(await shown()).toBe(versions[0].fingerprint);
    await applied(() => {
      symlinkSync(versions[1].directory, join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    });
    expect(await shown()).toBe(versions[1].fingerprint);
  });

  test('again and again, and each time at once', async () => {
    const now = certificate();
    await start([now]);
    for (let i = 0; i < 3; ++i) {
      const next = certificate();
      await applied(() => replace(now, next));
      expect(await shown()).toBe(next.fingerprint);
    }
  });

  test('is noticed where a link on the way to it is swapped', async () => {
    const versions = [certificate(), certificate()];
    const releases = mkdtempSync(join(directory, 'releases-'));
    const current = join(releases, 'current');
    symlinkSync(versions[0].directory, current);
    await start([{ cert_file: join(current, 'cert.pem'), key_file: join(current, 'key.pem') }]);
    expect(await shown()).toBe(versions[0].fingerprint);
    await applied(() => {
      symlinkSync(versions[1].directory, join(releases, 'next'));
      renameSync(join(releases, 'next'), current);
    });
    expect(await shown()).toBe(versions[1].fingerprint);
  });

  test('is noticed though its neighbours never rest', async () => {
    const [old, renewed] = [certificate(), certificate()];
    await start([old]);
    const neighbour = spawn('sh', ['-c', 'while :; do : > neighbour; sleep 0.02; done'], { cwd: old.directory });
    try {
      await applied(() => replace(old, renewed));
    } finally {
      neighbour.kill();
      await once(neighbour, 'exit');
    }
    expect(await shown()).toBe(renewed.fingerprint);
  });

  test('is read at SIGHUP', async () => {
    const [old, renewed] = [certificate(), certificate()];
    await start([old]);
    await applied(() => {
      replace(old, renewed);
      gateway.signal('SIGHUP');
    });
    expect(await shown()).toBe(renewed.fingerprint);
  });
});

// ---- replacements that are no good

describe('a replacement that is no good', () => {
  const spoil = {
    'is no certificate': ({ cert_file }) => writeFileSync(cert_file, 'nonsense\n'),
    'is empty': ({ cert_file }) => writeFileSync(cert_file, ''),
    'is half a certificate': ({ cert_file, pem }) => writeFileSync(cert_file, pem.subarray(0, pem.length / 2)),
    'does not fit its key': ({ cert_file }) => renameSync(certificate().cert_file, cert_file),
    'is gone': ({ cert_file }) => renameSync(cert_file, `${cert_file}.away`),
  };
  test.each(Object.keys(spoil))('%s', async (what) => {
    const old = certificate();
    await start([old]);
    const client = await secure();
    const lines = await refused(() => {
      spoil[what](old);
      if (what === 'is gone') gateway.signal('SIGHUP'); // which is not called a change
    });
    const errors = lines.filter(({ level }) => level === 'error').map(({ message }) => message).join('\n');
    expect(errors).toMatch(/server\.tls/);
    expect(errors).toContain(old.cert_file);
    expect(await hello(client)).toBe('hello');
    expect(await shown()).toBe(old.fingerprint);
    expect(await check('configuration')).toMatchObject({ status: 'degraded' });
    expect(await metric('config_last_reload_success')).toBe(0);
  });

  test('is forgotten when a good one comes', async () => {
    const [old, renewed] = [certificate(), certificate()];
    await start([old]);
    await refused(() => writeFileSync(old.cert_file, 'nonsense\n'));
    await applied(() => replace(old, renewed));
    expect(await shown()).toBe(renewed.fingerprint);
    expect(await check('configuration')).toMatchObject({ status: 'healthy' });
  });

  test('holds up none of the others\' handshakes while it lies there', async () => {
    const [one, other] = [certificate(), certificate({ names: ['other.test'] })];
    await start([one, other]);
    await refused(() => writeFileSync(other.cert_file, 'nonsense\n'));
    expect(new Set(await Promise.all(Array.from({ length: 20 }, shown)))).toEqual(new Set([one.fingerprint]));
  });
});

// ---- expiry

describe('the day a certificate expires', () => {
  test('is in /health and in /metrics', async () => {
    const [soon, later] = [certificate({ names: ['soon.test'], days: 10 }), certificate({ names: ['later.test'], days: 90 })];
    await start([soon, later]);
    expect(await check('certificate soon.test')).toMatchObject({ status: 'degraded', message: 'Expires in 9 days' });
    expect(await check('certificate later.test')).toMatchObject({ status: 'healthy', message: 'Expires in 89 days' });
    expect(await health()).toMatchObject({ status: 'degraded' });
    for (const [i, { pem }] of [soon, later].entries()) {
      const { validTo, subject } = new X509Certificate(pem);
      const expiry = await metric(`tls_certificate_expiry_timestamp_seconds\\{certificate="${i}",subject="${subject}"\\}`);
      expect(expiry).toBe(Date.parse(validTo) / 1000);
    }
  });

  test('moves when it is renewed', async () => {
    const [soon, renewed] = [certificate({ days: 3 }), certificate({ days: 90 })];
    await start([soon]);
    expect(await check('certificate localhost')).toMatchObject({ status: 'degraded', message: 'Expires in 2 days' });
    await applied(() => replace(soon, renewed));
    expect(await check('certificate localhost')).toMatchObject({ status: 'healthy', message: 'Expires in 89 days' });
  });
});

// ---- handshakes that nobody finishes

describe('half a handshake', () => {
  const handshakes = (result) => metric(`tls_handshakes_total\\{[^}]*result="${result}"[^}]*\\}`);
  const silent = () => connect(tlsPort);

  test('is cut at its timeout, one by one as they came', async () => {
    await start([certificate()], { handshake_timeout: '300ms' });
    const [nothing, something] = [await silent(), await silent()];
    await something.send('\x16\x03\x01\x02\x00\x01\x00'); // the first bytes of a ClientHello
    const began = performance.now();
    await within(3_000, Promise.all([nothing.ended(), something.ended()]), 'the cut');
    expect(performance.now() - began).toBeGreaterThan(200);
    await until(async () => (await handshakes('timed_out')) === 2, 'two timeouts are counted');
  });

  test('below the cap keeps nobody waiting', async () => {
    await start([certificate()], { max_handshakes: 4, handshake_timeout: '8s' });
    const idle = await Promise.all([silent(), silent(), silent()]);
    await until(async () => (await metric('tls_handshakes_active')) === 3, 'three half handshakes');
    for (let i = 0; i < 10; ++i) expect(await hello(await secure())).toBe('hello');
    for (const client of idle) expect(client.bytes.open).toBe(true);
  });

  test('at the cap keeps others waiting until its timeout and no longer', async () => {
    await start([certificate()], { max_handshakes: 2, handshake_timeout: '1s' });
    const established = await secure();
    const idle = await Promise.all([silent(), silent()]);
    await until(async () => (await metric('tls_handshakes_active')) === 2, 'two half handshakes');
    const began = performance.now();
    const late = secure();
    expect(await hello(established)).toBe('hello'); // who is in does not notice
    expect((await get(gateway.port, '/hello')).text).toBe('hello'); // nor the plain listener
    expect(await metric('tls_handshakes_active')).toBe(2); // the third one is not let in yet
    expect(await hello(await late)).toBe('hello');
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(await Promise.all(idle.map((client) => client.ended()))).toHaveLength(2);
  });

  test('beyond the cap takes its turn, and so do the others', async () => {
    await start([certificate()], { max_handshakes: 2, handshake_timeout: '300ms' });
    await Promise.all(Array.from({ length: 6 }, silent));
    const began = performance.now();
    expect(await hello(await secure())).toBe('hello');
    expect(performance.now() - began).toBeLessThan(2_500); // after three times two
    await until(async () => (await handshakes('timed_out')) === 6, 'six timeouts are counted');
  });

  test('that is given up makes room at once', async () => {
    await start([certificate()], { max_handshakes: 2, handshake_timeout: '8s' });
    const idle = await Promise.all([silent(), silent()]);
    await until(async () => (await metric('tls_handshakes_active')) === 2, 'two half handshakes');
    const late = secure();
    idle[0].leave();
    expect(await hello(await within(2_000, late, 'the place that became free'))).toBe('hello');
  });

  test('at the cap, a reload with a higher one lets the others in', async () => {
    await start([certificate()], { max_handshakes: 2, handshake_timeout: '8s' });
    await Promise.all([silent(), silent()]);
    await until(async () => (await metric('tls_handshakes_active')) === 2, 'two half handshakes');
    const late = secure();
    const { server } = gateway.config;
    await applied(() => gateway.write({ ...gateway.config, server: { ...server, tls: { ...server.tls, max_handshakes: 10 } } }));
    expect(await hello(await within(2_000, late, 'the places there are now'))).toBe('hello');
  });
});
