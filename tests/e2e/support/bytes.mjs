// SPDX-License-Identifier: MIT
// The receiving half of a socket, read as a strict reader of HTTP/1.1 would read it.
// Raw clients and raw upstreams both stand on it.

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The peer did not speak HTTP/1.1 as RFC 9112 wants it. */
export class Violation extends Error {
  name = 'Violation';
}

/** The connection ended before what was expected of it had come. */
export class Cut extends Error {
  name = 'Cut';
  constructor(how, got) {
    super(`the connection was ${how} after ${JSON.stringify(got.toString('latin1').slice(-300))}`);
    this.how = how;
  }
}

const violate = (rule, bytes) => {
  throw new Violation(`${rule}: ${JSON.stringify(bytes)}`);
};

export class Bytes {
  #pieces = [];
  #size = 0;
  #end = null; // 'closed' or 'reset'
  #waiting = new Set();

  constructor(socket) {
    this.socket = socket;
    socket.on('data', (piece) => {
      this.#pieces.push(piece);
      this.#size += piece.length;
      this.#wake();
    });
    socket.on('end', () => this.#ended('closed'));
    socket.on('error', (error) => this.#ended(error.code === 'ECONNRESET' ? 'reset' : 'closed'));
    socket.on('close', () => this.#ended('closed'));
  }

  #ended(how) {
    this.#end ??= how;
    this.#wake();
  }

  #wake() {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }

  #all() {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? Buffer.alloc(0);
  }

  #take(n) {
    const all = this.#all();
    this.#pieces = n < all.length ? [all.subarray(n)] : [];
    this.#size -= n;
    return all.subarray(0, n);
  }

  get size() {
    return this.#size;
  }

  async #more() {
    if (this.#end) throw new Cut(this.#end, this.#all());
    await new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Everything there is right now. */
  peek() {
    return this.#all().toString('latin1');
  }

  async exactly(n) {
    while (this.#size < n) await this.#more();
    return this.#take(n);
  }

  /** What has come, as soon as something has; null at the end. */
  async some(most = Infinity) {
    while (this.#size === 0) {
      if (this.#end) return null;
      await new Promise((resolve) => this.#waiting.add(resolve));
    }
    return this.#take(Math.min(most, this.#size));
  }

  async through(delimiter) {
    for (;;) {
      const at = this.#all().indexOf(delimiter, 0, 'latin1');
      if (at >= 0) return this.#take(at + delimiter.length).toString('latin1');
      await this.#more();
    }
  }

  async rest() {
    while (!this.#end) await new Promise((resolve) => this.#waiting.add(resolve));
    return this.#take(this.#size);
  }

  /** 'closed' or 'reset', once the peer has done it. What it sent before is skipped. */
  async ended() {
    await this.rest();
    return this.#end;
  }

  get open() {
    return this.#end === null;
  }

  // ---- HTTP/1.1

  /** The start line and the fields, every rule of RFC 9112 applied. */
  async head() {
    const text = await this.through('\r\n\r\n');
    const [start, ...lines] = text.slice(0, -4).split('\r\n');
    if (!FIELD_VALUE.test(start)) violate('the start line has control bytes', start);
    return { start, headers: new Fields(lines) };
  }

  /** The pieces of a body as they come; the trailers are put into `message.trailers`. */
  async *body(message, framing) {
    if (framing.kind === 'length') {
      for (let left = framing.size; left > 0; ) {
        const piece = await this.some(left);
        if (!piece) await this.#more();
        left -= piece.length;
        yield piece;
      }
    } else if (framing.kind === 'chunked') {
      yield* this.#chunks(message);
    } else if (framing.kind === 'until close') {
      for (let piece; (piece = await this.some()); ) yield piece;
      if (this.#end === 'reset') throw new Cut('reset', Buffer.alloc(0));
    }
  }

  async *#chunks(message) {
    for (;;) {
      const line = (await this.through('\r\n')).slice(0, -2);
      if (!/^[0-9A-Fa-f]{1,8}$/.test(line)) violate('the chunk size is malformed', line);
      const size = parseInt(line, 16);
      if (size === 0) break;
      for (let left = size; left > 0; ) {
        const piece = await this.some(left);
        if (!piece) await this.#more();
        left -= piece.length;
        yield piece;
      }
      const end = (await this.exactly(2)).toString('latin1');
      if (end !== '\r\n') violate('no CRLF after a chunk', end);
    }
    const trailers = [];
    for (let line; (line = (await this.through('\r\n')).slice(0, -2)) !== ''; ) trailers.push(line);
    message.trailers = new Fields(trailers);
  }
}

/** Header fields in the order they came; names are compared without case. */
export class Fields {
  constructor(lines) {
    this.list = lines.map((line) => {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(colon, 0));
      const value = line.slice(colon + 1);
      if (!TOKEN.test(name)) violate('a field name is not a token', line);
      if (!FIELD_VALUE.test(value)) violate('a field value has control bytes', line);
      return [name, value.replace(/^[ \t]+|[ \t]+$/g, '')];
    });
  }
  all(name) {
    return this.list.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, v]) => v);
  }
  get(name) {
    const values = this.all(name);
    return values.length ? values.join(', ') : undefined;
  }
  has(name) {
    return this.all(name).length > 0;
  }
}

/** The one length a message may have: never two, never another coding than chunked. */
export function framingOf(headers, otherwise) {
  const lengths = headers.all('content-length');
  const codings = headers.all('transfer-encoding');
  if (lengths.length + codings.length > 1) violate('two framings', headers.list);
  if (codings.length) {
    if (codings[0] !== 'chunked') violate('an unknown coding', codings[0]);
    return { kind: 'chunked' };
  }
  if (!lengths.length) return otherwise;
  if (!/^(0|[1-9]\d{0,17})$/.test(lengths[0])) violate('a malformed length', lengths[0]);
  return { kind: 'length', size: Number(lengths[0]) };
}

export async function gather(pieces) {
  const all = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

export { TOKEN, violate };
