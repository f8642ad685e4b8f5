// SPDX-License-Identifier: MIT
// npm install ws
import { WebSocket } from 'ws';

const socket = new WebSocket(process.argv[2] ?? 'ws://localhost:8000/api/v1/agents/ws');
socket.on('open', () => socket.send('hello'));
socket.on('message', (data) => {
  console.log(`heard: ${data}`);
  socket.close();
});
socket.on('close', (code, reason) => console.log(`closed: ${code} ${reason}`.trim()));
