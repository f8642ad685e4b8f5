// SPDX-License-Identifier: MIT
// An HTTP/2 client made of a raw socket: says what it is told, octet for octet, and keeps every frame it is
// answered with. It has no opinion on what may be sent; HPACK blocks are put together by hand, so they may be wrong.
import net from 'node:net';
import tls from 'node:tls';
import { Bytes, Cut } from './bytes.mjs';

export const Type = { DATA: 0, HEADERS: 1, PRIORITY: 2, RST_STREAM: 3, SETTINGS: 4, PUSH_PROMISE: 5, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8, CONTINUATION: 9 };
export const Flag = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 };
export const Code = {
  NO_ERROR: 0, PROTOCOL_ERROR: 1, INTERNAL_ERROR: 2, FLOW_CONTROL_ERROR: 3, SETTINGS_TIMEOUT: 4, STREAM_CLOSED: 5, FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7, CANCEL: 8, COMPRESSION_ERROR: 9, CONNECT_ERROR: 10, ENHANCE_YOUR_CALM: 11, INADEQUATE_SECURITY: 12, HTTP_1_1_REQUIRED: 13,
};
export const Setting = { HEADER_TABLE_SIZE: 1, ENABLE_PUSH: 2, MAX_CONCURRENT_STREAMS: 3, INITIAL_WINDOW_SIZE: 4, MAX_FRAME_SIZE: 5, MAX_HEADER_LIST_SIZE: 6 };

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

const nameOf = (names, value) => Object.keys(names).find((name) => names[name] === value) ?? String(value);
export const codeName = (code) => nameOf(Code, code);

// ---- frames (RFC 9113 §6)

const octets = (value) => (typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from(value));
export const join = (...pieces) => Buffer.concat(pieces.map(octets));

export function u32(n) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n >>> 0);
  return bytes;
}

/** `id` may have the reserved bit set. */
export function frame(type, flags, id, ...payload) {
  const bytes = join(...payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id >>> 0, 5);
  return Buffer.concat([head, bytes]);
}

export const data = (id, bytes, flags = Flag.END_STREAM) => frame(Type.DATA, flags, id, bytes);
export const headers = (id, block, flags = Flag.END_HEADERS | Flag.END_STREAM) => frame(Type.HEADERS, flags, id, block);
export const continuation = (id, block, flags = Flag.END_HEADERS) => frame(Type.CONTINUATION, flags, id, block);
export const rst = (id, code = Code.CANCEL) => frame(Type.RST_STREAM, 0, id, u32(code));
export const settings = (...pairs) => frame(Type.SETTINGS, 0, 0, ...pairs.map(([id, value]) => join([id >> 8, id & 0xff], u32(value))));
export const ping = (opaque = '01234567', flags = 0) => frame(Type.PING, flags, 0, opaque);
export const goaway = (code = Code.NO_ERROR, last = 0, id = 0) => frame(Type.GOAWAY, 0, id, u32(last), u32(code));
export const windowUpdate = (id, increment) => frame(Type.WINDOW_UPDATE, 0, id, u32(increment));
/** What PRIORITY carries, and HEADERS with the flag; a weight is 1 to 256. */
export const dependency = (on, { weight = 16, exclusive = false } = {}) => join(u32((exclusive ? 0x80000000 : 0) + on), [weight - 1]);
export const priority = (id, on, how) => frame(Type.PRIORITY, 0, id, dependency(on, how));

// ---- HPACK (RFC 7541)

// Appendix B is a canonical code, so the symbols by length say all of it. ASCII will do; no longer ones are needed.
const BY_LENGTH = {
  5: '012aceiost', 6: ' %-./3456789=A_bdfghlmnpru', 7: ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz', 8: '&*,;XZ', 10: '!"()?', 11: "'+|", 12: '#>',
  13: '\0$@[]~', 14: '^}', 15: '<`{',
};
const HUFFMAN = new Map(); // symbol to bits
let next = 0, last = 5;
for (const [length, symbols] of Object.entries(BY_LENGTH)) {
  next <<= length - last;
  last = Number(length);
  for (const symbol of symbols) HUFFMAN.set(symbol, (next++).toString(2).padStart(last, '0'));
}
const SYMBOLS = new Map([...HUFFMAN].map(([symbol, bits]) => [bits, symbol]));
export const EOS = '1'.repeat(30);

/** Text as bits; they are packed by packed(), which may be given a wrong padding. */
export const huffmanBits = (text) => [...text].map((symbol) => HUFFMAN.get(symbol)).join('');
export function packed(bits, padding = '1'.repeat((8 - (bits.length % 8)) % 8)) {
  return Buffer.from((bits + padding).match(/.{8}/g)?.map((octet) => parseInt(octet, 2)) ?? []);
}
function unpacked(bytes) {
  let text = '', bits = '';
  for (const bit of [...bytes].map((octet) => octet.toString(2).padStart(8, '0')).join('')) {
    bits += bit;
    if (SYMBOLS.has(bits)) (text += SYMBOLS.get(bits)), (bits = '');
  }
  return text;
}

