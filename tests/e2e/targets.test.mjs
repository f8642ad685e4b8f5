// SPDX-License-Identifier: MIT
// What becomes of a path on its way: as little as possible, and never something else than was matched.
import { describe, expect, test } from 'vitest';
import { ask, get } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { echo } from './support/upstream.mjs';

const scene = await setScene({
  service: { upstream_prefix: '/base' },
  services: {},
  routes: [
    { name: 'plain', prefix: '/', service: 'backend', upstream_prefix: '' },
    { name: 'stripped', prefix: '/api/users', service: 'backend', upstream_prefix: '' },
    { name: 'based', prefix: '/based', service: 'backend' },
    { name: 'kept', prefix: '/kept', service: 'backend', strip_prefix: false },
    { name: 'elsewhere', prefix: '/elsewhere', service: 'backend', upstream_prefix: '/v2/things' },
    { name: 'rewritten', prefix: '/old', service: 'backend', strip_prefix: false, upstream_prefix: '', rewrite_path: '^/old/([a-z]+)/(.*)$ => /new/$2/$1' },
    { name: 'user', path: '/user/{id}/posts/{post}', service: 'backend', upstream_prefix: '' },
    { name: 'admin', prefix: '/admin', respond: { status: 403, body: '{"closed":true}' } },
  ],
});
scene.script = echo;

async function forwarded(target) {
  const response = await get(scene.port, target);
  expect(response.status, response.text).toBe(200);
  return JSON.parse(response.text).target;
}

describe('kept as it was sent', () => {
  test.each([
    '/a', '/a/', '/a/b.c', '/a%20b', '/a%2Fb', '/a%2fb', '/%E8%8B%8F%e8%8B%8F', '/a;b=c,d', "/a!$&'()*+,;=:@-._~", '/a%25b',
    '/...', '/.a', '/a..b', '/a?', '/a?b', '/a?b=c&b=d', '/a?q=%20+%2F', '/a?q=/../..//', '/a?x=?', '/a?=&&=', '/%41',
  ])('%s', async (target) => expect(await forwarded(target)).toBe(target));
});

describe('made simple', () => {
  test.each([
    ['//a', '/a'], ['/a//b', '/a/b'], ['/a///b//', '/a/b/'], ['/./a', '/a'], ['/a/./b', '/a/b'], ['/a/.', '/a/'],
    ['/a/b/..', '/a/'], ['/a/../b', '/b'], ['/a/b/../../c', '/c'], ['/../../a', '/a'], ['/a/%2e%2e/b', '/b'],
    ['/a/%2E/b', '/a/b'], ['/a/.%2e/b', '/b'], ['/x/..//a', '/a'],
  ])('%s becomes %s', async (target, simple) => expect(await forwarded(target)).toBe(simple));

  test.each(['/a/..%2fadmin', '/a%2f..%2fadmin', '/a/..;/admin', '/a/%2e%2e;/admin', '/a%5c..%5cadmin'])(
    '%s is refused: it hides a dot segment', async (target) => expect((await get(scene.port, target)).status).toBe(400));
});

describe('no way around a route', () => {
  test.each(['/admin', '/admin/', '/admin/x', '//admin', '/./admin', '/x/../admin/secret', '/x/%2e%2e/admin', '//x//..//admin'])(
    '%s is still closed', async (target) => expect((await get(scene.port, target)).status).toBe(403));

  test('what only begins like it is not', async () => expect(await forwarded('/administrator')).toBe('/administrator'));
});

describe('put together for the upstream', () => {
  test.each([
    ['strip_prefix', '/api/users/7/name?x=1', '/7/name?x=1'],
    ['strip_prefix, all of it', '/api/users', '/'],
    ['strip_prefix, all but a query', '/api/users?x=1', '/?x=1'],
    ['strip_prefix at a border only', '/api/usersandmore', '/api/usersandmore'],
    ["the service's upstream_prefix", '/based/7', '/base/7'],
    ['the prefix kept behind it', '/kept/7', '/base/kept/7'],
    ["the route's upstream_prefix", '/elsewhere/7', '/v2/things/7'],
    ['rewrite_path', '/old/abc/1/2?q=/old/', '/new/1/2/abc?q=/old/'],
    ['rewrite_path that does not match', '/old/123', '/old/123'],
    ['path parameters', '/user/7/posts/%2F', '/user/7/posts/%2F'],
    ['an encoded slash is no border', '/api%2Fusers/7', '/api%2Fusers/7'],
  ])('%s: %s', async (_, target, expected) => expect(await forwarded(target)).toBe(expected));

  test('a target with a host is forwarded without it', async () => {
    const response = await ask(scene.port, 'GET http://gateway.test/a?b HTTP/1.1\r\nHost: gateway.test\r\n\r\n');
    expect(JSON.parse(response.text).target).toBe('/a?b');
  });
  test('also when it has no path', async () => {
    const response = await ask(scene.port, 'GET http://gateway.test?b HTTP/1.1\r\nHost: gateway.test\r\n\r\n');
    expect([200, 400]).toContain(response.status);
  });
});
