// SPDX-License-Identifier: MIT
// What routes say of their requests, asked for with real ones: what fits arrives as it was sent, and of what does not fit
// the service never gets a whole request.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startGateway } from './support/gateway.mjs';
import { until } from './support/wait.mjs';

const PERSON = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', maxLength: 20, pattern: '^[^<>]*$' },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    id: { type: 'integer', format: 'int64' },
    tags: { type: 'array', uniqueItems: true, items: { type: 'string' } },
  },
  additionalProperties: false,
};

const PEOPLE = `
openapi: 3.0.3
info: {title: people, version: "1"}
paths:
  /people:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: tag, in: query, schema: {type: array, items: {type: string, maxLength: 3}}}
        - {name: id, in: query, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: X-Tenant, in: header, required: true, schema: {enum: [a, b]}}
        - {name: theme, in: cookie, schema: {enum: [dark, light]}}
    post:
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/Person'}}
          image/*: {}
  /people/me: {get: {}}
  /people/{id}:
    get: {parameters: [{name: id, in: path, required: true, schema: {type: integer}}]}
components:
  schemas:
    Person:
      type: object
      required: [id, name]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string}
        note: {type: string, nullable: true}
        friends: {type: array, items: {$ref: '#/components/schemas/Person'}}
`;

const JSON_TYPE = { 'content-type': 'application/json' };
let gateway, upstream, directory, port;
const arrived = []; // what the service got: how much of each request, and whether it was whole

