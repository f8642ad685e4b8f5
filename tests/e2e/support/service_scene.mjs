// SPDX-License-Identifier: MIT
// Some instances of one service, the same for all tests of a file and well at the beginning of each, and gateways that
// belong to a test. A gateway knows nothing yet of who failed: that is its own memory, not theirs.
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { Agent, request } from 'undici';
import { startGateway } from './gateway.mjs';
import { startInstances, stopInstances } from './instance.mjs';
import { sleep, until } from './wait.mjs';

export let instances = [];
let gateways = [];
export const PATIENCE = 100_000; // for what a test waits for and expects to come

/** To be called where the tests are described. */
export function serviceOf(...names) {
  // Statistics need their requests, and these five processes their time, also while the machine has little of it.
  vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
  beforeAll(async () => {
    instances = await startInstances(...names);
  });
  beforeEach(() => Promise.all(instances.map((each) => each.behave({}))));
  afterEach(async () => {
    await Promise.all(gateways.map((each) => each.stop()));
    gateways = [];
  });
  afterAll(() => stopInstances(instances));
}

export const named = (name) => instances.find((each) => each.name === name);
export const addressOf = (name) => `127.0.0.1:${named(name).port}`;
export const allBehave = (how) => Promise.all(instances.map((each) => each.behave(how)));

/** Of all instances, where `service.endpoints` does not say otherwise. */
export const configOf = ({ route, rest, ...service } = {}) => ({
  services: { users: { endpoints: instances.map((each) => each.endpoint), ...service } },
  routes: [{ name: 'users', prefix: '/users', service: 'users', ...route }],
  ...rest,
});

export async function gatewayOf(config) {
  const gateway = await startGateway(config);
  gateways.push(gateway);
  return gateway;
}

// ---- what is asked

export async function ask(gateway, options, path = '/users/7') {
  const { statusCode, headers, body } = await request(gateway.url + path, options);
  return { status: statusCode, instance: headers['x-instance'], headers, text: await body.text(), at: Date.now() };
}

/** One after the other. */
export async function asks(gateway, count, options) {
  const answers = [];
  while (answers.length < count) answers.push(await ask(gateway, options));
  return answers;
}

export const statuses = (answers) => [...new Set(answers.map((each) => each.status))].sort();
/** How many each of them answered. */
export const tally = (answers) => Object.fromEntries(instances.map(({ name }) => [name, answers.filter((each) => each.instance === name).length]));
export const whoAnswered = (answers) => [...new Set(answers.map((each) => each.instance))].filter(Boolean).sort();

/** So many connections ask while `work`, which is given the growing list of the answers, goes on. */
export async function whileAsking(gateway, work, { connections = 10, pause = 50 } = {}) {
  const agent = new Agent({ connections, pipelining: 1 });
  const answers = [];
  let going = true;
  const clients = Array.from({ length: connections }, async () => {
    for (; going; await sleep(pause)) answers.push(await ask(gateway, { dispatcher: agent }));
  });
  try {
    await Promise.race([work(answers), Promise.all(clients)]); // a client only ends early when it fails
  } finally {
    going = false;
    await Promise.all(clients);
    await agent.close();
  }
  return answers;
}

/** Resolves when so many more were answered. */
export const more = (answers, count, patience = PATIENCE) => {
  const enough = answers.length + count;
  return until(() => answers.length >= enough, `${count} more answers`, patience);
};

/** Resolves when so many more seconds of answers are there: the statistics were looked at as often, or once less. */
export function secondsOf(answers, seconds) {
  const first = answers.length;
  return until(() => answers.length > first && answers.at(-1).at - answers[first].at > seconds * 1_000, `answers of ${seconds} seconds`, PATIENCE);
}

// ---- what the gateway says

export const events = (gateway, type) => gateway.log.filter((line) => line.logger === 'events' && line.message === type);
export const event = (gateway, type, patience = PATIENCE) => until(() => events(gateway, type)[0], `it says ${type}`, patience);

/** A number of the service's, as /metrics has it. The page is long: whoever waits for it leaves some time between two looks. */
export async function metric(gateway, name) {
  const { text } = await ask(gateway, {}, '/metrics');
  return Number(new RegExp(`^suoke_gateway_service_${name}{service="users"} (.*)$`, 'm').exec(text)[1]);
}
export const untilMetric = (gateway, name, satisfies, patience = PATIENCE) =>
  until(async () => {
    await sleep(100);
    return satisfies(await metric(gateway, name));
  }, `${name} is as it should be`, patience);
