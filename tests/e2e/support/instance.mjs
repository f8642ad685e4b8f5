// SPDX-License-Identifier: MIT
// An instance of a service as a process of its own, so that it can be killed, stopped and started like
// a real one. It says "hello", its name in X-Instance, and does as it is told at /behave.
import { fork } from 'node:child_process';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { freePort } from './gateway.mjs';

const FILE = fileURLToPath(import.meta.url);

export class Instance {
  /** `namespace`: of the network, where it listens at `host`. */
  constructor(name, port, { host = '127.0.0.1', namespace } = {}) {
    Object.assign(this, { name, port, host, namespace });
  }

  /** Resolves when it listens; on the same port as before after a kill. */
  async start() {
    const within = this.namespace ? { execPath: 'ip', execArgv: ['netns', 'exec', this.namespace, process.execPath] } : {};
    this.process = fork(FILE, [this.name, String(this.port), this.host], { stdio: 'inherit', ...within });
    await new Promise((resolve, reject) => {
      this.process.once('message', resolve);
      this.process.once('exit', (code) => reject(new Error(`the instance ended with ${code}`)));
    });
    return this;
  }

  /** {delay, status, hang, share}: what becomes of a share of the requests from now on. */
  async behave(how) {
    const answer = await fetch(`http://${this.host}:${this.port}/behave`, { method: 'POST', body: JSON.stringify(how) });
    await answer.arrayBuffer();
  }

  kill(signal = 'SIGKILL') {
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.removeAllListeners('message');
    this.process.kill(signal);
    return gone;
  }

  get endpoint() {
    return { host: this.host, port: this.port };
  }
}

export async function startInstances(...names) {
  const instances = [];
  for (const name of names) instances.push(await new Instance(name, await freePort()).start());
  return instances;
}

export const stopInstances = (instances) =>
  Promise.all((instances ?? []).map((each) => (each.process.exitCode === null && each.process.signalCode === null ? each.kill() : null)));

// ---- the process

if (process.argv[1] === FILE) {
  const [, , name, port, host] = process.argv;
  let how = {};
  let requests = 0;
  const server = http.createServer((request, response) => {
    response.setHeader('X-Instance', name);
    if (request.url === '/behave') {
      let text = '';
      request.on('data', (piece) => (text += piece));
      request.on('end', () => {
        how = JSON.parse(text);
        response.end('as you like');
      });
      return;
    }
    if (request.url === '/count') return response.end(String(requests));
    if (request.url === '/health') return response.writeHead(how.ill ? 503 : 200).end(how.ill ? 'ill' : 'well');
    ++requests;
    request.resume();
    const different = Math.random() < (how.share ?? 1);
    if (how.hang && different) return;
    setTimeout(() => {
      if (how.status && different) return response.writeHead(how.status).end('sorry');
      response.end('hello');
    }, how.delay ?? 0);
  });
  // As a service does that is deployed anew: what is under way is finished first.
  process.once('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections?.();
  });
  process.once('disconnect', () => process.exit(0));
  server.keepAliveTimeout = 60_000;
  server.listen(Number(port), host, () => process.send('listening'));
}
