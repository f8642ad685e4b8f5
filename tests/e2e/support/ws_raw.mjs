// SPDX-License-Identifier: MIT
// A WebSocket client that puts its frames together by hand, right ones and wrong ones, cuts them anywhere, and gives a
// verdict: what was said back, and how it ended. The bytes travel over HTTP/1.1 or in a stream of HTTP/2.
import { createHash } from 'node:crypto';
import http2 from 'node:http2';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { Bytes, Cut } from './bytes.mjs';
import { connect } from './raw.mjs';
import { within } from './wait.mjs';

export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };
const NAMES = { 0: 'continuation', 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' };
const PATIENCE = 10_000;

// ---- frames (RFC 6455 §5.2)

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A frame as a client sends it; `rsv` is the three bits as a number, so 4 is RSV1. */
export function wsFrame(opcode, payload = '', { fin = true, rsv = 0, masked = true } = {}) {
  const bytes = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const mask = masked ? 0x80 : 0;
  const head =
    bytes.length < 126 ? Buffer.from([first, mask | bytes.length])
    : bytes.length < 65536 ? Buffer.from([first, mask | 126, bytes.length >> 8, bytes.length & 0xff])
    : Buffer.from([first, mask | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((by) => (bytes.length >>> by) & 0xff)]);
  if (!masked) return Buffer.concat([head, bytes]);
  const hidden = bytes.map((octet, at) => octet ^ KEY[at & 3]);
  return Buffer.concat([head, KEY, hidden]);
}

/** A message in frames of at most `size`; `rsv` belongs to the first. */
export function inFragments(opcode, payload, size, { rsv = 0 } = {}) {
  const bytes = Buffer.from(payload);
  const frames = [];
  for (let at = 0; at === 0 || at < bytes.length; at += size) {
    const fin = at + size >= bytes.length;
    frames.push(wsFrame(at === 0 ? opcode : Opcode.CONTINUATION, bytes.subarray(at, at + size), { fin, rsv: at === 0 ? rsv : 0 }));
  }
  return frames;
}

export function closing(code, reason = '') {
  const number = code === undefined ? [] : [code >> 8, code & 0xff];
  return wsFrame(Opcode.CLOSE, Buffer.concat([Buffer.from(number), Buffer.from(reason)]));
}

/** Pieces whose sizes are those of `sizes`, again and again. */
export function cut(bytes, sizes) {
  const pieces = [];
  for (let at = 0, turn = 0; at < bytes.length; at += sizes[turn++ % sizes.length]) pieces.push(bytes.subarray(at, at + sizes[turn % sizes.length]));
  return pieces;
}

// ---- compressed messages (RFC 7692); the context is what was said before

const flush = { finishFlush: constants.Z_SYNC_FLUSH };
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

export class Context {
  #said = Buffer.alloc(0);

  /** `forgets`: the next message must not refer to this one. */
  deflate(bytes, { forgets = false } = {}) {
    const options = this.#said.length > 0 ? { ...flush, dictionary: this.#said } : flush;
    const all = deflateRawSync(bytes, options);
    if (!forgets) this.#remember(bytes);
    return all.subarray(0, all.length - TAIL.length);
  }

  inflate(bytes) {
    const options = this.#said.length > 0 ? { ...flush, dictionary: this.#said } : flush;
    const all = inflateRawSync(Buffer.concat([bytes, TAIL]), options);
    this.#remember(all);
    return all;
  }

  #remember(bytes) {
    this.#said = Buffer.concat([this.#said, bytes]).subarray(-32768);
  }
}

// ---- ways to the other side: each gives a duplex with its strict reader, and the extensions agreed on

const handshake = (extensions) => ({
  'sec-websocket-version': '13',
  ...(extensions && { 'sec-websocket-extensions': extensions }),
});

export async function overHttp1(port, path, extensions) {
  const client = await connect(port);
  const key = Buffer.from('a key of 16 byte').toString('base64');
  const fields = Object.entries({ ...handshake(extensions), 'sec-websocket-key': key }).map(([name, value]) => `${name}: ${value}\r\n`);
  client.send(`GET ${path} HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${fields.join('')}\r\n`);
  const { status, headers } = await client.head();
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  if (status !== 101 || headers.get('sec-websocket-accept') !== accept) throw new Error(`no WebSocket: ${status}`);
  return { duplex: client.socket, bytes: client.bytes, agreed: headers.get('sec-websocket-extensions') ?? '' };
}

