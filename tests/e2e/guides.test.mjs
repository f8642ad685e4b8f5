// SPDX-License-Identifier: MIT
// The guides of TLS, HTTP/2, gRPC, WebSocket, SSE, of who gets in and of what the gateway does to requests keep their word: it serves their
// examples, their lines are typed as they stand there, and what they promise is asked for. That the guides show these examples and no
// others is checked by tools/tidy.mjs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { join } from 'node:path';
import tls from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Example } from './support/example.mjs';
import { freePort } from './support/gateway.mjs';
import { framed, messagesOf, trailersOf } from './support/grpc_frames.mjs';
import { whereIs } from './support/programs.mjs';
import { until, within } from './support/wait.mjs';
import { http2Session, overHttp2 } from './support/ws_raw.mjs';

/** An example that runs while the tests of a describe() do; the last of them asks whether every line was typed. */
function example(guide, topic, options) {
  const scene = {};
  beforeAll(async () => {
    Object.assign(scene, { example: new Example(guide, topic), do: (line) => scene.example.do(line) });
    await scene.example.prepare(options);
    scene.gateway = scene.example.gateway;
  });
  afterAll(async () => {
    await scene.example?.stop();
    expect(scene.gateway.stderr).toBe('');
  });
  return scene;
}

const noLineIsLeft = (scene) => test('no line of the guide is left', () => expect([...scene.example.undone]).toEqual([]));

const left = [];
afterEach(async () => {
  while (left.length) await left.pop()();
});
/** The same for one test, which may end the gateway. */
async function alone(guide, topic, options) {
  const one = await new Example(guide, topic).prepare(options);
  left.push(() => one.stop());
  return one;
}

const listening = (server, port) => {
  left.push(() => new Promise((resolve) => server.close(resolve)), () => server.closeAllConnections?.());
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
};

/** The configuration of the example, changed, is in force. */
async function reloaded({ gateway, directory }, what, by) {
  const text = readFileSync(join(directory, 'suoke.yaml'), 'utf8');
  if (!text.includes(what)) throw new Error(`no ${what} in the configuration`);
  const since = gateway.log.length;
  gateway.write(text.replace(what, by));
  await until(() => gateway.logged('configuration applied', since), 'the reload');
}

const metrics = async (gateway) => (await fetch(`${gateway.url}/metrics`)).text();
const guideOf = (name) => readFileSync(new URL(`../../docs/guide/${name}.md`, import.meta.url), 'utf8');

