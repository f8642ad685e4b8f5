// SPDX-License-Identifier: MIT
// The client's half of tests/grpc/interop.proto.
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const file = fileURLToPath(new URL('../../grpc/interop.proto', import.meta.url));
const { TestService, UnimplementedService } = grpc.loadPackageDefinition(loadSync(file, { keepCase: true, defaults: true })).grpc.testing;

/** What a gateway says about both services, when they are at `service`. */
export const interopRoutes = (service, more) =>
  ['TestService', 'UnimplementedService'].map((name) => ({ name, grpc: { service: `grpc.testing.${name}` }, service, ...more }));

/** A channel that shares no connection with another one. */
const alone = (options) => ({ 'grpc.use_local_subchannel_pool': 1, ...options });
const credentialsFor = ({ ca }) => (ca ? grpc.credentials.createSsl(ca) : grpc.credentials.createInsecure());

/** A client of what listens on `port`, over TLS where an authority `ca` is given. */
export const interopClient = (where, options) => new TestService(`127.0.0.1:${where.port}`, credentialsFor(where), alone(options));
export const strangerClient = (where) => new UnimplementedService(`127.0.0.1:${where.port}`, credentialsFor(where), alone());

export const zeros = (size) => ({ body: Buffer.alloc(size) });

/** What a call came to, whatever it was: { messages, initial, status }. */
export function outcome(call) {
  const came = { messages: [], initial: null };
  call.on('metadata', (initial) => (came.initial = initial));
  call.on('data', (message) => came.messages.push(message));
  call.on('error', () => {}); // the status says it
  return new Promise((resolve) => call.once('status', (status) => resolve({ ...came, status })));
}

/** The same of a call with one response, `response`; `request` is left out where they are streamed. */
export function asked(client, method, { request, metadata = new grpc.Metadata(), options = {}, speak } = {}) {
  let response = null;
  const first = request === undefined ? [] : [request];
  const call = client[method](...first, metadata, options, (_, value) => (response = value ?? null));
  speak?.(call);
  return outcome(call).then(({ initial, status }) => ({ response, initial, status }));
}

/** Writes at the pace of the other side. False: the call has ended. */
export async function write(call, message) {
  if (call.destroyed || call.writableEnded) return false;
  if (call.write(message)) return true;
  return new Promise((resolve) => {
    call.once('drain', () => resolve(true));
    call.once('status', () => resolve(false));
  });
}

/** The bytes of messages, for those who frame them themselves. */
export const path = (method) => TestService.service[method].path;
export const requestBytes = (method, request) => TestService.service[method].requestSerialize(request);
export const responseOf = (method, bytes) => TestService.service[method].responseDeserialize(bytes);
