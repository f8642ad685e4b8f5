// SPDX-License-Identifier: MIT
// A client made of a raw socket: sends what it is told, byte for byte, and reads answers strictly.
import net from 'node:net';
import { Bytes, framingOf, gather, violate } from './bytes.mjs';

export class RawClient {
  constructor(socket) {
    this.socket = socket;
    this.bytes = new Bytes(socket);
  }

  /** Text is sent as Latin-1, so that '\x80' is one byte. */
  send(...pieces) {
    const bytes = Buffer.concat(pieces.map((p) => (typeof p === 'string' ? Buffer.from(p, 'latin1') : p)));
    return new Promise((resolve) => {
      if (this.socket.destroyed) return resolve();
      this.socket.write(bytes, () => resolve());
    });
  }

  /** A status line with its fields: of an answer, or of one that comes before it. */
  async head() {
    const { start, headers } = await this.bytes.head();
    const match = /^HTTP\/1\.1 ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/.exec(start);
    if (!match) violate('not a status line', start);
    return { status: Number(match[1]), reason: match[2], headers };
  }

  /** The whole next answer, interim ones gathered in `interim`. */
  async response({ to = 'GET' } = {}) {
    const interim = [];
    let head = await this.head();
    for (; head.status < 200; head = await this.head()) interim.push(head);
    const response = { ...head, interim, trailers: null };
    const none = to === 'HEAD' || head.status === 204 || head.status === 304;
    if (head.status === 204 && head.headers.has('content-length')) violate('204 with a length', head.headers.list);
    if (head.headers.has('transfer-encoding') && none && to !== 'HEAD') violate('coded nothing', head.headers.list);
    const framing = framingOf(head.headers, { kind: 'until close' });
    response.framing = framing.kind;
    response.body = none ? Buffer.alloc(0) : await gather(this.bytes.body(response, framing));
    response.text = response.body.toString('utf8');
    return response;
  }

  /** Pieces of the body that follows `head`. */
  pieces(head) {
    return this.bytes.body(head, framingOf(head.headers, { kind: 'until close' }));
  }

  /** 'closed' or 'reset' when the gateway has ended the connection. */
  ended() {
    return this.bytes.ended();
  }

  /** Half a goodbye: no more requests, but still listening. */
  finish() {
    this.socket.end();
  }
  leave() {
    this.socket.destroy();
  }
  reset() {
    this.socket.resetAndDestroy();
  }
}

const everyone = new Set();

export async function connect(port, options = {}) {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true, ...options });
  everyone.add(socket);
  socket.once('close', () => everyone.delete(socket));
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new RawClient(socket);
}

/** Sends one request on a connection of its own, reads its answer and how the connection goes on. */
export async function ask(port, request, options) {
  const client = await connect(port);
  await client.send(request);
  const response = await client.response(options);
  client.leave();
  return response;
}

export const get = (port, target, headers = {}) =>
  ask(port, `GET ${target} HTTP/1.1\r\nHost: gateway.test\r\n${lines(headers)}\r\n`);

export const post = (port, target, body, headers = {}) =>
  ask(port, `POST ${target} HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${lines(headers)}\r\n${body}`);

export function lines(headers) {
  return Object.entries(headers)
    .flatMap(([name, value]) => [value].flat().map((v) => `${name}: ${v}\r\n`))
    .join('');
}

/** Closes whatever connections a test left open. */
export function leaveAll() {
  for (const socket of everyone) socket.destroy();
}