/** How many metrics a guide names; every one of them is there. */
function metricsOf(guide, text) {
  const names = [...new Set(guideOf(guide).match(/suoke_gateway_\w+/g))];
  expect(names.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
  return names.length;
}

/** The blocks of a guide's lines that are followed by what they print, which may differ in the seconds that are left. */
function printedIn(guide) {
  const blocks = guideOf(guide).matchAll(/^```bash\n([^`]*?)^```\n\n```\n([^`]*?)^```/gms);
  return [...blocks].map(([, lines, printed]) => ({ lines: lines.trim().split('\n'), printed: exceptTimes(printed) }));
}
const exceptTimes = (text) => text.replaceAll('\r', '').replace(/\b(ttl=|t=|Retry-After: )\d+/g, '$1N');

/** Types those that are not done yet, one block after the other. */
async function typesThemAll(scene, guide) {
  for (const { lines, printed } of printedIn(guide)) {
    let said = '';
    for (const line of lines.filter((one) => scene.example.undone.has(one))) {
      const text = await scene.do(line);
      said += text === '' || text.endsWith('\n') ? text : `${text}\n`;
    }
    expect(exceptTimes(said)).toBe(printed);
  }
}

// ---- TLS

describe('TLS', () => {
  const scene = example('tls', 'tls');
  const file = (name) => readFileSync(join(scene.example.directory, 'certificates', name));

  /** What the gateway answers a client with `certificate`. */
  const ask = (path, { certificate, headers, name = 'api.suoke.test' } = {}) =>
    new Promise((resolve, reject) => {
      const shown = certificate && { cert: file(`${certificate}.crt`), key: file(`${certificate}.key`) };
      const request = https.get({
        host: '127.0.0.1', port: scene.example.port(8443), path, servername: name, headers: { host: name, ...headers }, ca: file('api.crt'), agent: false, ...shown,
      }, async (response) => resolve({ status: response.statusCode, text: (await response.toArray()).join('') }));
      request.once('error', reject);
    });

  /** Whose certificate a client is shown that asks for `servername`. */
  async function shown(servername) {
    const socket = tls.connect({ host: '127.0.0.1', port: scene.example.port(8443), servername, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerX509Certificate();
    socket.destroy();
    return { subject: certificate.subject, fingerprint: certificate.fingerprint256 };
  }

  test('the users greet the gateway by the name in its certificate', async () => {
    expect(await scene.do('api https://api.suoke.test:8443/api/v1/users')).toBe('hello gateway.internal\n');
  });

  test('the devices are for those who show a certificate', async () => {
    expect(await scene.do('api https://api.suoke.test:8443/api/v1/devices')).toContain('client_certificate_required');
    expect((await ask('/api/v1/devices')).status).toBe(403);
    const line = 'api --cert certificates/device.crt --key certificates/device.key https://api.suoke.test:8443/api/v1/devices';
    expect(await scene.do(line)).toBe('CN=watch-7.devices.test, DNS:watch-7.devices.test\n');
  });

  test('nobody else says who a client is, and no other authority', async () => {
    const forged = { 'X-Client-Cert-Subject': 'CN=me', 'X-Client-Cert-SAN': 'DNS:me' };
    expect((await ask('/api/v1/devices', { certificate: 'device', headers: forged })).text).toBe('CN=watch-7.devices.test, DNS:watch-7.devices.test\n');
    await expect(ask('/api/v1/devices', { certificate: 'gateway' })).rejects.toThrow();
  });

  test('a name chooses exactly, then by wildcard, else the first', async () => {
    expect((await shown('api.suoke.test')).subject).toBe('CN=api.suoke.test');
    expect((await shown('web.suoke.test')).subject).toBe('CN=*.suoke.test');
    expect((await shown('elsewhere.test')).subject).toBe('CN=api.suoke.test');
  });

  test('in the clear one is sent to https://, but for probes', async () => {
    const get = (path) => fetch(`${scene.gateway.url}${path}`, { redirect: 'manual' });
    const sent = await get('/api/v1/users?a=b');
    expect(sent.status).toBe(308);
    expect(sent.headers.get('location')).toBe(`https://127.0.0.1:${scene.example.port(8443)}/api/v1/users?a=b`);
    expect((await get('/health')).status).toBe(200);
    expect((await get('/health/live')).status).toBe(200);
  });

  test('its metrics are there', async () => expect(metricsOf('tls', (await ask('/metrics')).text)).toBe(1));

  test('a certificate that is no good changes nothing, and is told; one that is made anew is shown', async () => {
    const before = await shown('api.suoke.test');
    writeFileSync(join(scene.example.directory, 'certificates', 'api.crt'), 'no certificate');
    await until(() => scene.gateway.logged('stays in force'), 'the refusal');
    expect(await shown('api.suoke.test')).toEqual(before);
    const { checks } = await (await fetch(`${scene.gateway.url}/health`)).json();
    expect(checks.find(({ name }) => name === 'configuration')).toMatchObject({ status: 'degraded' });
    await scene.do('./certificates.sh');
    await until(async () => (await shown('api.suoke.test')).fingerprint !== before.fingerprint, 'the new certificate');
  });

  test('without any file: suoke-gateway dev --tls', async () => {
    const guide = guideOf('tls');
    const [command, line] = ['suoke-gateway dev --tls', 'curl -k https://localhost:8443/health'];
    expect(guide).toContain(`\`${command}\`, then \`${line}\``);
    const [port, tlsPort] = [await freePort(), await freePort()];
    const dev = spawn(process.env.SUOKE_BIN, [...command.split(' ').slice(1), '--port', String(port)], {
      env: { PATH: process.env.PATH, SUOKE_SERVER_TLS_PORT: String(tlsPort) }, cwd: scene.example.directory, stdio: ['ignore', 'pipe', 'inherit'],
    });
    left.push(async () => {
      dev.kill('SIGINT');
      await once(dev, 'exit');
    });
    let said = '';
    dev.stdout.setEncoding('utf8').on('data', (text) => (said += text));
    await until(() => said.includes('listening'), 'dev listens');
    const answer = await new Promise((resolve, reject) => https.get({ host: 'localhost', port: tlsPort, path: '/health', rejectUnauthorized: false }, resolve).once('error', reject));
    answer.resume();
    expect(answer.statusCode).toBe(200);
  });

  noLineIsLeft(scene);
});

// ---- HTTP/2

describe('HTTP/2', () => {
  const scene = example('http2-and-grpc', 'http2');

  test('either protocol of the client goes on as HTTP/2, on one connection', async () => {
    expect(await scene.do('curl --http2-prior-knowledge http://localhost:8000/pages/one')).toBe('/one by HTTP/2.0 on connection 1\n');
    expect(await scene.do('curl --http1.1 http://localhost:8000/pages/two')).toBe('/two by HTTP/2.0 on connection 1\n');
    const all = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(`${scene.gateway.url}/pages/many`)).text()));
    expect(new Set(all)).toEqual(new Set(['/many by HTTP/2.0 on connection 1\n']));
  });

  test('a client is told how much it may have under way', async () => {
    const session = http2.connect(scene.gateway.url);
    const [settings] = await once(session, 'remoteSettings');
    session.destroy();
    expect(settings).toMatchObject({ maxConcurrentStreams: 128, initialWindowSize: 256 * 1024 });
  });

  test('a stream that was refused unseen is asked again', async () => {
    const one = await alone('http2-and-grpc', 'http2', { without: ['upstream.mjs'] });
    let asked = 0;
    const server = http2.createServer();
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      if (++asked === 1) return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
      stream.respond({ ':status': 200 });
      stream.end('the second time');
    });
    const sessions = [];
    server.on('session', (session) => sessions.push(session));
    await listening(server, one.port(9001));
    left.push(() => sessions.forEach((session) => session.destroy()));
    expect(await (await fetch(`${one.gateway.url}/pages/x`)).text()).toBe('the second time');
    expect(asked).toBe(2);
  });

  noLineIsLeft(scene);
});

