// SPDX-License-Identifier: MIT
// Four gateways, one Redis, one limit. What they let through together is held against the limit itself over the time that
// really passed, so a slow machine proves less and fails nothing.
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { configured, Gateway } from './support/gateway.mjs';
import { describeWith } from './support/programs.mjs';
import { removeAllRedis, startRedis } from './support/redis.mjs';
import { sleep, until } from './support/wait.mjs';

const RATE = 400; // a second, and as many at once
const PER_MINUTE = 100;
const GATEWAYS = 4;
const PATIENCE = 60_000;

let redis;
let gateways = [];

// ---- the stage

const limits = (more) => ({
  routes: [
    { name: 'fast', prefix: '/fast', respond: { body: 'hello' }, rate_limit: `${RATE}/second` },
    { name: 'slow', prefix: '/slow', respond: { body: 'hello' }, rate_limit: `${PER_MINUTE}/minute` },
  ],
  logging: { access: false },
  // Its own Redis: nothing but limits is told to it. Every client is on 127.0.0.1, so a header tells them apart.
  rate_limit: { storage_url: `redis://${redis.address}`, by: 'header', header_name: 'X-Client' },
  ...more,
});

const said = (gateway, type, since = 0) => gateway.log.slice(since).some((line) => line.logger === 'events' && line.message === type);
const allSay = (type, marks = []) =>
  until(() => gateways.every((gateway, i) => said(gateway, type, marks[i])), `all say ${type}`, PATIENCE);
const marks = () => gateways.map((gateway) => gateway.log.length);

// What Redis did so far: `greets` (each gateway once a second), and all that gateways sent to it. What a script calls in
// there is counted beside it, but costs no way to Redis.
const WITHIN = ['time', 'get', 'set', 'del', 'zadd', 'zremrangebyscore', 'zcard', 'info', 'ping'];
async function commands() {
  const counts = Object.fromEntries(
    [...(await redis.command('INFO', 'commandstats')).matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name, calls]) => [name, Number(calls)]),
  );
  const sent = Object.entries(counts).filter(([name]) => !WITHIN.includes(name)).reduce((sum, [, calls]) => sum + calls, 0);
  return { sent, greets: counts.zadd ?? 0 };
}

// All have greeted, and again since: so each knows how many they are.
async function allKnowEachOther() {
  await until(async () => (await redis.command('ZCARD', 'suoke:{limits}:gateways')) === GATEWAYS, 'all have greeted', PATIENCE);
  const { greets } = await commands();
  await until(async () => (await commands()).greets >= greets + 2 * GATEWAYS, 'and again', PATIENCE);
}

// ---- clients

/** One connection that asks for `path` as `client`; what it was answered is counted in `tally`, by status. */
class Asker {
  #rest = '';
  #left = 0;

