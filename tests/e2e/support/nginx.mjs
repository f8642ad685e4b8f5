// SPDX-License-Identifier: MIT
// Debian's nginx as an upstream, everything of it in a directory of its own.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './gateway.mjs';
import { until } from './wait.mjs';

const BIN = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find(existsSync);
export const nginxIsInstalled = Boolean(BIN);

/** `files` are served at /files, `server` is put into the server block, `listen` behind its port. */
export async function startNginx({ files = {}, server = '', listen = '' } = {}) {
  const prefix = mkdtempSync(join(tmpdir(), 'suoke-nginx-'));
  const port = await freePort();
  for (const directory of ['files', 'temp']) mkdirSync(join(prefix, directory), { mode: 0o777 });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(prefix, 'files', name), content);
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${prefix}/temp/${kind};`)
    .join('\n');
  const user = process.getuid() === 0 ? 'user root;' : '';
  writeFileSync(join(prefix, 'nginx.conf'), `
    ${user}
    daemon off;
    worker_processes 1;
    pid ${prefix}/nginx.pid;
    error_log ${prefix}/error.log warn;
    events { worker_connections 512; }
    http {
      access_log off;
      default_type application/octet-stream;
      client_max_body_size 20m;
      ${temp}
      server {
        listen 127.0.0.1:${port} ${listen};
        root ${prefix};
        ${server}
      }
    }`);
  const child = spawn(BIN, ['-p', prefix, '-e', join(prefix, 'error.log'), '-c', join(prefix, 'nginx.conf')], {
    stdio: 'inherit',
  });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  const listens = () =>
    new Promise((resolve) => {
      const probe = net.connect(port, '127.0.0.1', () => resolve(probe.destroy()));
      probe.once('error', () => resolve(false));
    });
  await until(async () => child.exitCode !== null || (await listens()), 'nginx listens');
  if (child.exitCode !== null) throw new Error(`nginx did not start: exit code ${child.exitCode}`);
  return {
    port,
    service: { endpoints: [{ host: '127.0.0.1', port }] },
    /** A new worker takes over; the old one finishes what it has. */
    reload() {
      child.kill('SIGHUP');
    },
    async stop() {
      child.kill('SIGQUIT');
      const patience = setTimeout(() => child.kill('SIGTERM'), 1_000);
      await exit;
      clearTimeout(patience);
      rmSync(prefix, { recursive: true, force: true });
    },
  };
}
