// SPDX-License-Identifier: MIT
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition and returns what it was satisfied with. */
export async function until(condition, what = 'the condition', patience = 10_000) {
  for (const deadline = Date.now() + patience; ; await sleep(5)) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`Waited ${patience} ms in vain: ${what}`);
  }
}

/** The value of a promise that must not take longer than `milliseconds`. */
export function within(milliseconds, promise, what = 'this') {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export { sleep };
