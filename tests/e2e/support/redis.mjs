// SPDX-License-Identifier: MIT
// Debian's redis-server (apt-get install redis-server) as a child process on a free port, in a directory
// of its own; Sentinels, which are the same program; and a Cluster of some of them.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { freePort } from './gateway.mjs';
import { until } from './wait.mjs';

const kept = new Set(); // those that nobody has removed yet

export class Redis {
  /** `tls`: {certificate, authority}, and then nothing is said in the clear; `password`: of the user default, who may everything. */
  constructor(port, lines, { sentinel = false, tls, password } = {}) {
    Object.assign(this, { port, sentinel, tls, password });
    this.directory = mkdtempSync(join(tmpdir(), 'suoke-redis-'));
    kept.add(this);
    this.file = join(this.directory, 'redis.conf');
    const listening = tls ? ['port 0', `tls-port ${port}`, ...tlsLines(tls)] : [`port ${port}`];
    const locked = password ? [`requirepass ${password}`] : [];
    writeFileSync(this.file, [...listening, 'bind 127.0.0.1', `dir ${this.directory}`, ...locked, ...lines, ''].join('\n'));
  }

  get address() {
    return `127.0.0.1:${this.port}`;
  }

  /** How a gateway is told of it, as the user default. */
  get config() {
    return { host: '127.0.0.1', port: this.port, ...terms(this) };
  }

  /**
   * Resolves when it answers; after a kill it knows what it was told before the last SAVE, which without one is nothing.
   * `words`: of its command line.
   */
  async start(...words) {
    this.process = spawn('redis-server', [this.file, ...(this.sentinel ? ['--sentinel'] : []), ...words], { stdio: 'ignore' });
    this.exit = new Promise((resolve) => this.process.once('exit', resolve));
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
    const commands = [...(this.password ? [['AUTH', this.password]] : []), words];
    return new Promise((resolve, reject) => {
      const socket = this.#connect();
      let text = '';
      let unanswered = commands.length;
      socket.setEncoding('latin1').on('data', (piece) => {
        text += piece;
        for (let read; unanswered > 0 && (read = readReply(text, 0)); text = text.slice(read.end)) {
          if (--unanswered > 0 && !(read.value instanceof Error)) continue;
          socket.destroy();
          if (read.value instanceof Error) reject(read.value);
          else resolve(read.value);
          return;
        }
      });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('Redis closed the connection')));
      for (const each of commands) socket.write(written(each));
    });
  }

  #connect() {
    const at = { port: this.port, host: '127.0.0.1' };
    return this.tls ? tls.connect({ ...at, ca: this.tls.authority.pem }) : net.connect(at);
  }

  /** Whether it answers a command with a text that contains `wanted`. */
  async says(command, wanted) {
    const answer = await this.command(...command.split(' ')).catch((error) => error.message);
    return String(answer).includes(wanted);
  }

  /** How far it is in what masters tell their replicas. */
  async offset() {
    return Number(/master_repl_offset:(\d+)/.exec(await this.command('INFO', 'replication'))[1]);
  }

  /** Ends it, and nothing of it is left. */
  async remove() {
    if (this.process) await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
    kept.delete(this);
  }
}

process.once('exit', () => {
  for (const redis of kept) if (redis.alive) redis.process.kill('SIGKILL');
});

/** Ends every one this process started, those included whose start nobody saw the end of. */
export const removeAllRedis = () => Promise.all([...kept].map((redis) => redis.remove()));

const tlsLines = ({ certificate, authority }) => [
  `tls-cert-file ${certificate.cert_file}`, `tls-key-file ${certificate.key_file}`, `tls-ca-cert-file ${authority.cert_file}`,
  'tls-auth-clients no', 'tls-cluster yes',
];

const terms = ({ tls, password }) => ({ ...(tls && { tls: true, ca_file: tls.authority.cert_file }), ...(password && { password }) });

