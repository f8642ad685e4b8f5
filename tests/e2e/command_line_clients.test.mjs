// SPDX-License-Identifier: MIT
// The programs people reach for when they want to see what a server really says.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from './support/certificate.mjs';
import { freePort, startGateway } from './support/gateway.mjs';
import { describeWith, run } from './support/programs.mjs';
import { setScene } from './support/scene.mjs';
import { echo } from './support/upstream.mjs';

const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
const directory = mkdtempSync(join(tmpdir(), 'suoke-clients-'));
const file = (name, bytes) => {
  writeFileSync(join(directory, name), bytes);
  return join(directory, name);
};

const made = [];
const certificate = (wanted) => (made.push(makeCertificate(wanted)), made.at(-1));
const files = ({ cert_file, key_file }) => ({ cert_file, key_file });
const first = certificate();
const elsewhere = ['rsa', 'ec'].map((key) => certificate({ names: ['api.suoke.test'], key }));
const wildcard = certificate({ names: ['*.suoke.test'] });

const tlsPort = await freePort();
const scene = await setScene({
  server: { workers: 2, tls: { port: tlsPort, certificates: [first, ...elsewhere, wildcard].map(files) } },
  security: { max_request_size: '20MB' },
});
const origins = { 'in the clear': scene.gateway.url, 'over TLS': `https://localhost:${tlsPort}` };

/** What came is told by its digest. */
async function digest(exchange) {
  const body = await exchange.body();
  await exchange.json({ size: body.length, sha: sha(body), trailers: exchange.trailers?.list ?? [] });
}

/** Nobody is answered before `count` have asked, and then the last one first. */
function lastFirst(count) {
  const waiting = [];
  return async (exchange) => {
    waiting.push(exchange);
    if (waiting.length === count) for (const each of waiting.splice(0).reverse()) await each.reply(200, {}, `${each.target}\n`);
  };
}

afterAll(() => {
  for (const each of [directory, ...made.map((each) => each.directory)]) rmSync(each, { recursive: true });
});

// ---- nghttp

describeWith('nghttp', () => {
  const nghttp = (...args) => run('nghttp', args);
  const statuses = (said) => [...said.matchAll(/recv \(stream_id=\d+\) :status: (\d+)/g)].map(([, status]) => Number(status));

  describe.each(Object.entries(origins))('%s', (_, origin) => {
    test('asks and is answered, and the connection ends without an error', async () => {
      scene.script = echo;
      const { said } = await nghttp('-nv', `${origin}/a?b=c`);
      expect(statuses(said)).toEqual([200]);
      expect(scene.upstream.last.target).toBe('/a?b=c');
      expect([...said.matchAll(/error_code=(\w+)/g)].map(([, code]) => code)).toEqual(['NO_ERROR']); // its own goodbye
    });

    test('uploads a megabyte', async () => {
      scene.script = digest;
      const body = randomBytes(1 << 20);
      const { said } = await nghttp('-d', file('megabyte', body), `${origin}/upload`);
      expect(JSON.parse(said)).toMatchObject({ size: body.length, sha: sha(body) });
    });

    test('sends trailers', async () => {
      scene.script = digest;
      const { said } = await nghttp('-d', file('words', 'some words'), '--no-content-length', '--trailer', 'x-sum: 42', `${origin}/upload`);
      expect(JSON.parse(said).trailers).toEqual([['x-sum', '42']]);
    });

    test('is sent trailers', async () => {
      scene.script = async (exchange) => {
        await exchange.begin({ Trailer: 'X-Sum' });
        await exchange.chunk('words');
        await exchange.lastChunk('X-Sum: 42\r\n');
      };
      const { said } = await nghttp('-v', '-H', 'te: trailers', `${origin}/x`);
      expect(said).toMatch(/^words/m);
      expect(said.indexOf('x-sum: 42')).toBeGreaterThan(said.indexOf('words'));
    });

    test('five exchanges beside each other, answered the other way round', async () => {
      scene.script = lastFirst(5);
      const { said } = await nghttp('-v', ...Array.from({ length: 5 }, (_, i) => `${origin}/${i}`));
      expect(statuses(said)).toEqual([200, 200, 200, 200, 200]);
      expect(said.match(/^\/\d$/gm)).toEqual(['/4', '/3', '/2', '/1', '/0']);
      expect(said.match(/\bConnected\b/g)).toHaveLength(1);
    });

    test('reads a hundred kilobytes through a window of 127 bytes', async () => {
      const body = 'x'.repeat(100_000);
      scene.script = (exchange) => exchange.reply(200, {}, body);
      const { said } = await nghttp('-w', '7', `${origin}/x`);
      expect(said).toBe(body);
    });
  });
});

