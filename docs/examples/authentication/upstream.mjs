// SPDX-License-Identifier: MIT
// Says who the gateway told it asks.
import http from 'node:http';

http.createServer(({ headers }, response) => {
  const { 'x-user-id': id = 'a stranger', 'x-user-roles': roles = 'nothing', 'x-auth-method': method = 'nothing' } = headers;
  response.end(`${id}, who is ${roles}, by ${method}\n`);
}).listen(9001, '127.0.0.1');
