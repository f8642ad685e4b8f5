// SPDX-License-Identifier: MIT
// The documents keep their word: every curl line of a ```bash block works against `suoke-gateway dev`,
// and every whole configuration in a ```yaml block of the README is one the gateway accepts.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const gateway = process.env.SUOKE_BIN;
const root = new URL('../../', import.meta.url);
const read = (name) => readFile(new URL(name, root), 'utf8');
const documents = ['README.md', 'README.zh-CN.md', 'docs/guide/first-steps.md'];

const blocks = (text, language) =>
  [...text.matchAll(new RegExp('^```' + language + '\\n(.*?)^```', 'gms'))].map((match) => match[1]);
const curlLines = (text) =>
  blocks(text, 'bash')
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .filter((line) => /(^|\| *)curl /.test(line));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const env = { PATH: process.env.PATH }; // nothing of this machine's decides what is served
const shell = (line) =>
  run('bash', ['-o', 'pipefail', '-c', line], { env: { ...env, CURL_HOME: home } });

let home, dev, port;
let hints = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'suoke-readme-'));
  await writeFile(join(home, '.curlrc'), 'fail\nsilent\nshow-error\nmax-time = 20\n');
  port = await freePort();
  dev = spawn(gateway, ['dev', '--port', String(port)], { cwd: home, env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const piece of dev.stdout.iterator({ destroyOnReturn: false })) {
    hints += piece;
    if (hints.includes('listening')) break;
  }
  dev.stdout.resume();
});

afterAll(async () => {
  const left = once(dev, 'exit');
  dev.kill('SIGINT');
  const [code] = await left;
  await rm(home, { recursive: true });
  expect(code).toBe(0);
});

describe.each(documents)('%s', async (name) => {
  const text = await read(name);

  test.each(curlLines(text))('%s', async (line) => {
    const { stdout } = await shell(line.replaceAll('localhost:8000', `127.0.0.1:${port}`));
    expect(stdout).not.toBe('');
  });

  const whole = blocks(text, 'yaml').filter((yaml) => /^services:/m.test(yaml));
  test.each(whole)('configuration %#', async (yaml) => {
    const file = join(home, 'suoke.yaml');
    await writeFile(file, yaml);
    const { stdout } = await run(gateway, ['check', file], { cwd: home, env });
    expect(stdout).toContain('good (0 errors, 0 warnings)');
  });
});

test('both READMEs show the same lines', async () => {
  expect(curlLines(await read('README.zh-CN.md'))).toEqual(curlLines(await read('README.md')));
  expect(curlLines(await read('README.md')).length).toBeGreaterThan(8);
});

// What two languages share: blocks but for their comments, links, the words of the configuration.
function shape(text) {
  const prose = text.replace(/^```.*?^```/gms, '');
  const all = (pattern) => [...prose.matchAll(pattern)].map((match) => match[1]);
  const bare = (block) => block.split('\n').map((line) => line.replace(/ *#.*/, '')).filter(Boolean);
  return {
    headings: all(/^(#+) /gm),
    links: all(/\]\(([^)]*)\)/g).filter((link) => !link.startsWith('README')),
    words: [...new Set(all(/`([^`]+)`/g).filter((word) => /^[\x20-\x7e]+$/.test(word) && word !== '{parameters}'))].sort(),
    rows: all(/^(\|)/gm).length,
    blocks: ['sh', 'bash', 'yaml'].map((language) => blocks(text, language).map(bare)),
  };
}

test('both READMEs have the same shape', async () => {
  expect(shape(await read('README.zh-CN.md'))).toEqual(shape(await read('README.md')));
});

test('the lines that dev prints work', async () => {
  const lines = hints.split('\n').filter((line) => line.includes('curl '));
  expect(lines.length).toBeGreaterThan(5);
  const outputs = await Promise.all(lines.map((line) => shell(line.replace(/^Try/, ''))));
  for (const { stdout } of outputs) expect(stdout).not.toBe('');
});

test('health asks a running gateway', async () => {
  const { stdout } = await run(gateway, ['health', '--url', `http://127.0.0.1:${port}`, '--timeout', '5']);
  expect(stdout).toMatch(/^200 OK\n/);
  expect(JSON.parse(stdout.slice('200 OK\n'.length)).status).toBe('healthy');
});
