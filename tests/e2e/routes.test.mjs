// SPDX-License-Identifier: MIT
// Which route a request takes, what a route answers by itself, and what it changes on the way.
import { describe, expect, test } from 'vitest';
import { ask, connect, get, post } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { echo } from './support/upstream.mjs';
import { within } from './support/wait.mjs';

const scene = await setScene({
  routes: [
    { name: 'read', prefix: '/things', methods: ['GET'], service: 'backend' },
    { name: 'write', prefix: '/things', methods: ['POST', 'PUT'], service: 'backend' },
    { name: 'moved', prefix: '/moved', redirect: { to: 'https://new.test/at', status: 308 } },
    { name: 'moved one', path: '/users/{id}', redirect: { to: '/people/{id}' } },
    { name: 'fixed', path: '/fixed', respond: { status: 418, body: '<b>tea</b>', content_type: 'text/html' } },
    { name: 'preserving', prefix: '/preserve', service: 'backend', host_header: 'preserve' },
    { name: 'renaming', prefix: '/rename', service: 'backend', host_header: 'internal.test:81' },
    {
      name: 'editing', prefix: '/edit', service: 'backend',
      request_headers: { set: { 'X-Set': 'ours' }, add: { 'X-Add': 'ours' }, remove: ['X-Secret'] },
      response_headers: { set: { 'X-Out': 'ours' }, add: { 'X-Also': 'ours' }, remove: ['Server'] },
    },
    { name: 'small', prefix: '/small', service: 'backend', max_request_size: 10 },
    { name: 'large', prefix: '/large', service: 'backend', max_request_size: '2MB' },
    { name: 'by host', prefix: '/host', hosts: ['a.test', '*.b.test'], service: 'backend', response_headers: { set: { 'X-Route': 'host' } } },
    { name: 'by header', prefix: '/if', headers: [{ name: 'X-Beta', equals: 'yes' }], respond: { body: 'beta' } },
    { name: 'otherwise', prefix: '/if', respond: { body: 'stable' } },
  ],
});
scene.script = echo;