  constructor(gateway, path, client, tally = {}) {
    this.request = `GET ${path} HTTP/1.1\r\nhost: api\r\nx-client: ${client}\r\n\r\n`;
    this.tally = tally;
    this.socket = net.connect(gateway.port, '127.0.0.1');
    this.socket.setNoDelay(true).setEncoding('latin1').on('data', (text) => this.#take(text));
    for (const end of ['error', 'close']) this.socket.once(end, () => this.failed?.(new Error('the gateway closed the connection')));
  }

  /** So many requests in one go; resolves with the last answer's head. */
  ask(count = 1) {
    this.#left = count;
    return new Promise((resolve, reject) => {
      [this.done, this.failed] = [resolve, reject];
      this.socket.write(this.request.repeat(count));
    });
  }

  #take(text) {
    this.#rest += text;
    for (let end; (end = this.#rest.indexOf('\r\n\r\n')) >= 0;) {
      const head = this.#rest.slice(0, end);
      const whole = end + 4 + Number(/content-length: (\d+)/i.exec(head)[1]);
      if (this.#rest.length < whole) return;
      this.#rest = this.#rest.slice(whole);
      const status = Number(head.slice(9, 12));
      this.tally[status] = (this.tally[status] ?? 0) + 1;
      if (--this.#left === 0) this.done(head);
    }
  }

  close() {
    this.failed = null;
    this.socket.destroy();
  }
}

const seconds = (since) => (performance.now() - since) / 1000;
const sum = (tallies, status) => tallies.reduce((all, tally) => all + (tally[status] ?? 0), 0);
const asked = (tallies) => tallies.reduce((all, tally) => all + Object.values(tally).reduce((a, b) => a + b, 0), 0);

/** Two connections to each gateway ask more than the limit allows while `work` goes on, which is given the tally of each gateway. */
async function whileAsking(path, client, work) {
  const tallies = gateways.map(() => ({}));
  const askers = gateways.flatMap((gateway, i) => [0, 1].map(() => new Asker(gateway, path, client, tallies[i])));
  let going = true;
  const began = performance.now();
  const loops = askers.map(async (asker) => {
    for (; going; await sleep(20)) await asker.ask(20);
  });
  try {
    await Promise.race([work(tallies, began), Promise.all(loops)]); // a client only ends early when it fails
  } finally {
    going = false;
    await Promise.allSettled(loops);
    for (const asker of askers) asker.close();
  }
  await Promise.all(loops);
  return tallies;
}

// Resolves when each gateway has refused somebody since: nothing is left that a machine with other things to do had not come
// to ask for. One so slow that nobody is ever refused has waited enough.
function usedUp(tallies) {
  const before = tallies.map((tally) => tally[429] ?? 0);
  return until(() => tallies.every((tally, i) => (tally[429] ?? 0) > before[i]), 'all refuse', 3_000).catch(() => {});
}

/** What happened in the next `length` seconds, or in as many as it takes for each gateway to have been asked enough. */
async function measured(tallies, length = 4) {
  await usedUp(tallies);
  const before = { at: performance.now(), granted: sum(tallies, 200), asked: asked(tallies), sent: (await commands().catch(() => ({}))).sent };
  const each = tallies.map((tally) => asked([tally]));
  await until(() => seconds(before.at) > length && tallies.every((tally, i) => asked([tally]) - each[i] > 100), 'they were asked', PATIENCE);
  await usedUp(tallies);
  const { sent } = await commands().catch(() => ({}));
  const took = seconds(before.at);
  const usable = tallies.reduce((all, tally, i) => all + Math.min((RATE / GATEWAYS) * took, asked([tally]) - each[i]), 0);
  return { granted: sum(tallies, 200) - before.granted, asked: asked(tallies) - before.asked, sent: sent - before.sent, seconds: took, usable };
}

/** At least 95 % of the limit, or of what was asked where the machine did not come so far, of one gateway or all. */
const expectEnough = (seen) => expect(seen.granted).toBeGreaterThanOrEqual(0.95 * seen.usable - RATE / 50);
/** Over all the time since the first request: the rate and one burst, and 1 % of them. */
const expectNoMore = (tallies, began) => expect(sum(tallies, 200)).toBeLessThanOrEqual(1.01 * (RATE * seconds(began) + RATE));

// ---- the tests

describeWith('redis-server', () => {
  vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

  beforeAll(async () => {
    redis = await startRedis();
    for (let i = 0; i < GATEWAYS; ++i) gateways.push(await new Gateway(await configured(limits())).ready());
    await allKnowEachOther();
  });
  afterAll(async () => {
    await Promise.all(gateways.map((each) => each.stop()));
    await removeAllRedis();
  });

  describe('four gateways under one limit', () => {
    test('together let through what it says, and ask Redis rarely', async () => {
      const tallies = await whileAsking('/fast', 'steady', async (all, began) => {
        await measured(all, 1);
        const seen = await measured(all, 4);
        expectNoMore(all, began);
        expectEnough(seen);
        // A key that is short of its share is told 20 times a second at most, by each.
        expect(seen.sent).toBeLessThanOrEqual(GATEWAYS * 22 * (seen.seconds + 1));
        if (seen.asked > 1_500 * seen.seconds) expect(seen.sent).toBeLessThanOrEqual(0.05 * seen.asked);
      });
      expect(Object.keys(Object.assign({}, ...tallies)).sort()).toEqual(['200', '429']);
    });

    test('count to the same hundred a minute, also when they are asked by turns', async () => {
      const askers = gateways.map((gateway) => new Asker(gateway, '/slow', 'exact'));
      const began = performance.now();
      for (let i = 0; i < 60; ++i) for (const asker of askers) await asker.ask();
      const granted = sum(askers.map(({ tally }) => tally), 200);
      expect(granted).toBeGreaterThanOrEqual(0.95 * PER_MINUTE);
      expect(granted).toBeLessThanOrEqual(PER_MINUTE + (PER_MINUTE / 60) * seconds(began) + 1);
      for (const asker of askers) asker.close();
    });

    test('give a client of one gateway the whole limit, and the next gateway little more', async () => {
      const [first, ...others] = gateways.map((gateway) => new Asker(gateway, '/slow', 'moving'));
      const began = performance.now();
      for (let left = 1_000; left > 0 && (first.tally[200] ?? 0) < 0.95 * PER_MINUTE; --left) {
        await first.ask();
        await sleep(5);
      }
      expect(first.tally[200]).toBeGreaterThanOrEqual(0.95 * PER_MINUTE);
      for (let i = 0; i < 30; ++i) for (const asker of others) await asker.ask();
      const granted = sum([first, ...others].map(({ tally }) => tally), 200);
      const late = (PER_MINUTE * (GATEWAYS - 1)) / GATEWAYS; // what the guide says
      expect(granted).toBeLessThanOrEqual(PER_MINUTE + late + (PER_MINUTE / 60) * seconds(began) + 1);
      for (const asker of [first, ...others]) asker.close();
    });

    test('say when to come again, and that is true', async () => {
      const asker = new Asker(gateways[0], '/slow', 'patient');
      let head = '';
      for (let left = 300; left > 0 && !head.startsWith('HTTP/1.1 429'); --left) head = await asker.ask(5);
      const wait = Number(/retry-after: (\d+)/i.exec(head)[1]);
      expect(wait).toBeGreaterThanOrEqual(1);
      expect(wait).toBeLessThanOrEqual(60);
      await sleep(wait * 1000);
      expect(await asker.ask()).toMatch(/^HTTP\/1.1 200/);
      asker.close();
    });

    test('tell Redis nothing of clients that use little', async () => {
      const known = await redis.command('KEYS', '*'); // of the tests before
      const tally = {};
      for (let i = 0; i < 50; ++i) {
        for (const gateway of gateways) {
          const asker = new Asker(gateway, '/slow', `rare-${i}`, tally);
          await asker.ask();
          asker.close();
        }
      }
      expect(tally).toEqual({ 200: 200 });
      expect((await redis.command('KEYS', '*')).filter((key) => !known.includes(key))).toEqual([]);
    });
  });

  describe('Redis killed under load', () => {
    test('nobody fails, nobody bursts: not without it, not when it is back, not over a reload', async () => {
      const tallies = await whileAsking('/fast', 'robbed', async (all, began) => {
        await measured(all, 2);
        let since = marks();
        await redis.kill();
        await allSay('limits.alone', since);
        expectEnough(await measured(all, 13)); // until what a gateway holds is no longer its own without a word
        expectNoMore(all, began);
        for (const gateway of gateways) {
          const { status, checks } = await (await fetch(`${gateway.url}/health`)).json();
          expect([status, checks.find(({ name }) => name === 'rate_limit')?.status]).toEqual(['degraded', 'degraded']);
        }

        since = marks();
        await redis.start();
        await allSay('limits.shared', since);
        await measured(all, 14); // all are back, and what was free is lent again
        expectNoMore(all, began);
        expectEnough(await measured(all));
        expectNoMore(all, began);

        since = marks();
        for (const gateway of gateways) {
          gateway.write({ ...gateway.config, rate_limit: { ...gateway.config.rate_limit, headers: false } });
          gateway.signal('SIGHUP');
        }
        await until(() => gateways.every((gateway, i) => gateway.logged('configuration applied', since[i])), 'all have applied it', PATIENCE);
        expectEnough(await measured(all));
        expectNoMore(all, began);
      });
      expect(Object.keys(Object.assign({}, ...tallies)).sort()).toEqual(['200', '429']);
    });
  });
});
