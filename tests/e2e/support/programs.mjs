// SPDX-License-Identifier: MIT
// Programs of the distribution as clients.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

export const whereIs = (program) =>
  process.env.PATH.split(delimiter).map((directory) => join(directory, program)).find(existsSync);

/** describe() for what needs a program; without it its tests are skipped, and the report says why. */
export const describeWith = (program, tests) =>
  whereIs(program) ? describe(program, tests) : describe.skip(`${program} is not installed`, tests);

/** Runs it to its end: `said` is its output, `complained` its other one. A code that is not 0 is an answer, too. */
export function run(program, args, input = '') {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe' });
    let said = '', complained = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (said += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (complained += text));
    child.stdin.on('error', () => {}); // it may leave before it has read everything
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said, complained }));
  });
}
