// SPDX-License-Identifier: MIT
// Both services: what they say is what they see of their client.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const file = (name) => readFileSync(`certificates/${name}`);
const subject = 'x-client-cert-subject', san = 'x-client-cert-san';

http.createServer(({ headers }, response) => {
  response.end(`${headers[subject] ?? 'nobody'}, ${headers[san] ?? 'no name'}\n`);
}).listen(9001, '127.0.0.1');

https.createServer({
  cert: file('users.crt'), key: file('users.key'),
  ca: file('internal-ca.crt'), requestCert: true, // only the gateway has one of these
}, ({ socket }, response) => {
  response.end(`hello ${socket.getPeerCertificate().subject.CN}\n`);
}).listen(9002, '127.0.0.1');
