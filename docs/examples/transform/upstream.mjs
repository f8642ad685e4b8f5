// SPDX-License-Identifier: MIT
// /page is a long text; everything else tells what it got, and what it knows of a user.
import http from 'node:http';

http.createServer(async (request, response) => {
  const got = (await request.toArray()).join('');
  if (request.url === '/page') return response.setHeader('Content-Type', 'text/plain').end('All the tea in China. '.repeat(100));
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ url: request.url, got, user: { mail: 'a@suoke.test', password_hash: 'x', nick_name: null } }));
}).listen(9001, '127.0.0.1');
