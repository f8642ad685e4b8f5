// SPDX-License-Identifier: MIT
// What an exchange must be when everybody behaves: complete, in order, and no byte more.
import { describe, expect, test } from 'vitest';
import { ask, connect, get, post } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { echo } from './support/upstream.mjs';
import { until, within } from './support/wait.mjs';

const scene = await setScene({ security: { max_request_size: '2MB' } });
const HOST = 'Host: gateway.test\r\n';

describe('one connection, many requests', () => {
  test('pipelined requests are answered in order', async () => {
    scene.script = echo;
    const client = await connect(scene.port);
    const count = 50;
    await client.send(...Array.from({ length: count }, (_, i) =>
      i % 3 ? `GET /${i} HTTP/1.1\r\n${HOST}\r\n` : `POST /${i} HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`));
    for (let i = 0; i < count; ++i) {
      const answer = JSON.parse((await client.response()).text);
      expect(answer).toMatchObject({ target: `/${i}`, body: i % 3 ? '' : 'abc' });
    }
    expect(client.bytes.size).toBe(0);
  });

  test('a request that comes byte by byte is a request', async () => {
    scene.script = echo;
    const client = await connect(scene.port);
    const request = `POST /slowly HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
    for (const byte of request) await client.send(byte);
    expect(JSON.parse((await client.response()).text)).toMatchObject({ target: '/slowly', body: 'abc' });
  });

  test('an empty line before a request is skipped', async () => {
    scene.script = echo;
    expect((await ask(scene.port, `\r\nGET /a HTTP/1.1\r\n${HOST}\r\n`)).status).toBe(200);
  });

  test('"Connection: close" is the last one', async () => {
    scene.script = echo;
    const client = await connect(scene.port);
    await client.send(`GET /1 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\nGET /2 HTTP/1.1\r\n${HOST}\r\n`);
    expect((await client.response()).headers.get('connection')).toBe('close');
    expect((await client.bytes.rest()).length).toBe(0);
  });

  test('a client that has said all it had to say still gets its answer', async () => {
    scene.script = echo;
    const client = await connect(scene.port);
    await client.send(`GET /half HTTP/1.1\r\n${HOST}\r\n`);
    client.finish();
    const answered = client.response().then((r) => r.status, (e) => e.name);
    // A half-closed client may be taken for one that left (as nginx does); it must not hang.
    expect([200, 'Cut']).toContain(await within(2_000, answered));
  });
});

describe('answers without a body', () => {
  test('to HEAD: the fields of GET and nothing after them', async () => {
    scene.script = (exchange) => exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n');
    const client = await connect(scene.port);
    for (let i = 0; i < 3; ++i) {
      await client.send(`HEAD /a HTTP/1.1\r\n${HOST}\r\n`);
      const response = await client.response({ to: 'HEAD' });
      expect(response.headers.get('content-length')).toBe('1234');
    }
    expect(client.bytes.size).toBe(0);
    expect(scene.upstream.last.number).toBeGreaterThan(1); // the upstream's connection was kept too
  });

  test('to HEAD from an upstream that would have sent chunks', async () => {
    scene.script = (exchange) => exchange.begin();
    const client = await connect(scene.port);
    for (let i = 0; i < 2; ++i) {
      await client.send(`HEAD /a HTTP/1.1\r\n${HOST}\r\n`);
      expect((await client.response({ to: 'HEAD' })).status).toBe(200);
    }
    expect(client.bytes.size).toBe(0);
  });

  test.each([204, 304])('%d', async (status) => {
    scene.script = (exchange) => exchange.reply(status, { ETag: '"v1"' });
    const client = await connect(scene.port);
    for (let i = 0; i < 2; ++i) {
      await client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`);
      const response = await client.response();
      expect(response.status).toBe(status);
      expect(response.headers.get('etag')).toBe('"v1"');
    }
    expect(client.bytes.size).toBe(0);
  });

  test('200 with a length of 0', async () => {
    scene.script = (exchange) => exchange.reply(200);
    const client = await connect(scene.port);
    await client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`);
    expect((await client.response()).headers.get('content-length')).toBe('0');
  });
});

describe('100 Continue', () => {
  const upload = (length) => `POST /a HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;

  test("comes from the upstream, when the upstream wants the body", async () => {
    let decide;
    const decided = new Promise((resolve) => (decide = resolve));
    scene.script = async (exchange) => {
      expect(exchange.expectsContinue).toBe(true);
      await decided;
      await exchange.send('HTTP/1.1 100 Continue\r\n\r\n');
      await exchange.json({ body: (await exchange.body()).toString() });
    };
    const asked = scene.upstream.next();
    const client = await connect(scene.port);
    await client.send(upload(5));
    await asked;
    expect(client.bytes.size).toBe(0); // nobody spoke for the upstream
    decide();
    expect((await client.head()).status).toBe(100);
    await client.send('hello');
    expect(JSON.parse((await client.response()).text)).toEqual({ body: 'hello' });
  });

  test('never comes when the upstream refuses at once', async () => {
    scene.script = async (exchange) => {
      await exchange.reply(413, {}, 'too large for me');
      exchange.close();
    };
    const client = await connect(scene.port);
    await client.send(upload(5));
    const response = await client.response();
    expect(response).toMatchObject({ status: 413, text: 'too large for me', interim: [] });
    // Whether the body follows is unknowable: this connection has no next request.
    expect(response.headers.get('connection')).toBe('close');
    expect(await client.ended()).toBe('closed');
  });

  test('never comes when the gateway refuses by the length', async () => {
    const asked = scene.upstream.requests.length;
    const client = await connect(scene.port);
    await client.send(upload(3 << 20));
    expect(await client.response()).toMatchObject({ status: 413, interim: [] });
    expect(scene.upstream.requests.length).toBe(asked);
  });

  test('is not passed on to somebody who did not ask', async () => {
    scene.script = async (exchange) => {
      await exchange.send('HTTP/1.1 100 Continue\r\n\r\n');
      await exchange.reply(200);
    };
    expect(await post(scene.port, '/a', 'hello')).toMatchObject({ status: 200, interim: [] });
  });
});

