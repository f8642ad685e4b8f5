// SPDX-License-Identifier: MIT
// An upstream made of a raw socket and a script. It believes nothing: every byte the gateway sends is
// checked against RFC 9112, and what breaks a rule is kept in `violations` (tests expect none).
import net from 'node:net';
import { Bytes, Cut, TOKEN, Violation, framingOf, gather, violate } from './bytes.mjs';

const TARGET = /^(\*|\/[A-Za-z0-9\-._~%!$&'()*+,;=:@/]*(\?[A-Za-z0-9\-._~%!$&'()*+,;=:@/?]*)?)$/;
const REASONS = { 200: 'OK', 201: 'Created', 204: 'No Content', 304: 'Not Modified', 413: 'Content Too Large' };

/** One request and the means to answer it in any way, also the wrong ones. */
export class Exchange {
  trailers = null;
  #body = null;

  constructor(connection, head, number) {
    const words = head.start.split(' ');
    if (words.length !== 3) violate('the request line is not three words', head.start);
    [this.method, this.target, this.version] = words;
    if (!TOKEN.test(this.method)) violate('the method is not a token', this.method);
    if (!TARGET.test(this.target)) violate('the target is not an origin-form', this.target);
    if (this.version !== 'HTTP/1.1') violate('not HTTP/1.1', this.version);
    this.headers = head.headers;
    if (this.headers.all('host').length !== 1) violate('not exactly one Host', head.start);
    this.framing = framingOf(this.headers, { kind: 'none' });
    this.connection = connection;
    this.number = number; // on its connection, from 1
  }

  /** The request's body piece by piece, while it arrives. */
  pieces() {
    this.#body ??= this.connection.bytes.body(this, this.framing);
    return this.#body;
  }

  body() {
    return gather(this.pieces());
  }

  get expectsContinue() {
    return this.headers.get('expect')?.toLowerCase() === '100-continue';
  }

  /** Bytes as they are; resolves when the socket has taken them. */
  send(bytes) {
    return this.connection.send(bytes);
  }

  reply(status, headers = {}, body = '') {
    const bytes = Buffer.from(body);
    const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((v) => `${name}: ${v}\r\n`));
    const told = Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name));
    if (!told && status !== 204 && status !== 304) lines.push(`Content-Length: ${bytes.length}\r\n`);
    const head = `HTTP/1.1 ${status} ${REASONS[status] ?? 'Whatever'}\r\n${lines.join('')}\r\n`;
    return this.send(Buffer.concat([Buffer.from(head, 'latin1'), this.method === 'HEAD' ? Buffer.alloc(0) : bytes]));
  }

  json(value, headers = {}) {
    return this.reply(200, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(value));
  }

  /** Announces a chunked answer; chunk() and lastChunk() follow. */
  begin(headers = {}) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return this.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${lines.join('')}\r\n`);
  }
  chunk(bytes) {
    return this.send(`${Buffer.byteLength(bytes).toString(16)}\r\n${bytes}\r\n`);
  }
  lastChunk(trailers = '') {
    return this.send(`0\r\n${trailers}\r\n`);
  }

  close() {
    this.connection.close();
  }
  reset() {
    this.connection.socket.resetAndDestroy();
  }

  /** Resolves when the gateway has let go of the connection. */
  abandoned() {
    return this.connection.bytes.ended();
  }
}

class Connection {
  constructor(socket, number) {
    this.socket = socket;
    this.number = number;
    this.bytes = new Bytes(socket);
    this.done = false;
  }
  send(bytes) {
    return new Promise((resolve) => {
      if (this.socket.destroyed) return resolve();
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => resolve());
    });
  }
  close() {
    this.done = true;
    this.socket.destroySoon();
  }
}

export class Upstream {
  requests = [];
  violations = [];
  connections = [];

  #waiting = [];

  constructor(script) {
    this.script = script;
    this.server = net.createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  get port() {
    return this.server.address().port;
  }

  /** What `services.<name>` says to reach it. */
  get service() {
    return { endpoints: [{ host: '127.0.0.1', port: this.port }] };
  }

  get last() {
    return this.requests.at(-1);
  }

  /** The next request that arrives; ask before it can. */
  next() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #serve(socket) {
    socket.setNoDelay(true);
    const connection = new Connection(socket, this.connections.length + 1);
    this.connections.push(connection);
    try {
      if (this.onConnection && (await this.onConnection(connection))) return;
      for (let number = 1; !connection.done && !socket.destroyed; ++number) {
        const exchange = new Exchange(connection, await connection.bytes.head(), number);
        this.requests.push(exchange);
        this.#waiting.shift()?.(exchange);
        await this.script(exchange, this);
        if (connection.done || socket.destroyed) return;
        for await (const piece of exchange.pieces()) void piece; // what the script left unread
      }
    } catch (error) {
      if (error instanceof Violation) this.violations.push(error.message);
      else if (!(error instanceof Cut)) this.violations.push(`the script failed: ${error.stack}`);
      socket.destroy();
    }
  }

  async stop() {
    for (const connection of this.connections) connection.socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Says what it was asked, as the simplest of scripts. */
export async function echo(exchange) {
  const body = await exchange.body();
  await exchange.json({
    method: exchange.method,
    target: exchange.target,
    headers: exchange.headers.list,
    body: body.toString('latin1'),
    trailers: exchange.trailers?.list ?? null,
  });
}

export async function startUpstream(script = echo) {
  const upstream = new Upstream(script);
  await new Promise((resolve) => upstream.server.listen(0, '127.0.0.1', 1024, resolve));
  return upstream;
}
