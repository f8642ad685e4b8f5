// SPDX-License-Identifier: MIT
// SUOKE_BIN names the gateway under test; without it the release build's is taken.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const release = fileURLToPath(new URL('../../build/release/bin/suoke-gateway', import.meta.url));

export default defineConfig({
  test: {
    include: ['**/*.test.mjs'],
    env: { SUOKE_BIN: process.env.SUOKE_BIN || release },
    // Every file starts gateways and upstreams of its own: on two cores a third one only slows both.
    pool: 'forks',
    maxWorkers: 2,
    minWorkers: 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    passWithNoTests: true,
  },
});