/** §5.1: `pattern` is what stands above the prefix. */
export function integer(prefix, pattern, value) {
  const most = (1 << prefix) - 1;
  if (value < most) return Buffer.from([pattern | value]);
  const bytes = [pattern | most];
  for (value -= most; value >= 128; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
const string = (bytes, huffman) => join(integer(7, huffman ? 0x80 : 0, bytes.length), bytes);
const text = (value, huffman) => string(huffman ? packed(huffmanBits(value)) : octets(value), huffman);

export const indexed = (index) => integer(7, 0x80, index);
export const tableSize = (size) => integer(5, 0x20, size);
/** A string said to be Huffman coded, whatever it is. */
export const coded = (bytes) => string(bytes, true);

const KINDS = { incremental: [6, 0x40], without: [4, 0x00], never: [4, 0x10] };
/** `name` is a text, or the index of one; `value` a text, or octets that are a string already. */
export function literal(name, value, { kind = 'without', huffman = false } = {}) {
  const [prefix, pattern] = KINDS[kind];
  const start = typeof name === 'number' ? integer(prefix, pattern, name) : join([pattern], text(name, huffman));
  return join(start, typeof value === 'string' ? text(value, huffman) : value);
}
export const fields = (list) => join(...list.map(([name, value]) => literal(name, value)));

/** :status of a response; it comes first, and our table of size 0 leaves only the static one. */
function statusOf(block) {
  let at = 0;
  while ((block[at] & 0xe0) === 0x20) at++; // size updates: ours is 0, which is one octet
  const first = block[at];
  const known = [200, 204, 206, 304, 400, 404, 500][(first & 0x7f) - 8];
  if (first & 0x80) return known;
  const length = block[at + 1] & 0x7f;
  const value = block.subarray(at + 2, at + 2 + length);
  return Number(block[at + 1] & 0x80 ? unpacked(value) : value.toString('latin1'));
}

// ---- the client

export class H2Client {
  frames = []; // all that came, in order
  ended = false;
  #judged = 0;
  #waiting = new Set();

  constructor(socket, scheme) {
    this.socket = socket;
    this.scheme = scheme;
    this.bytes = new Bytes(socket);
    this.#read();
  }

  send(...pieces) {
    if (!this.socket.destroyed) this.socket.write(join(...pieces));
  }

  /** Preface and SETTINGS, `pairs` among them, both ways. */
  async hello(...pairs) {
    this.send(PREFACE, settings([Setting.HEADER_TABLE_SIZE, 0], ...pairs));
    await this.first((f) => f.type === Type.SETTINGS && f.flags & Flag.ACK);
    const told = this.frames.find((f) => f.type === Type.SETTINGS && !(f.flags & Flag.ACK));
    this.settings = new Map();
    for (let at = 0; at < told.payload.length; at += 6) this.settings.set(told.payload.readUInt16BE(at), told.payload.readUInt32BE(at + 2));
  }

  async #read() {
    try {
      for (;;) {
        const head = await this.bytes.exactly(9);
        const [type, flags, id] = [head[3], head[4], head.readUInt32BE(5)];
        const payload = Buffer.from(await this.bytes.exactly(head.readUIntBE(0, 3)));
        if (type === Type.SETTINGS && !(flags & Flag.ACK)) this.send(frame(Type.SETTINGS, Flag.ACK, 0));
        this.frames.push({ type, flags, id, payload, ...readings[type]?.(payload) });
        this.#wake();
      }
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      this.ended = true;
      this.#wake();
    }
  }

  #wake() {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }

  /** What has come so far was as it should be. */
  judgedFromHere() {
    this.#judged = this.frames.length;
  }

  /** The first of the other frames that satisfies `wanted`, come or to come; null when the connection ended before. */
  async first(wanted) {
    for (let at = this.#judged; ; ++at) {
      while (at >= this.frames.length) {
        if (this.ended) return null;
        await new Promise((resolve) => this.#waiting.add(resolve));
      }
      if (wanted(this.frames[at])) return this.frames[at];
    }
  }

  /** The stream's last frame, when the gateway has ended it. */
  streamEnd(id) {
    return this.first((f) => f.id === id && (f.type === Type.DATA || f.type === Type.HEADERS) && f.flags & Flag.END_STREAM);
  }

  bodyOf(id) {
    return Buffer.concat(this.frames.filter((f) => f.id === id && f.type === Type.DATA).map((f) => f.payload)).toString();
  }

  async closed() {
    await this.first(() => false);
  }

  leave() {
    this.socket.destroy();
  }
}

const readings = {
  [Type.HEADERS]: (payload) => ({ status: statusOf(payload) }),
  [Type.RST_STREAM]: (payload) => ({ code: payload.readUInt32BE(0) }),
  [Type.GOAWAY]: (payload) => ({ code: payload.readUInt32BE(4) }),
};

/** A frame in words. */
export function described(f) {
  const what = f.status ?? (f.code === undefined ? `${f.payload.length} octets` : codeName(f.code));
  return `${nameOf(Type, f.type)}(stream ${f.id}, flags ${f.flags}, ${what})`;
}

export const overTcp = (port) => opened(net.connect({ port, host: '127.0.0.1' }), 'connect', 'http');
export const overTls = (port, ca) =>
  opened(tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: ['h2'] }), 'secureConnect', 'https');

async function opened(socket, event, scheme) {
  await new Promise((resolve, reject) => socket.once(event, resolve).once('error', reject));
  socket.setNoDelay(true); // which tls.connect() does not take from its options
  return new H2Client(socket, scheme);
}
