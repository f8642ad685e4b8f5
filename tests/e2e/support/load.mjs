// SPDX-License-Identifier: MIT
import { Agent, request } from 'undici';
import { expect } from 'vitest';
import { sleep } from './wait.mjs';

/**
 * 32 connections, or as many as are wanted, that ask for `urls` (one, or some in turn), which say hello, without a pause
 * (or with one of so many milliseconds) while `work` goes on; what went wrong is returned.
 */
export async function underLoad(urls, work, { connections = 32, pause = 0, least = 100 } = {}) {
  const targets = [urls].flat();
  const agent = new Agent({ connections, pipelining: 1 });
  const failures = [];
  let answered = 0;
  let going = true;
  const loops = Array.from({ length: connections }, async (_, i) => {
    const url = targets[i % targets.length];
    while (going) {
      try {
        const { statusCode, body } = await request(url, { dispatcher: agent });
        const text = await body.text();
        if (statusCode !== 200 || text !== 'hello') failures.push(`${statusCode} ${text}`);
        ++answered;
      } catch (error) {
        failures.push(`${error.code}: ${error.message}`);
      }
      if (pause) await sleep(pause);
    }
  });
  try {
    await work();
  } finally {
    going = false;
    await Promise.all(loops);
    await agent.close();
  }
  expect(answered).toBeGreaterThan(least);
  return failures;
}
