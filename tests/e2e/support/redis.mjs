// SPDX-License-Identifier: MIT
// Debian's redis-server (apt-get install redis-server) as a child process on a free port, in a directory
// of its own; and Sentinels, which are the same program.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './gateway.mjs';
import { until } from './wait.mjs';

const running = new Set();

export class Redis {
  constructor(port, lines, { sentinel = false } = {}) {
    this.port = port;
    this.sentinel = sentinel;
    this.directory = mkdtempSync(join(tmpdir(), 'suoke-redis-'));
    this.file = join(this.directory, 'redis.conf');
    writeFileSync(this.file, [`port ${port}`, 'bind 127.0.0.1', `dir ${this.directory}`, ...lines, ''].join('\n'));
  }

  /** Resolves when it answers; after a kill it knows what it was told before the last SAVE, which without one is nothing. */
  async start() {
    this.process = spawn('redis-server', [this.file, ...(this.sentinel ? ['--sentinel'] : [])], { stdio: 'ignore' });
    running.add(this);
    this.exit = new Promise((resolve) =>
      this.process.once('exit', () => {
        running.delete(this);
        resolve();
      }),
    );
    await until(() => this.says('PING', 'PONG') || !this.alive, 'Redis answers');
    if (!this.alive) throw new Error(`redis-server ended with ${this.process.exitCode}`);
    rmSync(join(this.directory, 'dump.rdb'), { force: true });
    return this;
  }

  kill(signal = 'SIGKILL') {
    if (this.alive) this.process.kill(signal);
    return this.exit;
  }

  /** It keeps its connections and answers nobody. */
  pause() {
    this.process.kill('SIGSTOP');
  }
  resume() {
    this.process.kill('SIGCONT');
  }

  get alive() {
    return Boolean(this.process) && this.process.exitCode === null && this.process.signalCode === null;
  }

  /** What it answers, as numbers, texts and lists; an error is thrown. */
  command(...words) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.port, '127.0.0.1');
      let text = '';
      socket.setEncoding('latin1').on('data', (piece) => {
        text += piece;
        const read = readReply(text, 0);
        if (!read) return;
        socket.destroy();
        if (read.value instanceof Error) reject(read.value);
        else resolve(read.value);
      });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('Redis closed the connection')));
      socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`).join('')}`);
    });
  }

  /** Whether it answers a command with a text that contains `wanted`. */
  async says(command, wanted) {
    const answer = await this.command(...command.split(' ')).catch((error) => error.message);
    return String(answer).includes(wanted);
  }

  /** Ends it, and nothing of it is left. */
  async remove() {
    if (this.process) await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

process.once('exit', () => {
  for (const redis of running) redis.process.kill('SIGKILL');
});

/** Ends every one this process started, those included whose start nobody saw the end of. */
export const removeAllRedis = () => Promise.all([...running].map((redis) => redis.remove()));

// {value, end}, or nothing as long as it is not there as a whole.
function readReply(text, at) {
  const end = text.indexOf('\r\n', at);
  if (end < 0) return null;
  const [kind, line, next] = [text[at], text.slice(at + 1, end), end + 2];
  if (kind === '+') return { value: line, end: next };
  if (kind === '-') return { value: new Error(line), end: next };
  if (kind === ':') return { value: Number(line), end: next };
  const count = Number(line);
  if (count < 0) return { value: null, end: next };
  if (kind === '$') return text.length < next + count + 2 ? null : { value: text.slice(next, next + count), end: next + count + 2 };
  const items = [];
  let place = next;
  while (items.length < count) {
    const item = readReply(text, place);
    if (!item) return null;
    items.push(item.value);
    place = item.end;
  }
  return { value: items, end: place };
}

export async function startRedis({ port, lines = [] } = {}) {
  return new Redis(port ?? (await freePort()), ['save ""', 'appendonly no', ...lines]).start();
}

/** {main, replica, sentinels}: one that is written to, one that follows it, three that watch them. */
export async function startWatchedRedis() {
  const quick = ['repl-diskless-sync-delay 0'];
  const main = await startRedis({ lines: quick });
  const replica = await startRedis({ lines: [...quick, `replicaof 127.0.0.1 ${main.port}`] });
  await until(() => replica.says('INFO replication', 'master_link_status:up'), 'the replica follows', 10_000);
  const watching = [
    `sentinel monitor main 127.0.0.1 ${main.port} 2`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 3000',
  ];
  const ports = [await freePort(), await freePort(), await freePort()];
  const sentinels = await Promise.all(ports.map((port) => new Redis(port, watching, { sentinel: true }).start()));
  for (const each of sentinels) {
    await until(() => each.says('SENTINEL ckquorum main', 'OK 3'), 'the Sentinels know each other', 10_000);
    await until(() => each.says('SENTINEL replicas main', `${replica.port}`), 'and the replica', 15_000);
  }
  return { main, replica, sentinels };
}