const written = (words) => `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`).join('')}`;

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

export async function startRedis({ port, lines = [], ...options } = {}) {
  return new Redis(port ?? (await freePort()), ['save ""', 'appendonly no', ...lines], options).start();
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

export class RedisCluster {
  nodes = [];
  #options;

  /** `options`: {tls, password} of all its nodes. */
  constructor(options) {
    this.#options = options;
  }

  /** How a gateway is told of it by some of its nodes. */
  enteredAt(...nodes) {
    return { mode: 'cluster', nodes: nodes.map((each) => each.address), ...terms(nodes[0]) };
  }

  /** Starts one that is not in it yet. `at`: what it is told apart by, when two say that a slot is theirs. */
  async #start(at) {
    const bus = await freePort();
    const lines = [
      'cluster-enabled yes', `cluster-port ${bus}`, 'cluster-node-timeout 2000', 'cluster-replica-validity-factor 0',
      'repl-diskless-sync-delay 0',
    ];
    const node = await startRedis({ ...this.#options, lines });
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', at);
    Object.assign(node, { bus, id: await node.command('CLUSTER', 'MYID') });
    this.nodes.push(node);
    return node;
  }

  /** Three masters that share the slots. */
  async start() {
    for (const [first, last] of [[0, 5460], [5461, 10922], [10923, 16383]]) {
      const node = await this.#start(this.nodes.length + 1);
      await node.command('CLUSTER', 'ADDSLOTSRANGE', first, last);
    }
    await Promise.all(this.nodes.slice(1).map((each) => this.#meet(each)));
    return this;
  }

  /** One more master, which has no slot. */
  async add() {
    const node = await this.#start(this.nodes.length + 1);
    await this.#meet(node);
    return node;
  }

  /** One more node that follows a master. */
  async addReplica(master) {
    const node = await this.add();
    await node.command('CLUSTER', 'REPLICATE', master.id);
    await until(() => node.says('INFO replication', 'master_link_status:up'), 'the replica follows', 15_000);
    await this.#allSee(`${node.id} `, `slave ${master.id}`);
    return node;
  }

  async #meet(node) {
    await this.nodes[0].command('CLUSTER', 'MEET', '127.0.0.1', node.port, node.bus);
    await this.#allSee(`${node.id} `);
    await this.isWell();
  }

  /** Resolves when all its nodes say so. */
  isWell() {
    const well = (node) => node.says('CLUSTER INFO', 'cluster_state:ok');
    return until(async () => (await Promise.all(this.nodes.map(well))).every(Boolean), 'the Cluster is well', 15_000);
  }

  // All of them have a line of another one with these words.
  #allSee(...words) {
    const seen = async (node) => (await node.command('CLUSTER', 'NODES')).split('\n').some((line) => words.every((word) => line.includes(word)));
    return until(async () => (await Promise.all(this.nodes.map(seen))).every(Boolean), 'the nodes know each other', 15_000);
  }

  /** It leaves, as redis-cli --cluster del-node has it: the others forget it, and its process goes on alone. */
  async dismiss(node) {
    this.nodes = this.nodes.filter((each) => each !== node);
    for (const each of this.nodes) await each.command('CLUSTER', 'FORGET', node.id);
    await node.command('CLUSTER', 'RESET', 'SOFT');
  }

  async masterOf(key) {
    const alive = this.nodes.find((each) => each.alive);
    const slot = await alive.command('CLUSTER', 'KEYSLOT', key);
    const ranges = await alive.command('CLUSTER', 'SLOTS');
    const [, , [, , id]] = ranges.find(([first, last]) => first <= slot && slot <= last);
    return this.nodes.find((each) => each.id === id);
  }

  /** The slot of a key on its way to another master, with all its keys there already; resolves with what ends the move. */
  async moving(key, to) {
    const from = await this.masterOf(key);
    const slot = await from.command('CLUSTER', 'KEYSLOT', key);
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    for (let keys; (keys = await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 100)).length > 0; )
      await from.command('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    return async () => {
      for (const each of [to, from]) await each.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    };
  }

  remove() {
    return Promise.all(this.nodes.map((each) => each.remove()));
  }
}

export const startRedisCluster = (options = {}) => new RedisCluster(options).start();
