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

  /**
   * {delay, capacity, status, headers, hang, cut, share, every}: what becomes of the requests from now on, or of a share
   * of them, or of every so-manieth. An answer takes `delay`, and of more than `capacity` at once some wait for the others.
   */
  async behave(how) {
    const answer = await fetch(`http://${this.host}:${this.port}/behave`, { method: 'POST', body: JSON.stringify(how) });
    await answer.arrayBuffer();
  }

  /**
   * {requests: [{method, headers, body}], left, most}: what it was asked since it was told how to behave, how many of
   * them did not wait for their answer, and the most there were at once.
   */
  async asked() {
    return (await fetch(`http://${this.host}:${this.port}/asked`)).json();
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
  return Promise.all(names.map(async (name) => new Instance(name, await freePort()).start()));
}

export const stopInstances = (instances) =>
  Promise.all((instances ?? []).map((each) => (each.process.exitCode === null && each.process.signalCode === null ? each.kill() : null)));

// ---- the process

if (process.argv[1] === FILE) {
  const [, , name, port, host] = process.argv;
  let how = {};
  let requests = 0;
  let asked = [];
  let left = 0;
  let inside = 0;
  let most = 0;
  let working = 0;
  let waiting = [];
  const work = () => {
    while (waiting.length > 0 && working < (how.capacity ?? Infinity)) {
      const answer = waiting.shift();
      ++working;
      setTimeout(() => {
        --working;
        answer();
        work();
      }, how.delay ?? 0);
    }
  };
  const read = async (request) => {
    let text = '';
    for await (const piece of request) text += piece.toString('latin1');
    return text;
  };
  const server = http.createServer(async (request, response) => {
    response.setHeader('X-Instance', name);
    if (request.url === '/behave') {
      how = JSON.parse(await read(request));
      [asked, left, most] = [[], 0, inside];
      work();
      return response.end('as you like');
    }
    if (request.url === '/asked') return response.end(JSON.stringify({ requests: asked, left, most }));
    if (request.url === '/count') return response.end(String(requests));
    if (request.url === '/health') return response.writeHead(how.ill ? 503 : 200).end(how.ill ? 'ill' : 'well');
    ++requests;
    const { method, headers } = request;
    const seen = { method, headers };
    if (asked.length < 1_000) asked.push(seen);
    const different = how.every ? requests % how.every === 0 : Math.random() < (how.share ?? 1);
    most = Math.max(most, ++inside);
    response.once('close', () => {
      --inside;
      if (!response.writableFinished) ++left;
    });
    seen.body = await read(request).catch(() => null);
    if (how.hang && different) return;
    if (how.cut && different) return request.socket.resetAndDestroy();
    waiting.push(() => {
      if (how.status && different) return response.writeHead(how.status, how.headers).end('sorry');
      response.end('hello');
    });
    work();
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
