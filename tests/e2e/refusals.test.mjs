// SPDX-License-Identifier: MIT
// What is not strictly valid HTTP/1.1 is refused, the connection closed, and nothing of it forwarded.
import { describe, expect, test } from 'vitest';
import { connect, get } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { echo } from './support/upstream.mjs';
import { sleep, within } from './support/wait.mjs';

const scene = await setScene({
  server: { header_timeout: '400ms', body_timeout: '400ms' },
  security: { max_request_size: 1000, max_header_size: '4KB', max_request_line_size: 1024, max_headers: 20 },
});
scene.script = echo;

const HOST = 'Host: gateway.test\r\n';

/** Sends a request, with another one behind it that must never be answered. */
async function refused(request, status, code) {
  const asked = scene.upstream.requests.length;
  const client = await connect(scene.port);
  await client.send(request, `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`);
  const response = await client.response();
  expect(response.status).toBe(status);
  expect(response.headers.get('connection')).toBe('close');
  expect(JSON.parse(response.text)).toMatchObject({ status, code });
  expect((await client.bytes.rest()).toString()).toBe('');
  expect(scene.upstream.requests.slice(asked)).toEqual([]);
}

const malformed = (request) => refused(request, 400, 'malformed_request');

describe('two opinions on where a body ends', () => {
  const post = (fields, body = '') => `POST /a HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;

  test.each([
    ['Content-Length with Transfer-Encoding', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'],
    ['Transfer-Encoding with Content-Length', 'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n'],
    ['two lengths that differ', 'Content-Length: 3\r\nContent-Length: 4\r\n'],
    ['a list of lengths that differ', 'Content-Length: 3, 4\r\n'],
    ['a signed length', 'Content-Length: +3\r\n'],
    ['a negative length', 'Content-Length: -3\r\n'],
    ['a hexadecimal length', 'Content-Length: 0x3\r\n'],
    ['a length with a point', 'Content-Length: 3.0\r\n'],
    ['a length with a blank inside', 'Content-Length: 3 3\r\n'],
    ['an empty length', 'Content-Length:\r\n'],
    ['a length above 2^63', 'Content-Length: 9223372036854775808\r\n'],
    ['a length above 2^64', 'Content-Length: 18446744073709551619\r\n'],
    ['chunked twice', 'Transfer-Encoding: chunked, chunked\r\n'],
    ['chunked in two fields', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
    ['chunked that is not last', 'Transfer-Encoding: chunked, gzip\r\n'],
    ['a coding with a vertical tab', 'Transfer-Encoding: \vchunked\r\n'],
  ])('%s', (_, fields) => malformed(post(fields, '3\r\nabc\r\n0\r\n\r\n')));

  test.each([
    ['a coding nobody knows', 'Transfer-Encoding: xchunked\r\n'],
    ['a coding before chunked', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['identity', 'Transfer-Encoding: identity\r\n'],
  ])('%s is not implemented', (_, fields) =>
    refused(post(fields, '0\r\n\r\n'), 501, 'unsupported_coding'));

  test('Transfer-Encoding in HTTP/1.0', () =>
    malformed(`POST /a HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`));
});

describe('lines that do not end as they should', () => {
  test.each([
    ['a bare LF after the request line', `GET /a HTTP/1.1\n${HOST}\r\n`],
    ['a bare LF after a field', 'GET /a HTTP/1.1\r\nHost: gateway.test\nX-A: b\r\n\r\n'],
    ['a bare LF at the end of the head', 'GET /a HTTP/1.1\r\nHost: gateway.test\r\n\n'],
    ['a bare CR in a field', `GET /a HTTP/1.1\r\n${HOST}X-A: b\rX-C: d\r\n\r\n`],
    ['a bare CR in the request line', `GET /\r HTTP/1.1\r\n${HOST}\r\n`],
    ['a folded field', `GET /a HTTP/1.1\r\n${HOST}X-A: b\r\n folded\r\n\r\n`],
    ['a fold before the first field', `GET /a HTTP/1.1\r\n X-A: b\r\n${HOST}\r\n`],
  ])('%s', (_, request) => malformed(request));
});

describe('fields that are none', () => {
  test.each([
    ['a blank before the colon', 'X-A : b'],
    ['a tab before the colon', 'X-A\t: b'],
    ['no colon', 'X-A'],
    ['no name', ': b'],
    ['a name with a blank', 'X A: b'],
    ['a name with parentheses', 'X(A): b'],
    ['a name with a byte above ASCII', 'X-\xc3\xa4: b'],
    ['a NUL in a value', 'X-A: b\0c'],
    ['a control byte in a value', 'X-A: b\x01c'],
    ['a DEL in a value', 'X-A: b\x7fc'],
    ['a NUL in a name', 'X\0A: b'],
  ])('%s', (_, field) => malformed(`GET /a HTTP/1.1\r\n${HOST}${field}\r\n\r\n`));
});

describe('request lines that are none', () => {
  test.each([
    ['no method', ` / HTTP/1.1\r\n${HOST}\r\n`],
    ['a method that is no token', `G@T / HTTP/1.1\r\n${HOST}\r\n`],
    ['a method with a colon', `GET: / HTTP/1.1\r\n${HOST}\r\n`],
    ['two blanks', `GET  / HTTP/1.1\r\n${HOST}\r\n`],
    ['a blank in the target', `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
    ['no target', `GET HTTP/1.1\r\n${HOST}\r\n`],
    ['no version', `GET /\r\n${HOST}\r\n`],
    ['a version in small letters', `GET / http/1.1\r\n${HOST}\r\n`],
    ['a version with two digits', `GET /a HTTP/1.10\r\n${HOST}\r\n`],
    ['a control byte in the target', `GET /\x01 HTTP/1.1\r\n${HOST}\r\n`],
    ['a fragment', `GET /a#b HTTP/1.1\r\n${HOST}\r\n`],
    ['a malformed escape', `GET /a%zz HTTP/1.1\r\n${HOST}\r\n`],
    ['an escaped NUL', `GET /a%00b HTTP/1.1\r\n${HOST}\r\n`],
    ['a backslash', `GET /a\\..\\b HTTP/1.1\r\n${HOST}\r\n`],
    ['"*" for anything but OPTIONS', `GET * HTTP/1.1\r\n${HOST}\r\n`],
    ['a relative target', `GET a/b HTTP/1.1\r\n${HOST}\r\n`],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ])('%s', (_, request) => malformed(request));

  test.each(['HTTP/2.0', 'HTTP/3.0', 'HTTP/0.9'])('%s is another protocol', (version) =>
    refused(`GET / ${version}\r\n${HOST}\r\n`, 505, 'unsupported_version'));

  test('what only begins like the preface of HTTP/2', () =>
    refused('PRI * HTTP/2.0\r\n\r\nSM\r\n\rX', 505, 'unsupported_version'));
});

