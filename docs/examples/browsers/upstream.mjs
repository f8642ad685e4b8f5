// SPDX-License-Identifier: MIT
// A service that knows nothing of pages.
import http from 'node:http';

http.createServer((request, response) => {
  response.setHeader('X-Powered-By', 'the example');
  response.end(`hello ${request.headers.host}\n`);
}).listen(9001, '127.0.0.1');
