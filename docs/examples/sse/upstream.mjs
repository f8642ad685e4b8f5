// SPDX-License-Identifier: MIT
// Five events, one a second, and then the next five when the client comes back; and the page that shows them.
// region upstream
import { readFileSync } from 'node:fs';
import http from 'node:http';

http.createServer((request, response) => {
  if (!request.url.endsWith('/events')) return response.end(readFileSync('page.html'));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let id = Number(request.headers['last-event-id'] ?? 0);
  const end = id + 5;
  const timer = setInterval(() => {
    response.write(`id: ${++id}\ndata: news number ${id}\n\n`);
    if (id === end) response.end();
  }, 1000);
  response.on('close', () => clearInterval(timer));
}).listen(9001, '127.0.0.1');
// endregion
