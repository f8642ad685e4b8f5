// SPDX-License-Identifier: MIT
// gRPC as it is on the wire: for what @grpc/grpc-js does not show (whether a message was compressed)
// and does not speak (gRPC-Web).
import http2 from 'node:http2';
import { gunzipSync, gzipSync } from 'node:zlib';

export const COMPRESSED = 1;
export const TRAILERS = 0x80; // of gRPC-Web

/** A message behind its flags and its length. */
export function framed(message, flags = 0) {
  const bytes = flags & COMPRESSED ? gzipSync(message) : message;
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** The messages of a body, which must end behind one. */
export function messagesOf(body) {
  const messages = [];
  for (let at = 0; at < body.length; ) {
    if (body.length < at + 5) throw new Error('the body ends inside the head of a message');
    const flags = body.readUInt8(at);
    const end = at + 5 + body.readUInt32BE(at + 1);
    if (body.length < end) throw new Error('the body ends inside a message');
    const bytes = body.subarray(at + 5, end);
    messages.push({ flags, bytes: flags & COMPRESSED ? gunzipSync(bytes) : bytes });
    at = end;
  }
  return messages;
}

/** The last message of gRPC-Web's: trailers as text. */
export const trailersOf = ({ bytes }) =>
  Object.fromEntries(bytes.toString().split('\r\n').filter(Boolean).map((line) => line.split(/: ?(.*)/s).slice(0, 2)));

/** gRPC-Web's text form: base64 of pieces, each padded for itself. */
export const fromText = (text) => Buffer.concat((text.match(/[^=]+={0,2}/g) ?? []).map((part) => Buffer.from(part, 'base64')));

/** One call on a connection of its own. */
export async function callRaw({ url, ca }, path, body) {
  const session = http2.connect(url, { ca, servername: 'localhost' });
  try {
    return await new Promise((resolve, reject) => {
      session.once('error', reject);
      const stream = session.request({
        ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc+proto',
        'grpc-encoding': 'gzip', 'grpc-accept-encoding': 'identity,gzip',
      });
      const pieces = [];
      const answer = { trailers: {} };
      stream.once('response', (headers) => (answer.headers = headers));
      stream.once('trailers', (trailers) => (answer.trailers = trailers));
      stream.on('data', (piece) => pieces.push(piece));
      stream.once('error', reject);
      stream.once('end', () => {
        const status = Number(answer.trailers['grpc-status'] ?? answer.headers['grpc-status']);
        resolve({ ...answer, status, messages: messagesOf(Buffer.concat(pieces)) });
      });
      stream.end(body);
    });
  } finally {
    session.destroy();
  }
}
