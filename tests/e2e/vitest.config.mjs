// SPDX-License-Identifier: MIT
// SUOKE_BIN names the gateway under test, SUOKE_GRPC_SERVER the gRPC server behind it; without them the release
// build's are taken.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const release = (name) => fileURLToPath(new URL(`../../build/release/bin/${name}`, import.meta.url));

export default defineConfig({
  test: {
    include: ['**/*.test.mjs'],
    env: {
      SUOKE_BIN: process.env.SUOKE_BIN || release('suoke-gateway'),
      SUOKE_GRPC_SERVER: process.env.SUOKE_GRPC_SERVER || release('grpc_interop_server'),
    },
    // Every file starts gateways and upstreams of its own: on two cores a third one only slows both.
    pool: 'forks',
    maxWorkers: 2,
    minWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
});
