#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// What one limit costs that several gateways share over Redis: commands a request, what is let through beyond the limit,
// and what it adds to a request's latency. Real processes on loopback: gateways that answer themselves, a Redis server,
// one bench_load for each gateway.
//
//   node bench/limits_redis.mjs                                # a minute and a half; needs redis-server and taskset
//   node bench/limits_redis.mjs --gateway build/release/bin/suoke-gateway --programs build/release/bin --rate 20000
//
// A short run says what the machine reaches; if that is less than --rate, four fifths of it are offered. The limit is
// nineteen twentieths of what is offered (bench_load opens a new connection after each answer that is no 200). Latency is
// measured afterwards, at a quarter of it. Rounds with Redis and rounds in which each gateway counts for itself (its part
// of the limit) take turns, so what disturbs the machine disturbs both.

import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { medianOf } from './harness/numbers.mjs';
import { sourceDir } from './harness/options.mjs';
import { Running, freePort, machineBusySeconds, untilAnswers } from './harness/processes.mjs';

const builds = path.join(sourceDir, 'build/release/bin');
const options = { gateway: path.join(builds, 'suoke-gateway'), programs: builds, rate: 20_000, seconds: 10, rounds: 2, gateways: 4 };
for (let i = 2; i < process.argv.length; i += 2) {
    const name = process.argv[i].replace(/^--/, '');
    if (!(name in options) || i + 1 >= process.argv.length) throw new Error(`--${name}: there are ${Object.keys(options).map((each) => `--${each} …`).join(', ')}`);
    options[name] = typeof options[name] === 'number' ? Number(process.argv[i + 1]) : process.argv[i + 1];
}

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'suoke-limits-'));
process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
setTimeout(() => process.exit(3), (options.rounds * 2 * (1.5 * options.seconds + 15) + 60) * 1000).unref();
const ALL = os.cpus().map((_, i) => i).join(',');
const sleep = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });

// ---- the stage

async function startRedis() {
    const port = await freePort();
    const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir];
    const running = new Running(['redis-server', ...words], { core: ALL, log: path.join(dir, 'redis') });
    while (!(await ask(port, 'PING')).startsWith('+PONG')) await sleep(0.02);
    return { port, running };
}

// One command, its answer as it came; nothing where nobody answers.
function ask(port, command) {
    return new Promise((resolve) => {
        let text = '';
        const socket = net.connect(port, '127.0.0.1', () => socket.write(`${command}\r\nQUIT\r\n`));
        socket.on('data', (piece) => { text += piece; });
        socket.on('error', () => {});
        socket.on('close', () => resolve(text));
    });
}

async function startGateways(count, limits) {
    const all = [];
    for (let i = 0; i < count; ++i) {
        const port = await freePort();
        const file = path.join(dir, `gateway-${port}.yaml`);
        fs.writeFileSync(file, JSON.stringify({
            server: { host: '127.0.0.1', port, workers: 1 }, logging: { access: false, level: 'error' }, store: { path: '' },
            rate_limit: { penalties: { enabled: false }, ...limits },
            routes: [{ name: 'json', prefix: '/json', respond: { body: 'x'.repeat(300) } }],
        }));
        const running = new Running([options.gateway, 'serve', '--config', file], { core: ALL, cwd: dir, log: path.join(dir, 'gateways') });
        await untilAnswers(running, port, '/health', 20);
        all.push({ port, running });
    }
    return all;
}

const stop = (all) => Promise.all(all.map(({ running }) => running.stop()));

/** One bench_load for each gateway, all at once; resolves with what they printed. */
function load(gateways, rate, seconds) {
    return Promise.all(gateways.map(async ({ port }) => {
        const words = ['--port', String(port), '--mode', 'rate', '--rate', String(rate / gateways.length), '--duration', String(seconds),
                       '--connections', '32', '--timeout', String(seconds + 5)];
        const running = new Running([path.join(options.programs, 'bench_load'), ...words], { core: ALL });
        let text = '';
        running.child.stdout.on('data', (piece) => { text += piece; });
        await running.ended;
        return JSON.parse(text);
    }));
}

// ---- what is measured

const sum = (reports, pick) => reports.reduce((all, report) => all + pick(report), 0);
const most = (reports, pick) => Math.max(...reports.map(pick));

// Granted and refused; what else failed makes a round worthless. The loads' own time, of which the longest is the least
// that passed: what is said of the limit is rather too much than too little.
function summed(reports, limit, burst) {
    const seconds = most(reports, (report) => report.seconds);
    const granted = sum(reports, (report) => report.requests), refused = sum(reports, (report) => report.failures.status);
    const errors = sum(reports, (report) => report.errors) - refused;
    if (errors > 0) throw new Error(`${errors} requests failed: ${JSON.stringify(reports.map((report) => report.failures))}`);
    return {
        seconds, granted, refused, perSecond: (granted + refused) / seconds,
        over: (100 * (granted - burst - limit * seconds)) / (limit * seconds),
    };
}

