// SPDX-License-Identifier: MIT
// The network between the gateway and one of two instances is cut: packets vanish, and nobody says so.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import net from 'node:net';
import { freePort, startGateway } from './support/gateway.mjs';
import { Instance, stopInstances } from './support/instance.mjs';
import { describeWithLink, Link } from './support/link.mjs';
import { sleep, until, within } from './support/wait.mjs';

const link = new Link();
let near, far; // instances, the far one beyond the link
let gateway;

async function gatewayOf(service = {}) {
  gateway = await startGateway({
    services: {
      users: {
        endpoints: [near.endpoint, far.endpoint],
        connect_timeout: '200ms',
        retry: { per_try_timeout: '300ms' },
        outlier_detection: { base_ejection_time: '500ms' },
        ...service,
      },
    },
    routes: [{ name: 'users', prefix: '/users', service: 'users' }],
  });
  return gateway;
}

async function ask(options) {
  const answer = await within(3_000, fetch(`${gateway.url}/users/7`, options), 'a request');
  await answer.text();
  return { status: answer.status, instance: answer.headers.get('x-instance') };
}

/** Who answered `count` requests, all of them well. */
async function whoAnswers(count, options) {
  const seen = new Set();
  for (let i = 0; i < count; ++i) {
    const { status, instance } = await ask(options);
    expect(status).toBe(200);
    seen.add(instance);
  }
  return [...seen].sort();
}

const bothAnswer = () => until(async () => (await whoAnswers(4)).length === 2, 'both answer', 15_000);
const event = (type) => gateway.log.find((line) => line.logger === 'events' && line.message === type);

/** What becomes of a connection to the far instance: "connected", an error's code, or "silence". */
function knock() {
  const socket = net.connect(far.port, far.host);
  const outcome = new Promise((resolve) => {
    socket.once('connect', () => resolve('connected'));
    socket.once('error', (error) => resolve(error.code));
  });
  return within(300, outcome).catch(() => 'silence').finally(() => socket.destroy());
}

describeWithLink('a network that is cut', () => {
  beforeAll(async () => {
    link.lay();
    near = await new Instance('near', await freePort()).start();
    far = await new Instance('far', 8080, { host: link.address, namespace: link.namespace }).start();
    await until(async () => (await knock()) === 'connected', 'the far instance is reached');
  });
  afterEach(async () => {
    link.mend();
    await gateway?.stop();
  });
  afterAll(async () => {
    try {
      await stopInstances([near, far].filter(Boolean));
    } finally {
      link.remove();
    }
  });

  test('is silent, as this file wants it', async () => {
    expect(await knock()).toBe('connected');
    link.cut();
    expect(await knock()).toBe('silence');
    link.mend();
    await until(async () => (await knock()) === 'connected', 'it is reached again');
  });

  test('while connections are open: requests go on being answered, and it gets traffic again afterwards', async () => {
    await gatewayOf();
    expect(await whoAnswers(4)).toEqual(['far', 'near']);
    link.cut();
    expect(await whoAnswers(16)).toEqual(['near']);
    link.mend();
    await bothAnswer();
  });

  test('while many ask at once: nobody gets an error', async () => {
    await gatewayOf({ outlier_detection: {}, retry: { per_try_timeout: '1s' } });
    const answers = [];
    let going = true;
    const clients = Array.from({ length: 8 }, async () => {
      for (; going; await sleep(20)) answers.push(await ask());
    });
    try {
      await until(() => answers.length > 100, 'enough traffic for a few retries', 10_000);
      link.cut();
      const before = answers.length;
      await until(() => event('endpoint.ejected') && answers.length > before + 100, 'it is left out', 10_000);
    } finally {
      going = false;
      await Promise.all(clients);
    }
    expect(answers.filter((each) => each.status !== 200)).toEqual([]);
    expect(new Set(answers.slice(0, 100).map((each) => each.instance))).toContain('far');
  });

  test('before there is a connection: what must not be repeated is answered, too, for nobody has seen it', async () => {
    link.cut();
    await gatewayOf();
    expect(await whoAnswers(6, { method: 'POST', body: 'once' })).toEqual(['near']);
  });

  test('between the gateway and its health checks: no traffic until they are answered again', async () => {
    await gatewayOf({ health_check: { path: '/health', interval: '200ms', timeout: '200ms', unhealthy_threshold: 2 } });
    await bothAnswer();
    link.cut();
    await until(() => event('endpoint.unhealthy'), 'it is found ill');
    const before = gateway.log.length;
    expect(await whoAnswers(6)).toEqual(['near']);
    expect(gateway.log.slice(before).filter((line) => line.message === 'endpoint.ejected')).toEqual([]);
    link.mend();
    await until(() => event('endpoint.healthy'), 'it is found well', 10_000);
    await bothAnswer();
  });
});