/** A service that says how much it got. */
function service() {
  return http.createServer((request, response) => {
    const one = { method: request.method, url: request.url, bytes: 0, whole: false, broken: false, headers: request.headers };
    arrived.push(one);
    request.on('data', (piece) => (one.bytes += piece.length));
    request.on('end', () => {
      one.whole = true;
      response.end(`${one.bytes} bytes`);
    });
    request.on('error', () => (one.broken = true));
  });
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'suoke-validation-'));
  const openapi = join(directory, 'people.yaml');
  writeFileSync(openapi, PEOPLE);
  upstream = service();
  await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  port = upstream.address().port;
  const route = (prefix, validation, more = {}) => ({ prefix, service: 'people', validation, ...more });
  gateway = await startGateway({
    store: { path: '' },
    services: { people: { endpoints: [{ host: '127.0.0.1', port }] } },
    security: { max_request_size: '1MB' },
    routes: [
      route('/schema', { body: JSON.stringify(PERSON), max_size: '64KB' }),
      route('/query', {
        query: JSON.stringify({ properties: { limit: { type: 'integer', maximum: 10 }, tag: { type: 'array', items: { enum: ['a b', 'c'] } } }, additionalProperties: false }),
        headers: JSON.stringify({ properties: { 'X-Level': { type: 'number' } }, required: ['X-Level'] }),
      }),
      route('/json', { max_depth: 3, max_keys: 4, max_string: 16 }),
      route('/api', { openapi_file: openapi }),
      route('/forms', { multipart: { max_parts: 3, max_part_size: 16, max_file_size: '200MB', types: ['audio/*'] } }, { max_request_size: '256MB' }),
      { prefix: '/plain', service: 'people' },
    ],
  });
});
afterAll(async () => {
  await gateway?.stop();
  expect(gateway.stderr).toBe('');
  upstream.closeAllConnections();
  upstream.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What a request is answered, and what of it has arrived meanwhile. */
async function send(path, { method = 'POST', headers = JSON_TYPE, body } = {}) {
  const before = arrived.length;
  const request = http.request({ host: '127.0.0.1', port: gateway.port, path, method, headers, agent: false });
  request.on('error', () => {}); // refused in its middle
  const answered = once(request, 'response');
  request.end(body);
  const [response] = await answered;
  const text = (await response.toArray()).join('');
  const json = /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : undefined;
  return { status: response.statusCode, text, json, arrived: arrived.slice(before) };
}
/** Where the faults are, and of what kind. */
const faults = ({ json }) => json.detail.map(({ type, pointer }) => `${pointer} ${type}`);
const post = (path, body, headers = {}) => send(path, { headers: { ...JSON_TYPE, ...headers }, body });

/** Expects that it was refused and that nothing has arrived. */
async function expectRefused(answer, status) {
  const got = await answer;
  expect([got.status, got.arrived]).toEqual([status, []]);
  return got;
}

describe('a body with a schema', () => {
  test('goes on as it was sent, whole or in chunks', async () => {
    const body = '{ "name": "Li", "tags": ["a", "b"] }';
    expect((await post('/schema', body)).text).toBe(`${body.length} bytes`);
    expect((await post('/schema', body, { 'transfer-encoding': 'chunked' })).text).toBe(`${body.length} bytes`);
    expect((await post('/schema', '{"name":"Li"}', { 'content-type': 'application/merge-patch+json; charset=utf-8' })).status).toBe(200);
  });

  test('that does not fit is answered as the predecessor did, with a pointer to each fault', async () => {
    const answer = await expectRefused(post('/schema', '{"age":-1,"tags":["a","a",7],"more~/":1}'), 422);
    expect(answer.json).toMatchObject({ error: 'Validation error', code: 'invalid_request', status: 422, path: '/schema' });
    expect(answer.json.detail).toContainEqual({ type: 'missing', loc: ['body', 'name'], msg: 'Field required', pointer: '/name' });
    expect(faults(answer).sort()).toEqual(['/age greater_than_equal', '/more~0~1 extra_forbidden', '/name missing', '/tags unique_items', '/tags/2 string_type']);
  });

  test('does not tell what was there instead, nor a long name', async () => {
    const secret = await expectRefused(post('/schema', '{"name":"<secret>"}'), 422);
    expect(secret.text).not.toContain('secret');
    const long = await expectRefused(post('/schema', JSON.stringify({ name: 'Li', ['k'.repeat(50_000)]: 1 })), 422);
    expect(long.text.length).toBeLessThan(2_000);
  });

  test('knows the largest numbers exactly', async () => {
    expect((await post('/schema', '{"name":"Li","id":9223372036854775807}')).status).toBe(200);
    expect(faults(await post('/schema', '{"name":"Li","id":9223372036854775808}'))).toEqual(['/id int_type']);
    expect(faults(await post('/schema', '{"name":"Li","id":1e400}'))).toEqual([' json_invalid']);
    expect(faults(await post('/schema', `{"name":"Li","id":${'9'.repeat(2_000)}}`))).toEqual([' json_number_too_long']);
  });

  test('is needed by what usually has one, and checked where it has come', async () => {
    expect(faults(await expectRefused(send('/schema', { headers: {} }), 422))).toEqual([' missing']);
    expect(faults(await expectRefused(post('/schema', '', { 'transfer-encoding': 'chunked' }), 422))).toEqual([' json_invalid']);
    expect((await send('/schema', { method: 'GET', headers: {} })).status).toBe(200);
    expect((await send('/schema', { method: 'HEAD', headers: {} })).status).toBe(200);
    expect((await send('/schema', { method: 'GET', headers: { ...JSON_TYPE, 'content-length': 2 }, body: '{}' })).status).toBe(422);
    expect((await send('/schema', { method: 'DELETE', headers: { ...JSON_TYPE, 'content-length': 13 }, body: '{"name":"Li"}' })).status).toBe(200);
  });

  test('has a size, announced or not', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(70_000) });
    await expectRefused(post('/schema', large), 413);
    await expectRefused(post('/schema', large, { 'transfer-encoding': 'chunked' }), 413);
  });

  test.each([
    ['no type', {}],
    ['another type', { 'content-type': 'text/plain' }],
    ['two types in one', { 'content-type': 'application/json, text/plain' }],
    ['two types', { 'content-type': ['application/json', 'application/json'] }],
    ['another charset', { 'content-type': 'application/json; charset=utf-7' }],
    ['a type with a charset twice', { 'content-type': 'application/json; charset=utf-8; charset=utf-16' }],
    ['a coding', { ...JSON_TYPE, 'content-encoding': 'gzip' }],
    ['a coding behind identity', { ...JSON_TYPE, 'content-encoding': ['identity', 'gzip'] }],
  ])('with %s is refused', async (_, headers) => {
    const body = String(headers['content-encoding']).includes('gzip') ? gzipSync('{"name":"Li"}') : '{"name":"Li"}';
    const sent = Object.entries({ ...headers, host: 'localhost', 'content-length': body.length }).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, String(one)]));
    await expectRefused(send('/schema', { headers: sent, body }), 415);
  });
});

describe('the query and fields', () => {
  const get = (path, headers = {}) => send(path, { method: 'GET', headers: { 'x-level': '1.5', ...headers } });

  test('are read by their types', async () => {
    expect((await get('/query?limit=10&tag=a+b&tag=c')).status).toBe(200);
    const answer = await expectRefused(get('/query?limit=eleven&tag=d&other=1', { 'x-level': 'high' }), 422);
    expect(answer.json.detail.map(({ loc }) => loc.join('.')).sort()).toEqual(['header.x-level', 'query.limit', 'query.other', 'query.tag.0']);
  });

  test('may not be evaded by escapes, by saying it twice, or by asking for a WebSocket', async () => {
    for (const query of ['l%69mit=x', 'limit=1&limit=2', 'limit=11', 'limit=1e1', 'limit=', 'limit=%31%31']) await expectRefused(get(`/query?${query}`), 422);
    for (const query of ['limit=%zz', 'limit=%00']) await expectRefused(get(`/query?${query}`), 400);
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    await expectRefused(get('/query?limit=x', upgrade), 422);
  });
});