// ---- gRPC

const { RagService } = grpc.loadPackageDefinition(loadSync(new URL('../../docs/examples/grpc/rag.proto', import.meta.url).pathname)).suoke.rag.v1;
const { UNAVAILABLE, UNIMPLEMENTED, DEADLINE_EXCEEDED, CANCELLED } = grpc.status;

function ragClient({ gateway }) {
  const client = new RagService(`127.0.0.1:${gateway.port}`, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  left.push(() => client.close());
  return client;
}

/** What Ask comes to: the answer's text or an error with a code. */
const asked = (client, text, options = {}) =>
  new Promise((resolve) => client.Ask({ text }, new grpc.Metadata(), options, (error, answer) => resolve(error ?? answer.text)));

/** A call of Discuss as it is on the wire, after its first message. */
async function discussion({ gateway }) {
  const session = http2.connect(gateway.url);
  session.on('error', () => {});
  left.push(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': '/suoke.rag.v1.RagService/Discuss', te: 'trailers', 'content-type': 'application/grpc' }, { endStream: false });
  const told = { pieces: [], trailers: null, rstCode: null };
  stream.on('data', (piece) => told.pieces.push(piece));
  stream.on('trailers', (trailers) => (told.trailers = trailers));
  stream.on('error', () => {});
  told.closed = new Promise((resolve) => stream.once('close', () => resolve((told.rstCode = stream.rstCode))));
  stream.write(framed(RagService.service.Discuss.requestSerialize({ text: 'Tea' })));
  await until(() => told.pieces.length > 0 || told.rstCode !== null, 'the first piece');
  return told;
}

/** It ended between two messages: with a status, and everything before it whole. */
async function expectOrderlyEnd(told, how) {
  await within(8_000, told.closed, 'the end of the call');
  expect(told.trailers).toMatchObject({ 'grpc-status': String(UNAVAILABLE), 'grpc-message': expect.stringMatching(how) });
  expect(messagesOf(Buffer.concat(told.pieces)).length).toBe(1);
}

describe('gRPC', () => {
  const scene = example('http2-and-grpc', 'grpc');

  test('the client of the guide is answered, or runs out of time', async () => {
    expect(await scene.do('node client.mjs Tea')).toBe('Tea? It depends.\n');
    expect(await scene.do('node client.mjs forever')).toMatch(/^DEADLINE_EXCEEDED /);
    // The client stops waiting at the same moment: which of the two is first is open.
    const late = [DEADLINE_EXCEEDED, CANCELLED];
    expect(await scene.gateway.accessLine(({ grpc_status }) => late.includes(grpc_status))).toMatchObject({ route: 'ask' });
  });

  test('a method wins over its service, and its time is the shorter one', async () => {
    const one = await alone('http2-and-grpc', 'grpc', { instead: [['timeout: 5s', 'timeout: 300ms']] });
    const client = ragClient(one);
    expect(await asked(client, 'Tea')).toBe('Tea? It depends.');
    expect(await asked(client, 'forever', { deadline: Date.now() + 20_000 })).toMatchObject({ code: DEADLINE_EXCEEDED });
    expect(await one.gateway.accessLine(({ grpc_status }) => grpc_status === DEADLINE_EXCEEDED)).toMatchObject({ route: 'ask' });
  });

  test('what a route does not know is UNIMPLEMENTED, and a service that is not there UNAVAILABLE', async () => {
    const one = await alone('http2-and-grpc', 'grpc', { without: ['server.mjs'] });
    expect(await asked(ragClient(one), 'Tea')).toMatchObject({ code: UNAVAILABLE });
    const Other = grpc.makeGenericClientConstructor({ Ask: { ...RagService.service.Ask, path: '/suoke.other.v1.Other/Ask' } }, 'Other');
    const other = new Other(`127.0.0.1:${one.gateway.port}`, grpc.credentials.createInsecure());
    left.push(() => other.close());
    expect(await asked(other, 'Tea')).toMatchObject({ code: UNIMPLEMENTED });
  });

  test('a reload that changes its route ends a call between two messages', async () => {
    const one = await alone('http2-and-grpc', 'grpc');
    const told = await discussion(one);
    await reloaded(one, 'max_request_size: 100MB', 'max_request_size: 90MB');
    await expectOrderlyEnd(told, /^draining/);
  });

  test('so does a drain', async () => {
    const one = await alone('http2-and-grpc', 'grpc');
    const told = await discussion(one);
    one.gateway.signal('SIGTERM');
    await expectOrderlyEnd(told, /^draining/);
    expect(await one.gateway.exit).toMatchObject({ code: 0 });
  });

  test('and a service that breaks off there', async () => {
    const one = await alone('http2-and-grpc', 'grpc');
    const told = await discussion(one);
    one.program.kill('SIGKILL');
    await expectOrderlyEnd(told, /^upstream_/);
  });

  describe('a service that is none of the best', () => {
    /** A service behind the gateway that does `answer(stream, headers, session)`. */
    async function serviceThat(answer) {
      const one = await alone('http2-and-grpc', 'grpc', { without: ['server.mjs'] });
      const server = http2.createServer();
      server.on('stream', (stream, headers) => {
        stream.on('error', () => {});
        answer(stream, headers);
      });
      const sessions = [];
      server.on('session', (session) => sessions.push(session.on('error', () => {})));
      await listening(server, one.port(50051));
      one.cut = () => sessions.forEach((session) => session.destroy());
      left.push(one.cut);
      return one;
    }

    test('breaks off inside a message: the stream is reset', async () => {
      const one = await serviceThat((stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        stream.write(framed(Buffer.from('a whole one')).subarray(0, 9));
      });
      const told = await discussion(one);
      one.cut();
      expect(await within(5_000, told.closed, 'the end of the call')).not.toBe(http2.constants.NGHTTP2_NO_ERROR);
      expect(told.trailers).toBe(null);
    });

    test('answers with something else: that is a status, too', async () => {
      const one = await serviceThat((stream) => {
        stream.respond({ ':status': 503, 'content-type': 'text/html' });
        stream.end('<p>Back soon');
      });
      expect(await asked(ragClient(one), 'Tea')).toMatchObject({ code: UNAVAILABLE });
    });

    test('hears that its client has cancelled', async () => {
      let begun;
      const stream = new Promise((resolve) => (begun = resolve));
      const one = await serviceThat(begun);
      const call = ragClient(one).Ask({ text: 'Tea' }, () => {});
      const closed = stream.then((each) => once(each, 'close').then(() => each.rstCode));
      await stream;
      call.cancel();
      expect(await within(5_000, closed, 'the end of its stream')).toBe(http2.constants.NGHTTP2_CANCEL);
      expect(await one.gateway.accessLine(({ route }) => route === 'ask')).toMatchObject({ grpc_status: CANCELLED });
    });

    test('is told how much time is left', async () => {
      let leftover;
      const one = await serviceThat((stream, headers) => {
        leftover = headers['grpc-timeout'];
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true });
      });
      expect(await asked(ragClient(one), 'Tea', { deadline: Date.now() + 2_000 })).toMatchObject({ code: grpc.status.NOT_FOUND });
      const [, number, unit] = /^(\d+)([mu])$/.exec(leftover);
      expect(Number(number) / (unit === 'u' ? 1000 : 1)).toBeLessThanOrEqual(2_000);
    });
  });

  test('gRPC-Web from its origin, and from no other', async () => {
    const url = `${scene.gateway.url}/suoke.rag.v1.RagService/Ask`;
    const preflight = (origin) => fetch(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-grpc-web' } });
    expect((await preflight('https://app.suoke.life')).headers.get('access-control-allow-origin')).toBe('https://app.suoke.life');
    expect((await preflight('https://elsewhere.test')).headers.get('access-control-allow-origin')).toBe(null);
    const question = framed(RagService.service.Ask.requestSerialize({ text: 'Tea' }));
    for (const text of ['', '-text']) {
      const type = `application/grpc-web${text}`;
      const body = text ? question.toString('base64') : question;
      const response = await fetch(url, { method: 'POST', body, headers: { origin: 'https://app.suoke.life', 'content-type': type } });
      expect(response.headers.get('content-type')).toMatch(type);
      let bytes = Buffer.from(await response.arrayBuffer());
      if (text) bytes = Buffer.concat(bytes.toString().match(/[^=]+={0,2}/g).map((part) => Buffer.from(part, 'base64')));
      const [answer, trailers] = messagesOf(bytes);
      expect(RagService.service.Ask.responseDeserialize(answer.bytes).text).toBe('Tea? It depends.');
      expect(trailersOf(trailers)).toMatchObject({ 'grpc-status': '0' });
    }
  });

  test('its metrics are there', async () => expect(metricsOf('http2-and-grpc', await metrics(scene.gateway))).toBe(1));

  noLineIsLeft(scene);
});

// ---- WebSocket

describe('WebSocket', () => {
  const CHAT = '/api/v1/agents/ws', SENSORS = '/ws/sensor-data';
  const scene = example('websocket', 'websocket');

  /** An open socket; `ended` is how it was closed. */
  async function open({ gateway }, path = CHAT, protocols = []) {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`, protocols);
    socket.ended = new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })));
    left.push(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  }
  const heard = async (socket) => String((await once(socket, 'message'))[0]);
  const ended = (socket) => within(8_000, socket.ended, 'the close');
  /** The status an upgrade is refused with. */
  const refusal = ({ gateway }, path) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`);
      socket.once('unexpected-response', (_, response) => resolve(response.resume().statusCode));
      socket.once('error', reject).once('open', () => reject(new Error('it was opened')));
    });

  test('the client of the guide: the chat says it back, the sensors want something else', async () => {
    expect(await scene.do('node client.mjs')).toBe('heard: hello\nclosed: 1005\n');
    expect(await scene.do('node client.mjs ws://localhost:8000/ws/sensor-data')).toBe('closed: 1008 text messages are not allowed here\n');
    await until(() => scene.example.program.said.includes('closed: 1001'), 'the service is told');
  });

  test('comes over HTTP/2, too', async () => {
    const session = await http2Session(scene.gateway.port);
    left.push(() => session.destroy());
    const { duplex, bytes } = await overHttp2(session, CHAT);
    duplex.write(Buffer.from('818500000000' + '68656c6c6f', 'hex')); // "hello", masked with zeros
    expect((await bytes.exactly(7)).toString('latin1')).toBe('\x81\x05hello');
  });

  test('the subprotocol is between client and service', async () => {
    expect((await open(scene, CHAT, ['suoke.v2'])).protocol).toBe('suoke.v2');
  });

  test('what is no upgrade, or not version 13, is answered in an ordinary way', async () => {
    const { status } = await fetch(`${scene.gateway.url}${CHAT}`);
    expect(status).toBe(426); // of the service
    const answer = await new Promise((resolve) =>
      http.get({ port: scene.gateway.port, host: '127.0.0.1', path: CHAT, headers: { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '12', 'sec-websocket-key': 'x'.repeat(22) + '==' } }, resolve));
    expect([answer.resume().statusCode, answer.headers['sec-websocket-version']]).toEqual([426, '13']);
  });

  test.each([
    ['too big', 1009, (socket) => socket.send(Buffer.alloc(64 * 1024 + 1), { compress: false })],
    ['too big once it is inflated', 1009, (socket) => socket.send(Buffer.alloc(2 << 20), { compress: true })],
    ['too many', 1008, (socket) => socket.on('message', () => socket.send('x', { binary: true })).send('x', { binary: true })],
    ['of the wrong kind', 1008, (socket) => socket.send('text')],
    ['no frame', 1002, (socket) => socket._socket.write(Buffer.from([0xff, 0x80, 0, 0, 0, 0]))],
  ])('on an inspected route what is %s is a Close %d; the service gets 1001', async (_, code, send) => {
    const before = scene.example.program.said.length;
    const socket = await open(scene, SENSORS);
    send(socket);
    expect(await ended(socket)).toMatchObject({ code });
    await until(() => scene.example.program.said.slice(before).includes('closed: 1001'), 'the service is told');
  });

  test('bad text is 1007 where text is allowed', async () => {
    const one = await alone('websocket', 'websocket', { instead: [['      allow: binary\n', '']] });
    const socket = await open(one, SENSORS);
    socket._socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc0, 0x80]));
    expect(await ended(socket)).toMatchObject({ code: 1007 });
  });

  test('a spliced one takes all of that', async () => {
    const socket = await open(scene);
    for (let i = 0; i < 100; ++i) socket.send('x');
    socket.send(Buffer.alloc(1 << 20));
    let count = 0;
    await new Promise((resolve) => socket.on('message', () => ++count === 101 && resolve()));
  });

  test('one too many is refused with 503', async () => {
    const one = await alone('websocket', 'websocket', { instead: [['max_connections: 20000', 'max_connections: 2'], ['max_connections: 500', 'max_connections: 1']] });
    await open(one, SENSORS);
    expect(await refusal(one, SENSORS)).toBe(503);
    await open(one);
    expect(await refusal(one, CHAT)).toBe(503);
  });

  test('silence of both sides ends it, and not of one', async () => {
    const one = await alone('websocket', 'websocket', { instead: [['idle_timeout: 5m', 'idle_timeout: 400ms']] });
    const socket = await open(one);
    expect(await ended(socket)).toMatchObject({ code: 1001 });
    await until(() => one.program.said.includes('closed: 1001'), 'the service is told');
  });

  test('a reload ends those of a changed route with 1012, and no other; a drain ends all with 1001', async () => {
    const one = await alone('websocket', 'websocket');
    const [chat, sensors] = [await open(one), await open(one, SENSORS)];
    await reloaded(one, 'messages_per_second: 50', 'messages_per_second: 60');
    expect(await within(6_000, sensors.ended, 'the close')).toMatchObject({ code: 1012 });
    chat.send('still here');
    expect(await heard(chat)).toBe('still here');
    one.gateway.signal('SIGTERM');
    expect(await ended(chat)).toMatchObject({ code: 1001 });
    expect(await one.gateway.exit).toMatchObject({ code: 0 });
  });

  test('its metrics are there', async () => expect(metricsOf('websocket', await metrics(scene.gateway))).toBe(5));

  noLineIsLeft(scene);
});