describe('who is meant', () => {
  const invalid = (request) => refused(request, 400, 'invalid_host');

  test.each([
    ['no Host', 'GET /a HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /a HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n'],
    ['two Hosts that agree', 'GET /a HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n'],
    ['an empty Host', 'GET /a HTTP/1.1\r\nHost:\r\n\r\n'],
    ['a Host with a path', 'GET /a HTTP/1.1\r\nHost: a.test/b\r\n\r\n'],
    ['a Host with a user', 'GET /a HTTP/1.1\r\nHost: me@a.test\r\n\r\n'],
    ['a Host with a blank', 'GET /a HTTP/1.1\r\nHost: a test\r\n\r\n'],
    ['a list of Hosts', 'GET /a HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n'],
    ['a port that is no number', 'GET /a HTTP/1.1\r\nHost: a.test:eighty\r\n\r\n'],
    ['a port that is too large', 'GET /a HTTP/1.1\r\nHost: a.test:65536\r\n\r\n'],
    ['an address that is none', 'GET /a HTTP/1.1\r\nHost: [::g]\r\n\r\n'],
    ['a target that names another host', 'GET http://a.test/a HTTP/1.1\r\nHost: b.test\r\n\r\n'],
    ['a target that names another port', 'GET http://a.test:81/ HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ])('%s', (_, request) => invalid(request));
});

describe('chunked bodies that are not', () => {
  const chunked = (body) => `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${body}`;

  /** Part of it may have been forwarded before the fault was seen, but never as a whole request. */
  async function broken(body) {
    const arrived = [];
    scene.script = async (exchange) => {
      try {
        await exchange.body();
        arrived.push(exchange);
      } finally {
        exchange.close();
      }
    };
    const client = await connect(scene.port);
    await client.send(chunked(body));
    const response = await client.response();
    expect(response.status).toBe(400);
    expect(JSON.parse(response.text).code).toBe('malformed_request');
    expect((await client.bytes.rest()).toString()).toBe('');
    expect(arrived).toEqual([]);
    scene.script = echo;
  }

  test.each([
    ['an empty size', '\r\nabc\r\n0\r\n\r\n'],
    ['a size that is no number', 'xyz\r\nabc\r\n0\r\n\r\n'],
    ['a signed size', '+3\r\nabc\r\n0\r\n\r\n'],
    ['a size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'],
    ['a size above 2^64', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
    ['a blank before the size', ' 3\r\nabc\r\n0\r\n\r\n'],
    ['a blank after the size', '3 \r\nabc\r\n0\r\n\r\n'],
    ['a bare LF after the size', '3\nabc\r\n0\r\n\r\n'],
    ['a bare CR after the size', '3\rabc\r\n0\r\n\r\n'],
    ['a bare LF in an extension', '3;a=\nabc\r\n0\r\n\r\n'],
    ['more data than the size', '3\r\nabcd\r\n0\r\n\r\n'],
    ['a bare LF after the data', '3\r\nabc\n0\r\n\r\n'],
    ['a trailer that frames: Content-Length', '3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n'],
    ['a trailer that frames: Transfer-Encoding', '3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a trailer that routes: Host', '3\r\nabc\r\n0\r\nHost: other.test\r\n\r\n'],
    ['a folded trailer', '3\r\nabc\r\n0\r\nX-A: b\r\n c\r\n\r\n'],
    ['a trailer with a blank before its colon', '3\r\nabc\r\n0\r\nX-A : b\r\n\r\n'],
    ['a bare LF after the trailers', '3\r\nabc\r\n0\r\nX-A: b\r\n\n'],
  ])('%s', (_, body) => broken(body));

  test('extensions are dropped, not forwarded', async () => {
    const client = await connect(scene.port);
    await client.send(chunked('3;name="a b";x\r\nabc\r\n0;last\r\n\r\n'));
    expect(JSON.parse((await client.response()).text).body).toBe('abc');
  });
});

describe('too much', () => {
  test('a request line of 2 KB', () =>
    refused(`GET /${'a'.repeat(2000)} HTTP/1.1\r\n${HOST}\r\n`, 414, 'uri_too_long'));

  test('a request line that does not end', () => refused(`GET /${'a'.repeat(5000)}`, 414, 'uri_too_long'));

  test('a head of 5 KB', () =>
    refused(`GET /a HTTP/1.1\r\n${HOST}X-A: ${'a'.repeat(5000)}\r\n\r\n`, 431, 'header_too_large'));

  test('21 fields', () =>
    refused(`GET /a HTTP/1.1\r\n${HOST}${'X-A: b\r\n'.repeat(20)}\r\n`, 431, 'header_too_large'));

  test('a body of 1001 bytes, by its length', async () => {
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\n${HOST}Content-Length: 1001\r\n\r\n`);
    expect((await client.response()).status).toBe(413);
    expect(await client.ended()).toBe('closed');
  });

  test('a body of 1000 bytes is none too many', async () => {
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\n${'a'.repeat(1000)}`);
    expect((await client.response()).status).toBe(200);
  });
});

describe('too slow', () => {
  test('a head that does not end is answered with 408', async () => {
    const client = await connect(scene.port);
    await client.send('GET /a HTTP/1.1\r\nHost: gate');
    const response = await within(2_000, client.response());
    expect(response.status).toBe(408);
    expect(JSON.parse(response.text).code).toBe('request_timeout');
    expect(await client.ended()).toBe('closed');
  });

  test('a head in drops is no better: the whole head has a deadline', async () => {
    const client = await connect(scene.port);
    await client.send(`GET /a HTTP/1.1\r\n${HOST}X-Slow: `);
    const response = client.response();
    let answered = false;
    response.finally(() => (answered = true));
    const began = Date.now();
    for (; !answered && Date.now() - began < 3_000; await sleep(50)) await client.send('a');
    expect((await response).status).toBe(408);
    expect(Date.now() - began).toBeLessThan(2_000);
  });

  test('a connection that says nothing is closed without a word', async () => {
    const client = await connect(scene.port);
    expect((await within(2_000, client.bytes.rest())).toString()).toBe('');
  });

  test('a body that stops is answered with 408', async () => {
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\n${HOST}Content-Length: 100\r\n\r\nthe beginning`);
    const response = await within(2_000, client.response());
    expect(response.status).toBe(408);
    expect(JSON.parse(response.text).code).toBe('body_timeout');
    expect(await client.ended()).toBe('closed');
  });

  test('so is a body in drops, below the least rate', async () => {
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\n`);
    const response = client.response();
    let answered = false;
    response.finally(() => (answered = true));
    const began = Date.now();
    for (; !answered && Date.now() - began < 4_000; await sleep(100)) await client.send('x');
    expect((await response).status).toBe(408);
    expect(Date.now() - began).toBeLessThan(2_500);
  });
});

test('after all that an honest request is answered', async () => {
  expect((await get(scene.port, '/honest')).status).toBe(200);
});
