// SPDX-License-Identifier: MIT
// Counts how often it is asked for each path, and says so. /api/news says how long that is good, the rest does not.
import http from 'node:http';

const asked = new Map();
http.createServer((request, response) => {
  asked.set(request.url, (asked.get(request.url) ?? 0) + 1);
  if (request.url === '/api/news') response.setHeader('Cache-Control', 'max-age=60');
  response.setHeader('Cache-Tag', 'everything');
  response.end(`${request.method} ${request.url}: asked ${asked.get(request.url)} times\n`);
}).listen(9001, '127.0.0.1');