describe('nothing fits', () => {
  test('no path: 404, in every shape an older client reads', async () => {
    const response = await get(scene.port, '/nowhere?secret=1');
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(response.text)).toEqual({
      error: 'Not found',
      message: 'Path /nowhere not found',
      detail: 'Path /nowhere not found',
      code: 'no_route',
      status: 404,
      path: '/nowhere',
      method: 'GET',
      service: null,
      request_id: response.headers.get('x-request-id'),
    });
  });

  test('a problem, for who asks for one', async () => {
    const response = await get(scene.port, '/nowhere', { Accept: 'application/problem+json' });
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.parse(response.text)).toMatchObject({ type: 'about:blank', title: 'Not found', status: 404, instance: '/nowhere', code: 'no_route' });
  });

  test('the path but not the method: 405, and which would', async () => {
    const response = await ask(scene.port, 'DELETE /things/1 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(response.status).toBe(405);
    const allowed = response.headers.get('allow').split(/, */);
    expect(allowed).toEqual(expect.arrayContaining(['GET', 'POST', 'PUT']));
    expect(allowed).not.toContain('DELETE');
    expect(JSON.parse(response.text).code).toBe('method_not_allowed');
  });

  test('to HEAD the refusal has no body', async () => {
    const client = await connect(scene.port);
    await client.send('HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.response({ to: 'HEAD' })).status).toBe(404);
    await client.send('GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.response()).status).toBe(418);
  });

  test('markup in a path stays text', async () => {
    const response = await get(scene.port, "/%3Cscript%3E'");
    expect(JSON.parse(response.text).path).toBe("/%3Cscript%3E'");
  });
});

describe('what decides', () => {
  test('the method', async () => {
    expect((await get(scene.port, '/things/1')).status).toBe(200);
    expect((await post(scene.port, '/things', 'x')).status).toBe(200);
  });

  test.each([['a.test', 200], ['A.TEST:8080', 200], ['x.b.test', 200], ['b.test', 404], ['c.test', 404]])(
    'the host: %s', async (host, status) =>
      expect((await ask(scene.port, `GET /host HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status).toBe(status));

  test('a header', async () => {
    expect((await get(scene.port, '/if', { 'x-beta': 'yes' })).text).toBe('beta');
    expect((await get(scene.port, '/if', { 'x-beta': 'no' })).text).toBe('stable');
    expect((await get(scene.port, '/if')).text).toBe('stable');
  });
});

describe('answers without an upstream', () => {
  test('a redirect', async () => {
    const response = await get(scene.port, '/moved/away');
    expect(response.status).toBe(308);
    expect(response.headers.get('location')).toBe('https://new.test/at');
  });

  test('a redirect with what the path told; no way to break out of the header', async () => {
    const response = await get(scene.port, '/users/7');
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe('/people/7');
    const tricky = await get(scene.port, '/users/%0d%0aSet-Cookie:a=b');
    expect(tricky.headers.has('set-cookie')).toBe(false);
  });

  test('a fixed response', async () => {
    const response = await get(scene.port, '/fixed');
    expect(response).toMatchObject({ status: 418, text: '<b>tea</b>' });
    expect(response.headers.get('content-type')).toBe('text/html');
  });

  test('they leave the connection in order when a body came along', async () => {
    const client = await connect(scene.port);
    await client.send('POST /fixed HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /fixed HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.response()).status).toBe(418);
    const second = await client.response().catch((error) => error);
    if (second.name === 'Cut') return; // closing is honest too: what it must not do is read "abcGET"
    expect(second.status).toBe(418);
  });
});

describe('the host the upstream is asked for', () => {
  const hostFor = async (path) => {
    await get(scene.port, path);
    return scene.upstream.last.headers.all('host');
  };
  test('is its own', async () => expect(await hostFor('/things')).toEqual([`127.0.0.1:${scene.upstream.port}`]));
  test("is the client's, when it shall be preserved", async () => expect(await hostFor('/preserve')).toEqual(['gateway.test']));
  test('is what the route says', async () => expect(await hostFor('/rename')).toEqual(['internal.test:81']));
});

describe('header edits', () => {
  test('on the request', async () => {
    await get(scene.port, '/edit', { 'X-Set': 'theirs', 'X-Add': 'theirs', 'x-secret': '1' });
    const { headers } = scene.upstream.last;
    expect(headers.all('x-set')).toEqual(['ours']);
    expect(headers.all('x-add')).toEqual(['theirs', 'ours']);
    expect(headers.has('x-secret')).toBe(false);
  });

  test('on the response', async () => {
    scene.script = (exchange) => exchange.reply(200, { Server: 'secret/1.0', 'X-Out': 'theirs', 'X-Also': 'theirs' });
    const { headers } = await get(scene.port, '/edit');
    expect(headers.has('server')).toBe(false);
    expect(headers.all('x-out')).toEqual(['ours']);
    expect(headers.all('x-also')).toEqual(['theirs', 'ours']);
    scene.script = echo;
  });
});

describe('body limits', () => {
  test.each([['/small', 10, 200], ['/small', 11, 413], ['/large', 2 << 20, 200], ['/large', (2 << 20) + 1, 413], ['/things', (1 << 20) + 1, 413]])(
    '%s takes %d bytes: %d', async (path, size, status) => {
      const client = await connect(scene.port);
      await client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
      if (status === 200) client.send(Buffer.alloc(size, 'a'));
      const response = await client.response();
      expect(response.status).toBe(status);
      if (status === 413) expect(JSON.parse(response.text).code).toBe('body_too_large');
    });

  test('a chunked body is cut where it grows too large, and its upstream never sees a whole one', async () => {
    let whole = false;
    scene.script = async (exchange) => {
      await exchange.body();
      whole = true;
      await exchange.reply(200);
    };
    const client = await connect(scene.port);
    await client.send('POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const response = client.response();
    for (let i = 0; i < 3; ++i) await client.send('5\r\nabcde\r\n');
    expect((await within(2_000, response)).status).toBe(413);
    expect(await client.ended()).toBe('closed');
    expect(whole).toBe(false);
    scene.script = echo;
  });

  test('chunks up to the limit pass', async () => {
    const client = await connect(scene.port);
    await client.send('POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n');
    expect((await client.response()).status).toBe(200);
  });

  test('a query with 101 parameters', async () => {
    const query = (count) => Array.from({ length: count }, (_, i) => `a${i}`).join('&');
    expect((await get(scene.port, `/things?${query(100)}`)).status).toBe(200);
    const response = await get(scene.port, `/things?${query(101)}`);
    expect(response.status).toBe(400);
    expect(JSON.parse(response.text).code).toBe('too_many_query_params');
  });
});
