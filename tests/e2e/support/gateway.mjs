// SPDX-License-Identifier: MIT
// The real binary as a child process: a configuration goes in, a port and a log come out.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './wait.mjs';

const BIN = process.env.SUOKE_BIN;
if (!existsSync(BIN ?? '')) throw new Error(`There is no gateway at SUOKE_BIN=${BIN}; build it first.`);

// Below the range the kernel takes for outgoing connections, so that none of those sits on it. The
// test files run beside each other: each begins its search elsewhere.
let candidate = 10_000 + (process.pid % 2_000) * 10;

export async function freePort() {
  for (;;) {
    candidate = candidate >= 32_000 ? 10_000 : candidate + 1;
    const port = candidate; // another call may go on from here meanwhile
    const free = await new Promise((resolve) => {
      const probe = net.createServer();
      probe.once('error', () => resolve(false));
      probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

const running = new Set();

export class Gateway {
  log = []; // every line the gateway wrote, parsed
  stderr = '';
  #rest = '';

  #port;

  /** A configuration that is text says nothing to us: then `port` is the one of its listener. */
  constructor(config, { ulimit, port, args: flags = [], env, cwd } = {}) {
    this.config = config;
    this.#port = port;
    this.directory = mkdtempSync(join(tmpdir(), 'suoke-e2e-'));
    this.file = join(this.directory, 'suoke.yaml');
    this.write(config);
    const args = ['serve', '--config', this.file, ...flags];
    const command = ulimit ? ['sh', '-c', `ulimit -n ${ulimit}; exec "$0" "$@"`, BIN, ...args] : [BIN, ...args];
    this.process = spawn(command[0], command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'], cwd: cwd ?? this.directory, env: { ...process.env, ...env },
    });
    running.add(this);
    this.process.stdout.setEncoding('utf8').on('data', (text) => this.#take(text));
    this.process.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.exit = new Promise((resolve) =>
      this.process.once('exit', (code, signal) => {
        running.delete(this);
        resolve({ code, signal });
      }),
    );
  }

  get port() {
    return this.#port ?? this.config.server.port;
  }
  get pid() {
    return this.process.pid;
  }
  get url() {
    return `http://127.0.0.1:${this.port}`;
  }
  get alive() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  #take(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) this.log.push(JSON.parse(line)); // a line that is no JSON is a defect
  }

  // ---- configuration

  /** JSON is YAML; a string is written as it is. */
  write(config) {
    const beside = `${this.file}.new`;
    writeFileSync(beside, typeof config === 'string' ? config : JSON.stringify(config, null, 2));
    renameSync(beside, this.file);
  }

  async ready() {
    await until(() => this.logged('listening') || !this.alive, 'the gateway listens');
    if (!this.alive) throw new Error(`The gateway did not start: ${this.stderr}\n${JSON.stringify(this.log)}`);
    return this;
  }

  // ---- what it says

  /** The application log's lines with this message. */
  logged(message, since = 0) {
    return this.log.slice(since).find((line) => line.logger !== 'access' && line.message.includes(message));
  }

  get accessLines() {
    return this.log.filter((line) => line.logger === 'access');
  }

  /** The access line that satisfies `wanted`, as soon as it is written. */
  accessLine(wanted) {
    return until(() => this.accessLines.find(wanted), 'the access line');
  }

  // ---- what the system says about it

  /** Resident bytes. */
  get memory() {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024;
  }

  /** The most that was resident at any time. */
  get peak() {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]) * 1024;
  }

  /** Seconds of processor time used so far. */
  get cpu() {
    const words = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(words[11]) + Number(words[12])) / 100;
  }

  get descriptors() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  // ---- the end

  signal(name) {
    this.process.kill(name);
  }

  /** Ends it, asking nicely first. */
  async stop() {
    if (this.alive) {
      this.signal('SIGTERM');
      this.signal('SIGINT'); // asked twice: what still runs is cut
      const patience = setTimeout(() => this.signal('SIGKILL'), 5_000);
      await this.exit;
      clearTimeout(patience);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

process.once('exit', () => {
  for (const gateway of running) gateway.signal('SIGKILL');
});

/** Merges what a test says into a configuration that is quick and quiet. */
export async function configured(config = {}) {
  return {
    ...config,
    server: { host: '127.0.0.1', port: await freePort(), workers: 1, drain_timeout: '2s', ...config.server },
  };
}

export async function startGateway(config, options) {
  return new Gateway(await configured(config), options).ready();
}
