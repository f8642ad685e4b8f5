// SPDX-License-Identifier: MIT
// An example of docs/examples as its guide has it run: by the lines of the guide, on ports that are free.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, Gateway } from './gateway.mjs';
import { run } from './programs.mjs';
import { until } from './wait.mjs';

const here = (name) => fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));
const ASSIGNMENT = /^([A-Z]+)=/;
const PORT = /\b(8000|8443|900\d|50051)\b/g;

/** The lines of a guide's bash blocks from `cd docs/examples/<topic>` on, up to the next one. */
function linesOf(guide, topic) {
  const blocks = readFileSync(here(`guide/${guide}.md`), 'utf8').matchAll(/^```bash\n(.*?)^```/gms);
  const lines = [...blocks].flatMap(([, block]) => block.trim().split('\n'));
  const from = lines.indexOf(`cd docs/examples/${topic}`) + 1;
  const next = lines.findIndex((line, i) => i >= from && line.startsWith('cd '));
  return from === 0 ? [] : lines.slice(from, next < 0 ? undefined : next);
}

export class Example {
  #ports = new Map();
  #children = [];
  #aliases = [];
  #variables = []; // what the lines that assign them came to

  constructor(guide, topic) {
    this.lines = linesOf(guide, topic);
    this.undone = new Set(this.lines);
    this.directory = mkdtempSync(join(tmpdir(), 'suoke-example-'));
    cpSync(here(`examples/${topic}`), this.directory, { recursive: true, filter: (name) => basename(name) !== 'certificates' });
    symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(this.directory, 'node_modules'));
    this.programs = mkdtempSync(join(tmpdir(), 'suoke-example-programs-'));
    symlinkSync(process.env.SUOKE_BIN, join(this.programs, 'suoke-gateway'));
  }

  /**
   * Gives every port of the files a free one, changes them where `instead` says so ([what, by what], for times that
   * are too long for a test), and does the lines that prepare: up to the gateway that serves. A test may speak for
   * the programs `without` which it wants to be.
   */
  async prepare({ instead = [], without = [] } = {}) {
    for (const name of readdirSync(this.directory, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name)) {
      const file = join(this.directory, name);
      let text = readFileSync(file, 'utf8');
      for (const [port] of text.matchAll(PORT)) if (!this.#ports.has(port)) this.#ports.set(port, await freePort());
      for (const [what, by] of instead) text = text.replaceAll(what, by);
      writeFileSync(file, this.here(text));
    }
    if (!this.#ports.has('8000')) this.#ports.set('8000', await freePort());
    for (const line of this.lines) {
      const [program, ...args] = line.split(' ');
      if (program === 'npm') this.undone.delete(line); // they are here already
      else if (line === 'suoke-gateway serve --config suoke.yaml &') await this.#serve(line);
      else if (without.includes(args[0])) this.undone.delete(line);
      else if (program === 'node' && line.endsWith(' &')) await this.#begin(line, args.slice(0, -1));
      else if (program.startsWith('./')) await this.do(line);
      else if (program === 'alias') this.#aliases.push(line) && this.undone.delete(line);
    }
    return this;
  }

  port(written) {
    return this.#ports.get(String(written));
  }

  /** The text with the ports that are meant. */
  here(text) {
    return text.replace(PORT, (port) => this.#ports.get(port) ?? port);
  }

  /** One of the guide's lines, as it stands there; what it says. What it assigns to a variable the next ones have. */
  async do(line) {
    if (!this.lines.includes(line)) throw new Error(`The guide has no line: ${line}`);
    this.undone.delete(line);
    const variable = ASSIGNMENT.exec(line)?.[1];
    const lines = [
      'shopt -s expand_aliases', `cd ${this.directory}`, `PATH=${this.programs}:$PATH`, ...this.#variables,
      ...[...this.#aliases, line].map((each) => this.here(each)),
      ...(variable ? [`declare -p ${variable}`] : []),
    ];
    const { said, complained, code } = await run('bash', ['-c', lines.join('\n')]);
    if (code !== 0) throw new Error(`${line}: exit code ${code}: ${complained}`);
    if (variable) this.#variables.push(said);
    return variable ? '' : said;
  }

  async #serve(line) {
    this.undone.delete(line);
    const port = this.port(8000);
    this.gateway = new Gateway(readFileSync(join(this.directory, 'suoke.yaml'), 'utf8'), {
      port, cwd: this.directory, args: ['--host', '127.0.0.1', '--port', String(port), '--workers', '1'], env: { SUOKE_SERVER_DRAIN_TIMEOUT: '2s' },
    });
    await this.gateway.ready();
  }

  /** A program that listens, in the background; where, stands in it. */
  async #begin(line, [program]) {
    this.undone.delete(line);
    const text = readFileSync(join(this.directory, program), 'utf8');
    const child = spawn(process.execPath, [program], { cwd: this.directory, stdio: ['ignore', 'pipe', 'inherit'] });
    child.said = '';
    child.stdout.setEncoding('utf8').on('data', (more) => (child.said += more));
    child.exit = new Promise((resolve) => child.once('exit', resolve));
    this.#children.push(child);
    this.program = child;
    for (const port of [...this.#ports.values()].filter((port) => text.includes(String(port)))) {
      await until(() => child.exitCode !== null || answers(port), `${program} listens on ${port}`, 20_000);
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
    }
  }

  async stop() {
    await this.gateway?.stop();
    for (const child of this.#children) {
      child.kill('SIGKILL');
      await child.exit;
    }
    for (const directory of [this.directory, this.programs]) rmSync(directory, { recursive: true, force: true });
  }
}

const answers = (port) =>
  new Promise((resolve) => {
    const probe = net.connect(port, '127.0.0.1', () => resolve(Boolean(probe.destroy())));
    probe.once('error', () => resolve(false));
  });
