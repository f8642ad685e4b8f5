// SPDX-License-Identifier: MIT
// Speaks HTTP/2 and nothing else, and says on which of its connections it was asked.
import http2 from 'node:http2';

let connections = 0;
const server = http2.createServer((request, response) => {
  const { session } = request.stream;
  session.number ??= ++connections;
  response.end(`${request.url} by HTTP/${request.httpVersion} on connection ${session.number}\n`);
});
server.listen(9001, '127.0.0.1');