describe('103 Early Hints', () => {
  test('is passed on before the answer, with its fields', async () => {
    let go;
    scene.script = async (exchange) => {
      await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n');
      await new Promise((resolve) => (go = resolve));
      await exchange.reply(200, {}, 'done');
    };
    const client = await connect(scene.port);
    await client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`);
    const hints = await client.head();
    expect(hints.status).toBe(103);
    expect(hints.headers.list).toEqual([['Link', '</a.css>; rel=preload']]);
    await until(() => go);
    go();
    expect((await client.response()).text).toBe('done');
  });

  test('is kept from a client of HTTP/1.0', async () => {
    scene.script = async (exchange) => {
      await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
      await exchange.reply(200, {}, 'done');
    };
    expect(await ask(scene.port, 'GET /a HTTP/1.0\r\n\r\n')).toMatchObject({ interim: [], text: 'done' });
  });
});

describe('HTTP/1.0', () => {
  test('a client gets a body of known length, and the end', async () => {
    scene.script = echo;
    const client = await connect(scene.port);
    await client.send('GET /old HTTP/1.0\r\n\r\n');
    const response = await client.response();
    expect(JSON.parse(response.text).target).toBe('/old');
    expect(response.framing).toBe('length');
    expect(await client.ended()).toBe('closed');
  });

  test('a client that asks for it keeps its connection', async () => {
    scene.script = echo;
    const client = await connect(scene.port);
    for (let i = 0; i < 3; ++i) {
      await client.send(`GET /${i} HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`);
      const response = await client.response();
      expect(response.headers.get('connection')).toBe('keep-alive');
      expect(JSON.parse(response.text).target).toBe(`/${i}`);
    }
  });

  test('a client gets chunks of the upstream as bytes up to the end', async () => {
    scene.script = async (exchange) => {
      await exchange.begin();
      for (const piece of ['one ', 'two ', 'three']) await exchange.chunk(piece);
      await exchange.lastChunk();
    };
    const client = await connect(scene.port);
    await client.send(`GET /a HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`);
    const response = await client.response();
    expect(response).toMatchObject({ framing: 'until close', text: 'one two three' });
    expect(response.headers.has('transfer-encoding')).toBe(false);
  });

  test('an upstream whose end is the end of its connection', async () => {
    scene.script = async (exchange) => {
      await exchange.send('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nas long as it is');
      exchange.close();
    };
    const client = await connect(scene.port);
    for (let i = 0; i < 2; ++i) {
      await client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`);
      expect(await client.response()).toMatchObject({ framing: 'chunked', text: 'as long as it is' });
    }
  });

  test('an upstream that keeps its connection is asked on it again', async () => {
    scene.script = (exchange) =>
      exchange.send(`HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n${exchange.number}`);
    const first = Number((await get(scene.port, '/a')).text);
    expect(Number((await get(scene.port, '/a')).text)).toBe(first + 1);
  });

  test('an upstream that does not say so is not', async () => {
    scene.script = (exchange) => exchange.send('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await get(scene.port, '/a');
    const { connection } = scene.upstream.last;
    await get(scene.port, '/a');
    expect(scene.upstream.last.connection).not.toBe(connection);
    expect(await within(1_000, connection.bytes.ended())).toBe('closed');
  });
});

