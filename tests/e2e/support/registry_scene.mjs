// SPDX-License-Identifier: MIT
// Three gateways that share one Redis, the same for all tests of a file; or those that a test starts. Each test has a
// service of its own, so that nothing is left to the next.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { configured, Gateway } from './gateway.mjs';
import { startInstances, stopInstances } from './instance.mjs';
import { underLoad } from './load.mjs';
import { removeAllRedis, startRedis } from './redis.mjs';
import { sleep, until } from './wait.mjs';

const TOKEN = 'a-token-for-tests-only-0123456789';
export const RECORDS = 'suoke:{registry}:records';
export const REVISION = 'suoke:{registry}:revision';

export let redis;
export let all = [];
export let here, there, yonder; // which are all
export let instances = [];
export let service; // of this test
let counter = 0;
let more = []; // gateways that a single test started besides

// ---- the stage

/** `redis`: one that was started, or what a configuration says of it. */
function gatewayAt(redis, rest) {
  return configured({ registry: { admin_token: TOKEN }, redis: redis.config ?? redis, ...rest }).then((config) => new Gateway(config).ready());
}

export async function alsoGatewayAt(redis, rest) {
  const gateway = await gatewayAt(redis, rest);
  more.push(gateway);
  return gateway;
}

/** Starts instances; they belong to the test. */
export async function running(...names) {
  instances = await startInstances(...names);
  return instances;
}

// ---- what is said to a gateway

async function tell(gateway, method, path, body) {
  const answer = await fetch(gateway.url + path, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, json: text ? JSON.parse(text) : null };
}

export const register = (gateway, id, port, rest) =>
  tell(gateway, 'POST', '/services/register', { id, name: service, host: '127.0.0.1', port, ttl: 0, ...rest });
export const heartbeat = (gateway, id) => tell(gateway, 'PUT', `/services/${service}/instances/${id}/heartbeat`);
export const drain = (gateway, id) => tell(gateway, 'POST', `/services/${service}/instances/${id}/drain`);
export const deregister = (gateway, id) => tell(gateway, 'DELETE', `/services/${service}/instances/${id}`);

export async function registerAll(gateway, rest) {
  for (const each of instances) expect((await register(gateway, each.name, each.port, rest)).status).toBe(201);
}

/** Heartbeats for `milliseconds`, each of which is answered well. */
export async function beats(gateway, id, milliseconds) {
  for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(200)) expect((await heartbeat(gateway, id)).status).toBe(200);
}

export const urlAt = (gateway) => `${gateway.url}/api/v1/gateway/${service}/7`;

export async function ask(gateway) {
  const answer = await fetch(urlAt(gateway));
  return { status: answer.status, instance: answer.headers.get('x-instance'), text: await answer.text() };
}

// ---- what the gateways know

/** Traffic to all of them while `work` goes on; resolves with what went wrong. */
export const loaded = (gateways, work) => underLoad(gateways.map(urlAt), work, { connections: 6, pause: 10, least: 5 });

/** "a:7001 b:7002": the instances a gateway knows. */
export async function knownAt(gateway) {
  const { json } = await tell(gateway, 'GET', `/services/${service}`);
  const known = json?.health?.instances ?? [];
  return known.map((each) => `${each.id}:${each.port}${each.draining ? ' drained' : ''}`).sort().join(' ');
}
export const views = (gateways = all) => Promise.all(gateways.map(knownAt));
export const same = (view, gateways = all) => gateways.map(() => view);
export const list = () => instances.map((each) => `${each.name}:${each.port}`).sort().join(' ');

/** Resolves when all of them know exactly this. */
export async function allKnow(wanted, patience = 1_000, gateways = all) {
  let seen;
  await until(async () => (seen = await views(gateways)).every((each) => each === wanted), 'one view', patience).catch(() => {});
  expect(seen).toEqual(same(wanted, gateways));
}

export const redisCheck = async (gateway) =>
  (await (await fetch(`${gateway.url}/health`)).json()).checks.find((check) => check.name === 'redis').status;

/** Resolves when the check "redis" of all of them is so. */
export const allSay = (status, gateways = all) =>
  until(async () => (await Promise.all(gateways.map(redisCheck))).every((each) => each === status), `Redis is ${status}`, 15_000);

/** The events of this test's service, or of none. */
export const events = (gateway, type, since = 0) =>
  gateway.log.slice(since).filter((each) => each.logger === 'events' && each.message === type && (each.service ?? service) === service);

/** Asks later whether all of these gateways have said something since now. */
export function fromNowOn(gateways = all) {
  const marks = gateways.map((gateway) => gateway.log.length);
  const said = (type) => gateways.every((gateway, i) => events(gateway, type, marks[i]).length > 0);
  return (type) => until(() => said(type), `all say ${type}`, 15_000);
}

export async function killRedis({ saved = false } = {}) {
  if (saved) await redis.command('SAVE');
  const allTold = fromNowOn();
  await redis.kill();
  await allTold('registry.alone');
}

export async function startRedisAgain() {
  const allTold = fromNowOn();
  await redis.start();
  await allTold('registry.current');
}

// ---- the hooks

/** To be called where the tests are described that start their gateways themselves. */
export function gatewaysOfEachTest() {
  beforeEach(() => {
    service = `users-${++counter}`;
  });
  afterEach(async () => {
    await stopInstances(instances);
    await Promise.all(more.map((each) => each.stop()));
    [instances, more] = [[], []];
  });
  afterAll(removeAllRedis);
}

/** To be called where the tests are described that share three gateways. */
export function threeGateways() {
  gatewaysOfEachTest();
  beforeAll(async () => {
    redis = await startRedis();
    all = await Promise.all([gatewayAt(redis), gatewayAt(redis), gatewayAt(redis)]);
    [here, there, yonder] = all;
    await until(() => all.every((each) => each.logged('ready')), 'all have read the registry', 20_000);
  });
  afterEach(async () => {
    for (const gateway of all) gateway.signal('SIGCONT');
    redis.resume();
    if (redis.alive) await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    else await startRedisAgain();
  });
  afterAll(() => Promise.all(all.map((each) => each.stop())));
}