describe('JSON without a schema', () => {
  test.each([
    ['too deep', '[[[[1]]]]', 'json_too_deep'],
    ['with too many keys', '{"a":1,"b":2,"c":3,"d":4,"e":5}', 'json_too_many_keys'],
    ['with a long text', '["01234567890123456"]', 'string_too_long'],
    ['with a key twice', '{"a":1,"a":2}', 'json_duplicate_key'],
    ['with a key twice, once escaped', '{"a":1,"\\u0061":2}', 'json_duplicate_key'],
    ['that is not UTF-8', Buffer.from([0x5b, 0x22, 0xc0, 0xaf, 0x22, 0x5d]), 'json_invalid'],
    ['with half a surrogate', '["\\ud800"]', 'json_invalid'],
    ['behind a byte order mark', '\ufeff[1]', 'json_invalid'],
    ['of UTF-16', Buffer.from('[1]', 'utf16le'), 'json_invalid'],
    ['that is none', "{'a':1}", 'json_invalid'],
    ['with something behind it', '[1] [2]', 'json_invalid'],
  ])('%s is refused', async (_, body, type) => {
    const answer = await expectRefused(post('/json', body), 422);
    expect(answer.json.detail).toEqual([expect.objectContaining({ type, loc: ['body'] })]);
  });

  test('that goes wrong in its middle never arrives whole', async () => {
    const before = arrived.length;
    const socket = net.connect(gateway.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text) => (answer += text)).on('error', () => {});
    const chunk = (text) => socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
    socket.write('POST /json HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
    chunk('[1, 2, ');
    await until(() => arrived.length > before && arrived[before].bytes > 0, 'the first chunk');
    chunk('[[[3]]]]');
    socket.write('0\r\n\r\n');
    await until(() => answer.includes('json_too_deep'), 'the refusal');
    expect(answer).toMatch(/^HTTP\/1\.1 422 /);
    await until(() => arrived[before].broken, 'the end of the connection to the service');
    expect(arrived[before]).toMatchObject({ bytes: 7, whole: false });
    expect(arrived.length).toBe(before + 1); // it was not tried again
    socket.destroy();
  });

  test('a body that grows beyond the limit of the route never arrives whole', async () => {
    const before = arrived.length;
    const answer = await send('/plain', { headers: { 'transfer-encoding': 'chunked' }, body: Buffer.alloc(1_200_000) });
    expect(answer.status).toBe(413);
    expect(arrived.slice(before).filter(({ whole }) => whole)).toEqual([]);
  });

  test('what is said to be something else is not looked into', async () => {
    expect((await post('/json', '[[[[1]]]]', { 'content-type': 'text/plain' })).text).toBe('9 bytes');
  });
});

describe('an API description', () => {
  const get = (path, headers = {}) => send(path, { method: 'GET', headers: { 'x-tenant': 'a', ...headers } });

  test('finds the operation, the concrete path first', async () => {
    expect((await get('/api/people/me')).status).toBe(200);
    expect((await get('/api/people/7')).status).toBe(200);
    expect(faults(await get('/api/people/you'))).toEqual(['/id int_type']);
    expect((await send('/api/people/7', { method: 'HEAD', headers: {} })).status).toBe(200);
  });

  test('refuses what it does not have', async () => {
    await expectRefused(get('/api/animals'), 404);
    await expectRefused(get('/api/people/7/more'), 404);
    await expectRefused(send('/api/people/7', { method: 'DELETE', headers: {} }), 405);
    await expectRefused(get('/api/people%2f7'), 404);
  });

  test('says what parameters are', async () => {
    expect((await get('/api/people?limit=5&tag=a&tag=b&id=1,2', { cookie: 'theme=dark' })).status).toBe(200);
    const answer = await expectRefused(get('/api/people?limit=0&tag=abcd&id=1,x', { 'x-tenant': 'c', cookie: 'theme=blue' }), 422);
    expect(answer.json.detail.map(({ loc }) => loc.join('.')).sort()).toEqual(['cookie.theme', 'header.x-tenant', 'query.id.1', 'query.limit', 'query.tag.0']);
  });

  test('says what bodies are: null where it may be, and no id from clients', async () => {
    expect((await post('/api/people', '{"name":"Li","note":null,"friends":[{"name":"Hua"}]}')).status).toBe(200);
    expect(faults(await expectRefused(post('/api/people', '{"name":null,"friends":[{"name":"Hua"},{}]}'), 422)).sort()).toEqual(['/friends/1/name missing', '/name string_type']);
    expect((await post('/api/people', 'picture', { 'content-type': 'image/png' })).status).toBe(200);
    await expectRefused(post('/api/people', 'text', { 'content-type': 'text/plain' }), 415);
  });
});