// ---- curl

describeWith('curl', () => {
  const curl = (...args) => run('curl', ['-sS', '--cacert', first.cert_file, ...args]);

  test('--http2 in the clear asks for an upgrade and is answered without one', async () => {
    scene.script = echo;
    const { said } = await curl('--http2', '-w', '\n%{http_version}', `${scene.gateway.url}/x`);
    expect(said).toMatch(/\n1\.1$/);
    expect(JSON.parse(said.split('\n')[0]).headers.map(([name]) => name.toLowerCase())).not.toContain('http2-settings');
  });

  describe.each([['--http2', 'over TLS'], ['--http2-prior-knowledge', 'in the clear']])('%s %s', (flag, way) => {
    const url = `${origins[way]}/x`;

    test('uploads ten megabytes', async () => {
      scene.script = digest;
      const body = randomBytes(10 << 20);
      const { said } = await curl(flag, '--data-binary', `@${file('ten', body)}`, '-w', '\n%{http_version}', url);
      expect(JSON.parse(said.split('\n')[0])).toMatchObject({ size: body.length, sha: sha(body) });
      expect(said).toMatch(/\n2$/);
    });

    test('uploads what nobody knows the length of', async () => {
      scene.script = digest;
      const body = randomBytes(300_000);
      const { said } = await run('curl', ['-sS', '--cacert', first.cert_file, flag, '-T', '-', url], body);
      expect(JSON.parse(said)).toMatchObject({ size: body.length, sha: sha(body) });
    });

    test('asks for a head alone', async () => {
      scene.script = (exchange) => exchange.reply(200, { 'Content-Length': '12345' });
      const { said } = await curl(flag, '--head', url);
      expect(said).toMatch(/^HTTP\/2 200/);
      expect(said).toMatch(/^content-length: 12345\r$/m);
    });
  });

  // Over TLS alone: curl 7.88 stumbles over itself in the clear, whoever answers.
  test('ten at once share a connection', async () => {
    scene.script = lastFirst(10);
    const { said } = await curl('--http2', '-Z', '-w', 'connections: %{num_connects}\n', `${origins['over TLS']}/[1-10]`);
    expect(said.match(/^\/\d+$/gm)).toHaveLength(10);
    expect(said.match(/^connections: 1$/gm)).toHaveLength(1);
  });
});

// ---- openssl s_client

