// SPDX-License-Identifier: MIT
// Says how much of a request's body came, when it came to its end.
import http from 'node:http';

http.createServer((request, response) => {
  let bytes = 0;
  request.on('data', (piece) => (bytes += piece.length));
  request.on('end', () => response.end(`${request.method} ${request.url}: ${bytes} bytes\n`));
  request.on('error', () => {}); // the gateway broke it off
}).listen(9001, '127.0.0.1');
