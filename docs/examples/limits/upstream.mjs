// SPDX-License-Identifier: MIT
// Says what it was asked for. What is below /api/v1/files takes a second.
import http from 'node:http';

http.createServer((request, response) => {
  const slow = request.url.startsWith('/api/v1/files');
  setTimeout(() => response.end(`${request.method} ${request.url}\n`), slow ? 1000 : 0);
}).listen(9001, '127.0.0.1');