describeWith('openssl', () => {
  const REQUEST = 'GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  /** Everything s_client tells about a handshake, and about the answer where there is a request. */
  async function connect(port, args, request) {
    const { said, complained } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...(request ? ['-ign_eof'] : []), ...args], request);
    return said + complained;
  }
  const shake = (...args) => connect(tlsPort, args);
  const ask = (...args) => connect(tlsPort, args, REQUEST);

  test.each([['h2', 'h2'], ['http/1.1', 'http/1.1'], ['h2,http/1.1', 'h2'], ['http/1.1,h2', 'h2'], ['spdy/3,http/1.1', 'http/1.1']])(
    'of %s the gateway chooses %s', async (offered, chosen) => {
      expect(await shake('-alpn', offered)).toMatch(new RegExp(`^ALPN protocol: ${chosen}$`, 'm'));
    });
  test('who offers nothing we speak is refused', async () => {
    expect(await shake('-alpn', 'spdy/3')).toContain('alert no application protocol');
  });
  test('who offers nothing at all speaks HTTP/1.1', async () => {
    scene.script = echo;
    const said = await ask();
    expect(said).toContain('No ALPN negotiated');
    expect(said).toContain('HTTP/1.1 200 OK');
  });

  test.each([['-tls1_2', 'TLSv1.2'], ['-tls1_3', 'TLSv1.3']])('%s', async (flag, version) => {
    expect(await shake(flag)).toMatch(new RegExp(`^New, ${version}, Cipher is (?!\\(NONE\\))`, 'm'));
  });
  test.each(['-tls1', '-tls1_1'])('%s is refused', async (flag) => {
    expect(await shake(flag, '-cipher', 'ALL:@SECLEVEL=0')).toContain('alert protocol version');
  });
  test.each(['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'DHE-RSA-AES128-GCM-SHA256'])('%s is refused', async (cipher) => {
    expect(await shake('-tls1_2', '-cipher', cipher)).toContain('alert handshake failure');
  });

  test.each([
    ['localhost', 'localhost'], ['api.suoke.test', 'api.suoke.test'], ['API.Suoke.Test', 'api.suoke.test'],
    ['any.suoke.test', '*.suoke.test'], ['too.deep.suoke.test', 'localhost'], ['suoke.test', 'localhost'], ['stranger.test', 'localhost'],
  ])('who asks for %s is shown %s', async (name, shown) => {
    expect(await shake('-servername', name)).toMatch(new RegExp(`^subject=CN = ${shown.replace('*', '\\*')}$`, 'm'));
  });
  test('who names nobody is shown the first', async () => {
    expect(await shake('-noservername')).toMatch(/^subject=CN = localhost$/m);
  });

  test.each([
    [['-tls1_3', '-sigalgs', 'RSA-PSS+SHA256'], 'RSA-PSS'],
    [['-tls1_3', '-sigalgs', 'ECDSA+SHA256'], 'ECDSA'],
    [['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'], 'RSA-PSS'],
    [['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], 'ECDSA'],
  ])('of two certificates for a name %j gets the one with %s', async (args, kind) => {
    const said = await shake('-servername', 'api.suoke.test', ...args);
    expect(said).toMatch(/^subject=CN = api\.suoke\.test$/m);
    expect(said).toMatch(new RegExp(`^Peer signature type: ${kind}$`, 'm'));
  });

  // Each new connection is the kernel's to give to either of the two workers: that none of them knows a
  // ticket of the other would show.
  test.each(['-tls1_2', '-tls1_3'])('a session is resumed, by whichever worker: %s', async (flag) => {
    scene.script = echo;
    const session = join(directory, `session${flag}`);
    expect(await ask(flag, '-sess_out', session)).toMatch(/^New, /m);
    const again = await Promise.all(Array.from({ length: 10 }, () => ask(flag, '-sess_in', session)));
    for (const said of again) {
      expect(said).toMatch(/^Reused, /m);
      expect(said).toContain('HTTP/1.1 200 OK');
    }
  });

  describe.each(['required', 'optional'])('a client\'s certificate is %s', (client_auth) => {
    const authority = certificate({ names: ['Suoke Devices'] });
    const device = certificate({ names: ['device-7'], issuer: authority });
    const stranger = certificate({ names: ['device-7'] });
    const show = ({ cert_file, key_file }) => ['-cert', cert_file, '-key', key_file];
    let gateway, port;

    beforeAll(async () => {
      scene.script = echo;
      port = await freePort();
      gateway = await startGateway({
        server: { tls: { port, certificates: [files(first)], client_auth, client_ca_file: authority.cert_file } },
        services: { backend: scene.upstream.service },
        routes: [{ prefix: '/', service: 'backend' }],
      });
    });
    afterAll(() => gateway?.stop());

    describe.each(['-tls1_2', '-tls1_3'])('%s', (flag) => {
      const ask = (...args) => connect(port, [flag, ...args], REQUEST);

      test('who shows a good one is known to the service', async () => {
        const said = await ask(...show(device));
        expect(said).toContain('HTTP/1.1 200 OK');
        expect(said).toContain('["X-Client-Cert-Subject","CN=device-7"]');
      });

      test('and still is when the session is resumed', async () => {
        const session = join(directory, `device${flag}`);
        await ask(...show(device), '-sess_out', session);
        const said = await ask('-sess_in', session);
        expect(said).toMatch(/^Reused, /m);
        expect(said).toContain('["X-Client-Cert-Subject","CN=device-7"]');
      });

      test('who shows one of another authority is refused', async () => {
        const said = await ask(...show(stranger));
        expect(said).toMatch(/alert (unknown ca|bad certificate)/);
        expect(said).not.toContain('HTTP/1.1');
      });

      test(client_auth === 'required' ? 'who shows none is refused' : 'who shows none is nobody', async () => {
        const said = await ask();
        expect(said).not.toContain('X-Client-Cert');
        if (client_auth === 'optional') expect(said).toContain('HTTP/1.1 200 OK');
        else expect(said).toMatch(/alert (certificate required|handshake failure)/);
      });
    });
  });
});