/** A connection whose streams may be WebSockets (RFC 8441). */
export async function http2Session(port) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {}); // its streams are told, too
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  return session;
}

export async function overHttp2(session, path, extensions) {
  const stream = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': path, ...handshake(extensions) }, { endStream: false });
  const bytes = new Bytes(stream);
  const headers = await new Promise((resolve, reject) => stream.once('response', resolve).once('error', reject));
  if (headers[':status'] !== 200) throw new Error(`no WebSocket: ${headers[':status']}`);
  return { duplex: stream, bytes, agreed: headers['sec-websocket-extensions'] ?? '' };
}

// ---- the dialogue

/** Says the pieces one by one, listens until the other side ends, and tells what it heard. */
export async function verdictOn({ duplex, bytes, agreed }, pieces) {
  const verdict = { agreed, frames: [], closed: null, reason: '', ended: '' };
  const said = say(duplex, pieces);
  const border = await within(PATIENCE, listen(bytes, verdict), `the end after ${JSON.stringify(verdict)}`);
  const how = duplex.rstCode ? `reset with ${duplex.rstCode}` : await bytes.ended();
  verdict.ended = !border ? 'inside a frame' : verdict.closed === null ? 'dropped' : how;
  duplex.end();
  await said;
  return verdict;
}

async function say(duplex, pieces) {
  const closed = new Promise((resolve) => duplex.once('close', resolve));
  for (const piece of pieces) {
    if (duplex.destroyed || duplex.writableEnded) return;
    await Promise.race([closed, new Promise((resolve) => duplex.write(piece, resolve))]);
    await new Promise(setImmediate); // so that the next piece is another segment
  }
}

/** Until the end; whether that is at the border of two frames. */
async function listen(bytes, verdict) {
  const context = new Context();
  let compressed = null; // a message of which more is to come
  try {
    for (let head; (head = await nextHead(bytes)); ) {
      const { opcode, fin, rsv, masked, payload } = await readFrame(head, bytes);
      if (verdict.closed !== null) verdict.frames.push('a frame behind Close');
      if (opcode === Opcode.CLOSE) {
        verdict.closed = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
        verdict.reason = payload.subarray(2).toString();
        continue;
      }
      let content = payload;
      if (rsv & 4 || (compressed && opcode === Opcode.CONTINUATION)) {
        compressed = Buffer.concat([compressed ?? Buffer.alloc(0), payload]);
        content = fin ? context.inflate(compressed) : Buffer.alloc(0);
        if (fin) compressed = null;
      }
      const marks = [!fin && 'unfinished', rsv & 3 && `rsv ${rsv}`, masked && 'masked', rsv & 4 && 'compressed'].filter(Boolean);
      verdict.frames.push(`${[NAMES[opcode] ?? opcode, ...marks].join(', ')}: ${shown(content)}`);
    }
    return true;
  } catch (error) {
    if (!(error instanceof Cut)) throw error;
    return false;
  }
}

/** The first two octets of a frame; null when there is no other one. */
const nextHead = (bytes) => bytes.exactly(2).catch((error) => (error instanceof Cut && bytes.size === 0 ? null : Promise.reject(error)));

async function readFrame([first, second], bytes) {
  let length = second & 0x7f;
  if (length === 126) length = (await bytes.exactly(2)).readUInt16BE(0);
  else if (length === 127) length = Number((await bytes.exactly(8)).readBigUInt64BE(0));
  const masked = Boolean(second & 0x80);
  if (masked) await bytes.exactly(4);
  const payload = Buffer.from(await bytes.exactly(length));
  return { opcode: first & 15, fin: Boolean(first & 0x80), rsv: (first >> 4) & 7, masked, payload };
}

const shown = (bytes) =>
  bytes.length <= 40 ? JSON.stringify(bytes.toString('latin1')) : `${bytes.length} octets, ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
