#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// What clients notice of services that come, go and fail, and what it costs. Real processes on loopback: the gateway,
// three instances of a service, a Redis server, h2load as the clients.
//
//   node bench/services.mjs                        # everything, about two minutes
//   node bench/services.mjs kill deploy            # some of: kill deploy redis amplification seen memory
//   SUOKE_BIN=build/release/bin/suoke-gateway node bench/services.mjs

import { execFile, fork, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FILE = fileURLToPath(import.meta.url);
const BIN = process.env.SUOKE_BIN ?? path.join(path.dirname(FILE), '../build/release/bin/suoke-gateway');
const TOKEN = 'a-token-for-measuring-only-01';

// ---- the stage

async function freePort() {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

async function start(name, port, status = 200) {
    const child = fork(FILE, ['--instance', name, String(port), String(status)], { stdio: 'inherit' });
    await new Promise((resolve) => child.once('message', resolve));
    return { name, port, child, end: (signal) => new Promise((resolve) => child.once('exit', resolve) && child.kill(signal)) };
}

async function gatewayOf(config) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'suoke-services-'));
    const port = await freePort();
    const file = path.join(dir, 'suoke.yaml');
    fs.writeFileSync(file, JSON.stringify({ server: { host: '127.0.0.1', port, workers: 1 }, logging: { access: false }, store: { path: '' }, ...config }));
    const child = spawn(BIN, ['serve', '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let log = '';
    child.stdout.on('data', (text) => (log += text));
    while (!log.includes('"listening"')) await sleep(5);
    return { port, child, config: file, log: () => log, end: () => new Promise((resolve) => child.once('exit', resolve) && child.kill('SIGKILL')) };
}

async function ask(port, method, target, body) {
    const answer = await fetch(`http://127.0.0.1:${port}${target}`, {
        method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    });
    return { status: answer.status, text: await answer.text() };
}

/** 32 clients, `rate` requests a second in all; resolves with what h2load counted. */
async function load(port, rate, secondsLong) {
    const { stdout } = await promisify(execFile)('h2load', ['--h1', '-c', '32', '-m', '1', '-D', String(secondsLong), `--rps=${Math.ceil(rate / 32)}`, `http://127.0.0.1:${port}/users/7`]);
    const counts = /requests: \d+ total, (\d+) started, (\d+) done, \d+ succeeded, (\d+) failed/.exec(stdout);
    const codes = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(stdout);
    return { started: Number(counts[1]), done: Number(counts[2]), failed: Number(counts[3]) + Number(codes[3]) + Number(codes[4]) };
}

const say = (what, figure, goal) => console.log(`${what.padEnd(64)} ${String(figure).padStart(14)}   goal ${goal}`);
const endpoints = (all) => all.map((each) => ({ host: '127.0.0.1', port: each.port }));
const three = async (status) => [await start('one', await freePort(), status), await start('two', await freePort(), status), await start('three', await freePort(), status)];
const users = (all) => ({ services: { users: { endpoints: endpoints(all) } }, routes: [{ prefix: '/users', service: 'users' }] });
const registry = (more = {}) => ({ registry: { admin_token: TOKEN }, routes: [{ prefix: '/users', service: 'users' }], ...more });
const register = (gateway, each, more = {}) =>
    ask(gateway.port, 'POST', '/services/register', { id: each.name, name: 'users', host: '127.0.0.1', port: each.port, ttl: 0, ...more });
const endAll = (...all) => Promise.all(all.flat().map((each) => each.child.exitCode === null && each.child.signalCode === null ? each.end('SIGKILL') : null));

async function startRedis(port, dir) {
    const child = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no', '--dir', dir, '--bind', '127.0.0.1'], { stdio: 'ignore' });
    for (let up = false; !up; await sleep(10))
        up = await new Promise((resolve) => net.connect(port, '127.0.0.1').once('connect', function () { this.destroy(); resolve(true); }).once('error', () => resolve(false)));
    return { child, end: (signal) => new Promise((resolve) => child.once('exit', resolve) && child.kill(signal)) };
}

// ---- what is measured

const measures = {
    async kill() {
        const all = await three();
        const gateway = await gatewayOf(users(all));
        const loaded = load(gateway.port, 5_000, 8);
        await sleep(3_000);
        await all[1].end('SIGKILL');
        const { done, failed } = await loaded;
        say(`kill -9 of 1 of 3 at 5,000 req/s: failed of ${done}`, failed, '0');
        const refused = (gateway.log().match(/endpoint.ejected/g) ?? []).length;
        say('  requests that met the dead one before it was left out', refused, '<= 1');
        const back = await start('two', all[1].port);
        const since = Date.now();
        while (!gateway.log().includes('endpoint.recovered')) await sleep(5);
        say('  back in traffic after its return', `${Date.now() - since} ms`, '<= 1 interval (1 s)');
        await endAll(gateway, all, back);
    },

    async deploy() {
        const all = await three();
        const gateway = await gatewayOf(registry());
        for (const each of all) await register(gateway, each);
        const loaded = load(gateway.port, 3_000, 10);
        await sleep(1_000);
        const fresh = [];
        for (const old of all) {
            fresh.push(await start(`new-${old.name}`, await freePort()));
            await register(gateway, fresh.at(-1));
            await ask(gateway.port, 'POST', `/services/users/instances/${old.name}/drain`);
            await sleep(500);
            await ask(gateway.port, 'DELETE', `/services/users/instances/${old.name}`);
            await old.end('SIGTERM');
        }
        const { done, failed } = await loaded;
        say(`rolling deployment of 3 under 3,000 req/s: failed of ${done}`, failed, '0');
        await endAll(gateway, all, fresh);
    },

    async redis() {
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'suoke-redis-'));
        const port = await freePort();
        let redis = await startRedis(port, dir);
        const all = await three();
        const gateway = await gatewayOf(registry({ redis: { host: '127.0.0.1', port } }));
        for (const each of all) await register(gateway, each);
        const loaded = load(gateway.port, 3_000, 8);
        await sleep(2_000);
        await redis.end('SIGKILL');
        await sleep(2_000);
        redis = await startRedis(port, dir);
        const { done, failed } = await loaded;
        say(`Redis killed and restarted (empty) under load: failed of ${done}`, failed, '0');
        const listed = JSON.parse((await ask(gateway.port, 'GET', '/services/users')).text);
        say('  instances still known', listed.total_instances, '3');
        await endAll(gateway, all, redis);
    },

    async amplification() {
        const all = await three(503);
        const gateway = await gatewayOf({ ...users(all), outlier_detection: { enabled: false } });
        const { started } = await load(gateway.port, 2_000, 6);
        let asked = 0;
        for (const each of all) asked += Number((await ask(each.port, 'GET', '/count')).text);
        say('a whole service fails: attempts per request', (asked / started).toFixed(3), '<= 1.2');
        await endAll(gateway, all);
    },

    async seen() {
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'suoke-redis-'));
        const port = await freePort();
        const redis = await startRedis(port, dir);
        const here = await gatewayOf(registry({ redis: { host: '127.0.0.1', port } }));
        const there = await gatewayOf(registry({ redis: { host: '127.0.0.1', port } }));
        const times = [];
        for (let i = 0; i < 300; ++i) {
            const name = `i${i}`;
            await register(here, { name, port: 20_000 + i });
            const since = process.hrtime.bigint();
            while (!(await ask(there.port, 'GET', '/services/users')).text.includes(`"id":"${name}"`));
            times.push(Number(process.hrtime.bigint() - since) / 1e6);
        }
        times.sort((a, b) => a - b);
        say('registration seen by another gateway over Redis, p50 / p99', `${times[150].toFixed(1)} / ${times[296].toFixed(1)} ms`, '<= 100 ms p99');
        await endAll(here, there, redis);
    },

    async memory() {
        const few = await gatewayOf({ services: { users: { endpoints: [{ host: '127.0.0.1', port: 9 }] } }, routes: [{ prefix: '/users', service: 'users' }] });
        const services = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`s${i}`, {
            endpoints: Array.from({ length: 10 }, (_, k) => ({ host: `10.${i >> 8}.${i & 255}.${k + 1}`, port: 80 })) }]));
        services.users = { endpoints: [{ host: '127.0.0.1', port: 9 }] };
        const many = await gatewayOf({ services, routes: [{ prefix: '/users', service: 'users' }] });
        await sleep(1_500);
        const rss = (gateway) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${gateway.child.pid}/status`, 'utf8'))[1]) / 1024;
        say('1,000 services x 10 instances: more memory', `${(rss(many) - rss(few)).toFixed(1)} MB`, '<= 20 MB');
        await endAll(few, many);
    },
};

async function main(wanted) {
    for (const name of wanted.length ? wanted : Object.keys(measures)) await measures[name]();
}

// ---- which of the two this process is: an instance of the service, or the one that measures

if (process.argv[2] === '--instance') {
    const [, , , name, port, status] = process.argv;
    let asked = 0;
    const server = http.createServer((request, response) => {
        if (request.url === '/count') return response.end(String(asked));
        ++asked;
        response.writeHead(Number(status), { 'x-instance': name, 'content-length': 2 });
        response.end('ok');
    });
    server.keepAliveTimeout = 60_000;
    server.listen(Number(port), '127.0.0.1', 4096, () => process.send('listening'));
    process.once('SIGTERM', () => {
        server.close(() => process.exit(0));
        server.closeIdleConnections?.();
    });
    process.once('disconnect', () => process.exit(0));
} else {
    await main(process.argv.slice(2));
    process.exit(0);
}