describe('forms', () => {
  const part = (disposition, content, type) => `--b\r\nContent-Disposition: form-data; ${disposition}\r\n${type ? `Content-Type: ${type}\r\n` : ''}\r\n${content}\r\n`;
  const form = (...parts) => ({ headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: `${parts.join('')}--b--\r\n` });

  test('within their limits pass', async () => {
    const fine = form(part('name="who"', 'Li'), part('name="voice"; filename="a.wav"', 'RIFF', 'audio/wav'));
    expect((await send('/forms', fine)).text).toBe(`${fine.body.length} bytes`);
  });

  test('of a browser in which no file was chosen pass', async () => {
    const fine = form(part('name="voice"; filename=""', '', 'application/octet-stream'));
    expect((await send('/forms', fine)).text).toBe(`${fine.body.length} bytes`);
  });

  test.each([
    ['too many parts', 422, [1, 2, 3, 4].map((n) => part(`name="${n}"`, 'x'))],
    ['a long field', 413, [part('name="who"', 'x'.repeat(17))]],
    ['a file of another type', 415, [part('name="f"; filename="a.html"', 'x', 'text/html')]],
    ['a file without a type', 415, [part('name="f"; filename="a"', 'x')]],
    ['a name in the extended form', 422, [part("name=\"f\"; filename*=utf-8''a.html", 'x', 'text/html')]],
    ['a name in pieces', 422, [part('name="f"; filename*0="a.ht"; filename*1="ml"', 'x', 'text/html')]],
    ['a boundary that only some readers see', 422, [part('name="f"', '--b\r\n')]],
    ['a boundary behind a bare line feed', 422, [part('name="f"', 'x\n--b\r\n')]],
    ['something before the first boundary', 422, ['hello\r\n', part('name="f"', 'x')]],
  ])('with %s are refused', async (_, status, parts) => {
    const answer = await send('/forms', form(...parts));
    expect(answer.status).toBe(status);
    expect(answer.arrived.filter(({ whole }) => whole)).toEqual([]);
  });

  test.each([
    ['multipart/mixed; boundary=b'], ['multipart/form-data'], ['multipart/form-data; boundary=b; boundary=c'],
    ['multipart/form-data; boundary=b; boundary*0=c'],
  ])('%s is refused', async (type) => {
    await expectRefused(send('/forms', { ...form(part('name="a"', 'x')), headers: { 'content-type': type } }), 415);
  });

  test('100 MB of audio pass and are not gathered', async () => {
    const begin = part('name="voice"; filename="a.wav"', '', 'audio/wav').slice(0, -2);
    const end = '\r\n--b--\r\n', size = 100 << 20, piece = Buffer.alloc(1 << 20, 'R');
    const request = http.request({
      host: '127.0.0.1', port: gateway.port, path: '/forms', method: 'POST', agent: false,
      headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': begin.length + size + end.length },
    });
    const answered = once(request, 'response');
    request.write(begin);
    for (let sent = 0; sent < size; sent += piece.length) if (!request.write(piece)) await once(request, 'drain');
    request.end(end);
    const [response] = await answered;
    expect((await response.toArray()).join('')).toBe(`${begin.length + size + end.length} bytes`);
    expect(gateway.peak).toBeLessThan(100 << 20);
  }, 120_000);
});

test('a schema that refers elsewhere is not fetched: the configuration is refused', async () => {
  let asked = 0;
  const elsewhere = http.createServer((_, response) => response.end(String(++asked)));
  await new Promise((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const body = JSON.stringify({ $ref: `http://127.0.0.1:${elsewhere.address().port}/a.json` });
  const config = {
    services: { people: { endpoints: [{ host: '127.0.0.1', port }] } },
    routes: [{ prefix: '/', service: 'people', validation: { body } }],
  };
  await expect(startGateway({ server: { port: await freePort() }, ...config })).rejects.toThrow(/not fetched/);
  expect(asked).toBe(0);
  elsewhere.close();
});
