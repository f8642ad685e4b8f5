// SPDX-License-Identifier: MIT
import { Agent, request } from 'undici';
import { expect } from 'vitest';

/** 32 connections that ask for `url`, which says hello, without a pause while `work` goes on; what went wrong is returned. */
export async function underLoad(url, work) {
  const agent = new Agent({ connections: 32, pipelining: 1 });
  const failures = [];
  let answered = 0;
  let going = true;
  const loops = Array.from({ length: 32 }, async () => {
    while (going) {
      try {
        const { statusCode, body } = await request(url, { dispatcher: agent });
        const text = await body.text();
        if (statusCode !== 200 || text !== 'hello') failures.push(`${statusCode} ${text}`);
        ++answered;
      } catch (error) {
        failures.push(`${error.code}: ${error.message}`);
      }
    }
  });
  try {
    await work();
  } finally {
    going = false;
    await Promise.all(loops);
    await agent.close();
  }
  expect(answered).toBeGreaterThan(100);
  return failures;
}
