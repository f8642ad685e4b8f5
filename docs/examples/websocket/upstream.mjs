// SPDX-License-Identifier: MIT
// npm install ws
// Says everything back.
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 9001, handleProtocols: (offered) => [...offered][0] });
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('close', (code, reason) => console.log(`closed: ${code} ${reason}`.trim()));
});