// ---- Server-Sent Events

describe('Server-Sent Events', () => {
  const scene = example('server-sent-events', 'sse', { instead: [['}, 1000);', '}, 30);']] });

  /** The answer to a GET, whose text grows. */
  const ask = ({ gateway }, path, headers = {}) =>
    new Promise((resolve, reject) => {
      const request = http.get({ host: '127.0.0.1', port: gateway.port, path, headers, agent: false }, (response) => {
        const answer = { status: response.statusCode, headers: response.headers, text: '', leave: () => request.destroy() };
        response.setEncoding('utf8').on('data', (text) => (answer.text += text));
        answer.ended = new Promise((end) => response.once('end', () => end('in order')).once('error', (error) => end(error.code)));
        resolve(answer);
      });
      request.once('error', reject);
    });
  const ended = (answer) => within(8_000, answer.ended, 'the end of the stream');
  const heard = (answer, text) => until(() => answer.text.includes(text), `${JSON.stringify(text)} in ${JSON.stringify(answer.text)}`);

  /** The example with `answer(request, response)` in the place of the upstream. */
  async function upstreamThat(answer, instead = []) {
    const one = await alone('server-sent-events', 'sse', { without: ['upstream.mjs'], instead });
    await listening(http.createServer(answer), one.port(9001));
    return one;
  }
  const stream = (response, ...pieces) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) response.write(piece);
  };

  test('the line of the guide: five events', async () => {
    const five = Array.from({ length: 5 }, (_, i) => `id: ${i + 1}\ndata: news number ${i + 1}\n\n`).join('');
    expect(await scene.do('curl -N http://localhost:8000/news/events')).toBe(five);
  });

  test('nobody behind us is to gather them, unless the upstream says another', async () => {
    const answer = await ask(scene, '/news/events');
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-cache', 'x-accel-buffering': 'no', 'content-type': 'text/event-stream' });
    answer.leave();
    const one = await upstreamThat((_, response) => response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'private' }).end());
    expect((await ask(one, '/news')).headers['cache-control']).toBe('private');
  });

  test.skipIf(!whereIs('chromium'))('the page of the guide goes on where it was', async () => {
    const browser = await chromium.launch({ executablePath: whereIs('chromium'), args: ['--no-sandbox'] });
    left.push(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${scene.gateway.url}/news/`);
    const news = () => page.locator('li').allTextContents();
    await until(async () => (await news()).length >= 6, 'it has come back', 15_000);
    expect((await news()).slice(0, 6)).toEqual(Array.from({ length: 6 }, (_, i) => `news number ${i + 1}`));
  });

  test('a silence is filled between two events, and not inside one', async () => {
    let upstream;
    const one = await upstreamThat((_, response) => stream((upstream = response), 'data: a\n\n'), [['heartbeat: 10s', 'heartbeat: 50ms']]);
    const other = await ask(one, '/chat'); // it tells the time
    const answer = await ask(one, '/chat');
    await heard(answer, 'data: a\n\n: heartbeat\n\n');
    upstream.write('data: half');
    await heard(answer, 'data: half');
    const before = other.text.length;
    await until(() => other.text.slice(before).split(': heartbeat').length > 4, 'four heartbeats of the other one');
    upstream.write(' and half\n\n');
    await heard(answer, 'data: half and half\n\n: heartbeat\n\n');
  });

  test('one that breaks ends with an event, then in order', async () => {
    let upstream;
    const one = await upstreamThat((request, response) => stream((upstream = response), 'id: 1\ndata: a\n\n', request.url === '/inside' ? 'id: 2\ndata: b' : ''));
    const between = await ask(one, '/news');
    await heard(between, 'data: a\n\n');
    upstream.destroy();
    expect(await ended(between)).toBe('in order');
    expect(between.text).toMatch(/^id: 1\ndata: a\n\nevent: error\ndata: \{"error":"upstream_truncated","message":"[^"]*","request_id":"[^"]+"\}\n\n$/);

    const inside = await ask(one, '/news/inside');
    await heard(inside, 'data: b');
    upstream.destroy();
    expect(await ended(inside)).toBe('in order');
    const [, data] = /\n\n(id: 2\ndata: b\n.*)\n\n$/s.exec(inside.text);
    const lines = data.split('\n');
    expect(lines).toContain('event: error');
    expect(lines.filter((line) => line.startsWith('data: ')).at(-1)).toMatch(/^data: \{"error":"upstream_truncated"/);
    expect(lines.filter((line) => line.startsWith('id:')).at(-1)).toBe('id: 1'); // what a client comes back with
  });

  test('an early answer bridges the time until the upstream has one', async () => {
    let upstream;
    const one = await upstreamThat((_, response) => (upstream = response), [['heartbeat: 10s', 'heartbeat: 50ms']]);
    const answer = await ask(one, '/chat');
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream' } });
    await heard(answer, ': heartbeat\n\n');
    upstream.writeHead(200, { 'content-type': 'text/plain' });
    upstream.end('data: at last\n\n');
    expect(await ended(answer)).toBe('in order');
    expect(answer.text).toMatch(/data: at last\n\n$/);
  });

  test('what comes instead of a stream is an event; what the gateway refuses, a status; a HEAD waits', async () => {
    const one = await upstreamThat((_, response) => response.writeHead(404).end('nothing'));
    const answer = await ask(one, '/chat');
    await ended(answer);
    expect(answer).toMatchObject({ status: 200, text: expect.stringMatching(/^event: error\ndata: \{"error":"upstream_status"/) });
    expect((await fetch(`${one.gateway.url}/chat`, { method: 'HEAD' })).status).toBe(404);
    const large = { method: 'POST', body: Buffer.alloc((1 << 20) + 1) };
    expect((await fetch(`${one.gateway.url}/chat`, large)).status).toBe(413);
    const other = await ask(await alone('server-sent-events', 'sse', { without: ['upstream.mjs'] }), '/chat');
    await ended(other);
    expect(other).toMatchObject({ status: 200, text: expect.stringMatching(/^event: error\ndata: \{"error":"connect_failed"/) });
  });

  test('a compressed one is an ordinary answer', async () => {
    const one = await upstreamThat((_, response) => response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }).end());
    expect((await ask(one, '/news')).headers['x-accel-buffering']).toBe(undefined);
  });

  test('no first event in time is an error event', async () => {
    const one = await upstreamThat((_, response) => stream(response, ': hello\n\n'), [['first_event_timeout: 2m', 'first_event_timeout: 200ms']]);
    const answer = await ask(one, '/chat');
    await ended(answer);
    expect(answer.text).toContain('data: {"error":"upstream_timeout"');
  });

  test('when the client leaves, the upstream knows at once', async () => {
    let closed;
    const one = await upstreamThat((_, response) => {
      closed = once(response, 'close');
      stream(response, 'data: a\n\n');
    });
    const answer = await ask(one, '/news');
    await heard(answer, 'data: a');
    answer.leave();
    await within(2_000, closed, 'the end of the request');
  });

  test('a reload ends those of a changed route behind a whole event, a drain the others', async () => {
    let upstream;
    const one = await upstreamThat((request, response) => {
      if (request.url === '/slow') upstream = response;
      stream(response, 'data: a\n\n', request.url === '/slow' ? 'data: b' : '');
    });
    const [news, chat] = [await ask(one, '/news/slow'), await ask(one, '/chat')];
    await heard(news, 'data: b');
    await heard(chat, 'data: a\n\n');
    await reloaded(one, 'heartbeat: 10s', 'heartbeat: 11s');
    expect(await ended(chat)).toBe('in order');
    expect(chat.text).toMatch(/^data: a\n\nretry: \d+\n\n$/);
    const [, retry] = /retry: (\d+)/.exec(chat.text);
    expect(Math.abs(Number(retry) - 3000)).toBeLessThanOrEqual(1500);
    expect(news.text).toBe('data: a\n\ndata: b');
    upstream.write('\n\n');
    await heard(news, 'data: b\n\n');
    one.gateway.signal('SIGTERM');
    expect(await ended(news)).toBe('in order');
    expect(news.text).toMatch(/^data: a\n\ndata: b\n\nretry: \d+\n\n$/);
  });

  test('its metrics are there', async () => expect(metricsOf('server-sent-events', await metrics(scene.gateway))).toBe(4));

  noLineIsLeft(scene);
});

// ---- what the gateway does to requests and answers

describe('authentication', () => {
  const scene = example('authentication', 'authentication');

  test('the lines print what the guide says', () => typesThemAll(scene, 'authentication'), 60_000);

  test('its codes are those of the answers', async () => {
    const codeOf = async (token) => {
      const answer = await fetch(`${scene.gateway.url}/me`, { headers: token ? { authorization: `Bearer ${token}` } : {} });
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Bearer realm=/)]);
      return (await answer.json()).code;
    };
    expect([await codeOf(), await codeOf('no token')]).toEqual(['missing_token', 'invalid_token']);
  });

  test('an open socket goes on with a newer token, and ends with that of somebody else', async () => {
    const one = await alone('authentication', 'authentication', { without: ['upstream.mjs'] });
    const service = new WebSocketServer({ host: '127.0.0.1', port: one.port(9001) });
    left.push(() => new Promise((resolve) => service.close(resolve)), () => service.clients.forEach((each) => each.terminate()));
    const tokenOf = async (who) => (await fetch(`http://127.0.0.1:${one.port(9002)}/token?sub=${who}`)).text();
    const socket = new WebSocket(`${one.gateway.url.replace('http', 'ws')}/chat`, { headers: { authorization: `Bearer ${await tokenOf('alice')}` } });
    left.push(() => socket.terminate());
    await once(socket, 'open');
    const answered = async (text) => {
      socket.send(text);
      return JSON.parse((await once(socket, 'message'))[0]);
    };
    expect(await answered(JSON.stringify({ type: 'auth', token: await tokenOf('alice') }))).toEqual({ type: 'auth_ok', expires_in: expect.any(Number) });
    expect(await answered('{"type":"auth","token":"no token"}')).toEqual({ type: 'auth_failed', code: 'invalid_token', message: expect.any(String) });
    socket.send(JSON.stringify({ type: 'auth', token: await tokenOf('bob') }));
    const [code, reason] = await within(8_000, once(socket, 'close'), 'the close');
    expect([code, String(reason)]).toEqual([1008, "the token is somebody else's"]);
  });

  noLineIsLeft(scene);
});

