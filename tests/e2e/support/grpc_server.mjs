// SPDX-License-Identifier: MIT
// The server of tests/grpc, made of gRPC++, as a child process.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

const BIN = process.env.SUOKE_GRPC_SERVER;
export const grpcServerIsThere = existsSync(BIN ?? '');
if (!grpcServerIsThere) console.warn(`There is no gRPC server at SUOKE_GRPC_SERVER=${BIN}: its tests are skipped.`);

const running = new Set();

/** `port` is for one that comes back to where another one was; `flags` are of interop_server.cpp. */
export async function startGrpcServer({ port = 0, certificate, flags = {} } = {}) {
  const args = Object.entries({ port, ...flags, ...(certificate && { certificate: certificate.cert_file, key: certificate.key_file }) });
  const child = spawn(BIN, args.flatMap(([name, value]) => [`--${name}`, String(value)]), { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  const exit = new Promise((resolve) => child.once('exit', resolve));
  exit.then(() => running.delete(child));
  const line = await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), exit]);
  if (!Buffer.isBuffer(line)) throw new Error(`the gRPC server did not start: exit code ${line}`);
  const server = { port: Number(line.toString()) };
  const endpoints = [{ host: '127.0.0.1', port: server.port }];
  const tls = certificate && { enabled: true, ca_file: certificate.cert_file, server_name: 'localhost' };
  server.service = { protocol: 'h2', endpoints, ...(tls && { tls }) };
  server.stop = () => {
    child.kill('SIGKILL'); // it has nothing to put in order
    return exit;
  };
  return server;
}

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