async function latency(gateways, offered) {
    const reports = await load(gateways, offered / 4, options.seconds / 2);
    const mean = (pick) => sum(reports, pick) / reports.length;
    return { p50: mean((report) => report.latency_us.p50), p99: mean((report) => report.latency_us.p99) };
}

async function reachable() {
    const gateways = await startGateways(options.gateways, { default_rate: '1000000000/second', storage: 'memory' });
    const reports = await load(gateways, options.rate, 3);
    await stop(gateways);
    return sum(reports, (report) => report.per_second);
}

async function alone(offered, limit, burst) {
    const count = options.gateways;
    const gateways = await startGateways(count, { default_rate: `${limit / count}/second`, burst_size: burst / count, storage: 'memory' });
    const seen = summed(await load(gateways, offered, options.seconds), limit, burst);
    Object.assign(seen, await latency(gateways, offered));
    await stop(gateways);
    return seen;
}

async function together(offered, limit, burst) {
    const redis = await startRedis();
    const gateways = await startGateways(options.gateways, { default_rate: `${limit}/second`, burst_size: burst, storage_url: `redis://127.0.0.1:${redis.port}` });
    while (!(await ask(redis.port, 'ZCARD suoke:{limits}:gateways')).startsWith(`:${options.gateways}`)) await sleep(0.1);
    await sleep(2.5);   // they greet once a second: now each knows how many they are
    await ask(redis.port, 'CONFIG RESETSTAT');
    const [busy, cpu] = [machineBusySeconds(), redis.running.cpu().seconds];
    const seen = summed(await load(gateways, offered, options.seconds), limit, burst);
    const calls = Object.fromEntries([...(await ask(redis.port, 'INFO commandstats')).matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g)].map(([, name, count]) => [name, Number(count)]));
    const scripts = (calls.evalsha ?? 0) + (calls.eval ?? 0);
    const all = Object.entries(calls).filter(([name]) => !/^(config|info|quit)/.test(name)).reduce((count, [, more]) => count + more, 0);
    const requests = seen.granted + seen.refused;
    Object.assign(seen, { sent: scripts / requests, all: all / requests, redisCpu: (redis.running.cpu().seconds - cpu) / seen.seconds,
                          cores: (machineBusySeconds() - busy) / seen.seconds });
    Object.assign(seen, await latency(gateways, offered));
    await stop([...gateways, redis]);
    return seen;
}

// ---- the story

const reached = await reachable();
const offered = Math.round(reached >= 0.95 * options.rate ? options.rate : 0.8 * reached);
const limit = Math.round((0.95 * offered) / options.gateways) * options.gateways, burst = Math.round(limit / 40) * 4;
console.log(`${options.gateways} gateways, ${os.cpus().length} cores: ${Math.round(reached)} req/s reached; ${offered} offered for ${options.seconds} s, limit ${limit}/s, burst ${burst}`);
const rounds = { alone: [], together: [] };
for (let i = 0; i < options.rounds; ++i) {
    rounds.alone.push(await alone(offered, limit, burst));
    rounds.together.push(await together(offered, limit, burst));
}
const say = (what, figure, goal = '') => console.log(`${what.padEnd(64)} ${String(figure).padStart(14)}   ${goal}`);
const of = (kind, pick, digits = 0) => medianOf(rounds[kind], pick).toFixed(digits);
say('requests a second, with Redis', of('together', (r) => r.perSecond));
say('  of them refused', `${of('together', (r) => (100 * r.refused) / (r.granted + r.refused), 1)} %`);
say('commands a request, sent to Redis', of('together', (r) => r.sent, 4), 'goal <= 0.05');
say('  with those its scripts call', of('together', (r) => r.all, 4));
say('  cores Redis used', of('together', (r) => r.redisCpu, 3));
say('let through beyond rate x time + burst, of the limit', `${of('together', (r) => r.over, 2)} %`, 'goal <= 1 %');
say('  the same, each gateway with its part', `${of('alone', (r) => r.over, 2)} %`);
say('latency p50 at a quarter of that, with Redis / alone', `${of('together', (r) => r.p50)} / ${of('alone', (r) => r.p50)} us`);
say('latency p99', `${of('together', (r) => r.p99)} / ${of('alone', (r) => r.p99)} us`);
say('cores the machine was busy with meanwhile', of('together', (r) => r.cores, 2));