describe('rate limits', () => {
  const scene = example('rate-limits', 'limits');

  test('the lines print what the guide says', () => typesThemAll(scene, 'rate-limits'), 60_000);

  test('what is switched off for a route is not said on it', async () => {
    const answer = await fetch(`${scene.gateway.url}/internal/x`);
    expect([answer.status, answer.headers.get('ratelimit')]).toEqual([200, null]);
  });

  test('its metrics are there', async () => expect(metricsOf('rate-limits', await metrics(scene.gateway))).toBe(3));

  noLineIsLeft(scene);
});

describe('cache', () => {
  const scene = example('cache', 'cache');
  const manage = 'manage http://localhost:8000/api/v1/management/cache';
  const news = async () => (await fetch(`http://localhost:${scene.example.port(8000)}/api/news`)).text();

  test('the lines print what the guide says', () => typesThemAll(scene, 'cache'), 60_000);

  test('whoever may manage the gateway takes things out', async () => {
    expect(JSON.parse(await scene.do(manage))).toMatchObject({ entries: 3 });
    const [purge] = scene.example.lines.filter((line) => line.startsWith(`${manage}/purge`));
    expect(JSON.parse(await scene.do(purge))).toMatchObject({ urls: 1, prefixes: 1, tags: 1 });
    expect(await news()).toBe('GET /api/news: asked 2 times\n');
    expect(JSON.parse(await scene.do(`manage -X POST ${manage.slice('manage '.length)}/clear`))).toMatchObject({ message: expect.stringContaining('cleared') });
    expect(await news()).toBe('GET /api/news: asked 3 times\n');
    expect((await fetch(`${scene.gateway.url}/api/v1/management/cache/clear`, { method: 'POST' })).status).toBe(401);
  });

  noLineIsLeft(scene);
});

describe('validation', () => {
  const scene = example('validation', 'validation');

  test('the lines print what the guide says', () => typesThemAll(scene, 'validation'), 60_000);

  noLineIsLeft(scene);
});

describe('browsers, hosts and addresses', () => {
  const scene = example('browsers-and-addresses', 'browsers');

  test('the lines print what the guide says', () => typesThemAll(scene, 'browsers-and-addresses'), 60_000);

  noLineIsLeft(scene);
});

describe('compression, versions and transformations', () => {
  const scene = example('compression-versions-transformations', 'transform');

  test('the lines print what the guide says', () => typesThemAll(scene, 'compression-versions-transformations'), 60_000);

  noLineIsLeft(scene);
});
