// SPDX-License-Identifier: MIT
// One upstream behind one gateway, the scene most dialogues play in.
import { afterAll, afterEach, expect } from 'vitest';
import { startGateway } from './gateway.mjs';
import { leaveAll } from './raw.mjs';
import { startUpstream } from './upstream.mjs';

/**
 * Starts an upstream and a gateway that forwards everything to it. Call at the top of a file; what the
 * upstream does is `scene.script`, set by each test. The connection of the upstream must never have
 * carried anything but strict HTTP/1.1.
 */
export async function setScene(config = {}, options) {
  const scene = {};
  scene.upstream = await startUpstream((exchange, upstream) => scene.script(exchange, upstream));
  scene.gateway = await startGateway(
    {
      ...config,
      services: { backend: { ...scene.upstream.service, ...config.service }, ...config.services },
      service: undefined,
      routes: config.routes ?? [{ name: 'everything', prefix: '/', service: 'backend' }],
    },
    options,
  );
  scene.port = scene.gateway.port;
  afterEach(() => {
    leaveAll();
    scene.upstream.onConnection = null;
    expect(scene.upstream.violations.splice(0)).toEqual([]);
    expect(scene.gateway.alive).toBe(true);
  });
  afterAll(async () => {
    await scene.gateway.stop();
    await scene.upstream.stop();
    expect(scene.gateway.stderr).toBe('');
  });
  return scene;
}