describe('bodies', () => {
  test('a length stays a length', async () => {
    scene.script = echo;
    const response = await post(scene.port, '/a', 'with a length');
    expect(JSON.parse(response.text).body).toBe('with a length');
    expect(scene.upstream.last.framing).toEqual({ kind: 'length', size: 13 });
    expect(response.framing).toBe('length');
  });

  test('chunks stay chunks, and trailers get through in both directions', async () => {
    scene.script = async (exchange) => {
      const body = await exchange.body();
      await exchange.begin({ Trailer: 'X-Sum' });
      await exchange.chunk(body);
      await exchange.lastChunk(`X-Sum: ${exchange.trailers.get('x-checksum')}\r\n`);
    };
    const client = await connect(scene.port);
    await client.send(
      `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n`,
      '3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Checksum: 42\r\n\r\n');
    const response = await client.response();
    expect(response).toMatchObject({ framing: 'chunked', text: 'abcdefg' });
    expect(response.trailers.list).toEqual([['X-Sum', '42']]);
    expect(scene.upstream.last.framing.kind).toBe('chunked');
    expect(scene.upstream.last.trailers.list).toEqual([['X-Checksum', '42']]);
  });

  test('all 256 bytes survive, both ways, in pieces of every kind', async () => {
    scene.script = async (exchange) => {
      const body = await exchange.body();
      await exchange.reply(200, { 'Content-Type': 'application/octet-stream' }, body);
    };
    const all = Buffer.from(Array.from({ length: 256 * 400 }, (_, i) => (i * 7 + (i >> 8)) & 255));
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`);
    for (let at = 0, size = 1; at < all.length; at += size, size = (size * 3) % 20011) {
      const piece = all.subarray(at, at + size);
      await client.send(`${piece.length.toString(16)}\r\n`, piece, '\r\n');
    }
    await client.send('0\r\n\r\n');
    expect((await client.response()).body.equals(all)).toBe(true);
  });

  test('a GET may have one', async () => {
    scene.script = echo;
    const answer = await ask(scene.port, `GET /a HTTP/1.1\r\n${HOST}Content-Length: 4\r\n\r\nbody`);
    expect(JSON.parse(answer.text).body).toBe('body');
  });

  test('a POST without one says so to the upstream', async () => {
    scene.script = echo;
    await ask(scene.port, `POST /a HTTP/1.1\r\n${HOST}\r\n`);
    expect(scene.upstream.last.headers.get('content-length')).toBe('0');
  });

  test('an answer before the body was read reaches the client, who was still sending', async () => {
    scene.script = async (exchange) => {
      await exchange.reply(403, {}, 'not you');
      exchange.close();
    };
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\n`);
    const response = client.response();
    const sending = (async () => {
      for (let i = 0; i < 100; ++i) await client.send('x'.repeat(10_000));
    })();
    expect(await within(3_000, response)).toMatchObject({ status: 403, text: 'not you' });
    await within(3_000, sending);
  });
});

describe('a goodbye that can be heard', () => {
  test('a client still uploading reads its 413 and is not reset', async () => {
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\n${HOST}Content-Length: ${8 << 20}\r\n\r\n`);
    // More than any socket buffer holds: the gateway has to read it away.
    for (let i = 0; i < 128; ++i) await client.send(Buffer.alloc(65536));
    expect((await client.response()).status).toBe(413);
    expect(await client.ended()).toBe('closed');
  });

  test('so does one whose head was refused', async () => {
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\nHost: a b\r\nContent-Length: ${4 << 20}\r\n\r\n`);
    for (let i = 0; i < 64; ++i) await client.send(Buffer.alloc(65536));
    expect((await client.response()).status).toBe(400);
    expect(await client.ended()).toBe('closed');
  });
});

describe('fields that belong to one hop', () => {
  test('what Connection names does not reach the upstream', async () => {
    scene.script = echo;
    await get(scene.port, '/a', {
      Connection: 'keep-alive, X-Mine, x-other',
      'X-Mine': '1',
      'X-Other': '2',
      'X-Kept': '3',
      'Keep-Alive': 'timeout=5',
      'Proxy-Connection': 'keep-alive',
      'Proxy-Authorization': 'Basic abc',
      TE: 'trailers',
      Upgrade: 'h2c',
    });
    const { headers } = scene.upstream.last;
    for (const name of ['Connection', 'X-Mine', 'X-Other', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'Upgrade'])
      expect(headers.has(name), name).toBe(false);
    expect(headers.get('x-kept')).toBe('3');
  });

  test('nor the client', async () => {
    scene.script = (exchange) =>
      exchange.reply(200, {
        Connection: 'X-Mine',
        'X-Mine': '1',
        'X-Kept': '2',
        'Keep-Alive': 'timeout=5',
        Upgrade: 'h2c',
        'Proxy-Connection': 'close',
      }, 'ok');
    const { headers } = await get(scene.port, '/a');
    for (const name of ['Connection', 'X-Mine', 'Keep-Alive', 'Upgrade', 'Proxy-Connection'])
      expect(headers.has(name), name).toBe(false);
    expect(headers.get('x-kept')).toBe('2');
  });

  test('naming the fields that matter removes nothing we vouch for', async () => {
    scene.script = echo;
    const response = await get(scene.port, '/a', {
      Connection: 'Host, X-Forwarded-For, X-Request-ID, Via, X-Real-IP',
      'X-Request-ID': 'mine',
    });
    expect(response.status).toBe(200);
    const { headers } = scene.upstream.last;
    for (const name of ['Host', 'X-Forwarded-For', 'X-Request-ID', 'Via', 'X-Real-IP'])
      expect(headers.all(name).length, name).toBe(1);
  });

  test('naming Content-Length does not take the body away', async () => {
    scene.script = echo;
    const response = await post(scene.port, '/a', 'hello', { Connection: 'Content-Length' });
    expect(JSON.parse(response.text).body).toBe('hello');
  });
});

describe('fields the gateway adds', () => {
  test('Via, to the upstream', async () => {
    scene.script = echo;
    await get(scene.port, '/a', { Via: '1.1 edge' });
    expect(scene.upstream.last.headers.all('via').join(', ')).toMatch(/^1\.1 edge, 1\.1 suoke-gateway$/);
    await ask(scene.port, 'GET /a HTTP/1.0\r\n\r\n');
    expect(scene.upstream.last.headers.get('via')).toBe('1.0 suoke-gateway');
  });

  test('Date, when the upstream has none', async () => {
    scene.script = (exchange) => exchange.reply(200);
    const { headers } = await get(scene.port, '/a');
    expect(headers.all('date').length).toBe(1);
    expect(Math.abs(Date.parse(headers.get('date')) - Date.now())).toBeLessThan(2_000);
  });

  test("not Date, when it has", async () => {
    const date = 'Tue, 01 Jan 2030 00:00:00 GMT';
    scene.script = (exchange) => exchange.reply(200, { Date: date });
    expect((await get(scene.port, '/a')).headers.all('date')).toEqual([date]);
  });

  test('all fields of one name survive in their order, and their values unchanged', async () => {
    scene.script = (exchange) => exchange.reply(200, { 'Set-Cookie': ['a=1', 'b=2; Path=/', 'c=\xe9'] });
    const { headers } = await get(scene.port, '/a', { 'X-List': ['1', '2,3', '\xe9 "q"'] });
    expect(headers.all('set-cookie')).toEqual(['a=1', 'b=2; Path=/', 'c=\xe9']);
    expect(scene.upstream.last.headers.all('x-list')).toEqual(['1', '2,3', '\xe9 "q"']);
  });
});

describe('what is not done', () => {
  test.each(['CONNECT', 'TRACE'])('%s is answered with 405, not forwarded', async (method) => {
    const asked = scene.upstream.requests.length;
    const target = method === 'CONNECT' ? 'gateway.test:443' : '/a';
    const response = await ask(scene.port, `${method} ${target} HTTP/1.1\r\nHost: gateway.test:443\r\n\r\n`);
    expect(response.status).toBe(405);
    expect(scene.upstream.requests.length).toBe(asked);
  });

  test('an Upgrade that is not asked for does not happen', async () => {
    scene.script = echo;
    const response = await get(scene.port, '/a', { Connection: 'Upgrade', Upgrade: 'h2c' });
    expect(response.status).toBe(200);
    expect(scene.upstream.last.headers.has('upgrade')).toBe(false);
    const keyless = await get(scene.port, '/a', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' });
    expect(keyless.status).toBe(400);
  });
});
