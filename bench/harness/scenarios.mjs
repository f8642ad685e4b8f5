// SPDX-License-Identifier: MIT
// What is measured. Each scenario gives { title, rows } where a row is one proxy's rounds.

import fs from 'node:fs';
import path from 'node:path';

import { firstLine, overTls, restOfOutput } from './bench.mjs';
import { exchangeOf, wrongWith } from './http2.mjs';
import { medianOf } from './numbers.mjs';
import { authorizationOf } from './tokens.mjs';
import { Proxy, canReload, canSpeakTo, variantsOf } from './proxies.mjs';
import { Running, freePort, machineBusySeconds, untilAnswers } from './processes.mjs';

const MiB = 1 << 20;

// CPU per request: a fixed number of requests, as fast as they are answered.
const closed = {
    'json': { path: '/json', expect: 300, connections: 64, requests: 200_000,
              title: '300-byte JSON answer' },
    '64k': { path: '/bytes/65536', expect: 65_536, connections: 16, requests: 40_000, variants: 'bulk',
             title: '64 KiB answer' },
    '1m': { path: '/bytes/1048576', expect: MiB, connections: 16, requests: 4_000, variants: 'bulk',
            title: '1 MiB answer' },
    'upload-1m': { path: '/sink', body: MiB, expect: 7, connections: 16, requests: 4_000, variants: 'bulk',
                   title: '1 MiB upload, small answer' },
    'tls': { tool: 'h2load', h1: true, path: '/json', connections: 64, requests: 100_000,
             title: '300-byte JSON answer, HTTP/1.1 over TLS 1.3' },
    'h2': { tool: 'h2load', path: '/json', connections: 4, streams: 16, requests: 200_000,
            title: '300-byte JSON answer, HTTP/2 over TLS 1.3, 16 streams each' },
    'h2h2': { tool: 'h2load', upstream: 'h2', connections: 4, streams: 16, requests: 200_000,
              title: '300-byte JSON answer, HTTP/2 over TLS 1.3, 16 streams each, HTTP/2 to the origin' },
    'grpc': { tool: 'h2load', upstream: 'grpc', connections: 4, streams: 16, requests: 100_000,
              title: 'unary gRPC, HTTP/2 over TLS 1.3, 16 streams each, HTTP/2 to the origin' },
    'tls-full': { tls: 'full', path: '/json', expect: 300, connections: 16, requests: 10_000, variants: 'tls',
                  title: 'new TLS 1.3 connections, full handshakes, one 300-byte JSON answer each' },
    'tls-resumed': { tls: 'resumed', path: '/json', expect: 300, connections: 16, requests: 20_000, variants: 'tls',
                     title: 'new TLS 1.3 connections, resumed by ticket, one 300-byte JSON answer each' },
    'pipeline': { path: '/json', expect: 300, connections: 64, requests: 100_000, kind: 'policies', mark: 'suoke+full+rs256',
                  names: ['suoke', 'suoke+full+rs256', 'suoke+full+hs256', 'nginx+full', 'haproxy+full+hs256', 'haproxy+full+rs256'],
                  title: '300-byte JSON answer with token, rate limit, access log and security headers (nginx knows no tokens)' },
    'cache-300': { path: '/fresh/300', expect: 300, connections: 64, requests: 200_000, kind: 'policies', mark: 'suoke+cache',
                   names: ['suoke+cache', 'nginx+cache', 'haproxy+cache'], title: '300 bytes from the cache' },
    'cache-64k': { path: '/fresh/65536', expect: 65_536, connections: 16, requests: 40_000, kind: 'policies', mark: 'suoke+cache',
                   names: ['suoke+cache', 'nginx+cache', 'haproxy+cache'], title: '64 KiB from the cache' },
};

const special = { idle, p99, reload, rss, instr };

export const scenarioNames = [...Object.keys(closed), ...Object.keys(special)];

export function runScenario(name, bench, results) {
    return name in closed ? cpuPerRequest(bench, closed[name]) : special[name](bench, results);
}

async function cpuPerRequest(bench, { title, variants, requests, names: fixed, kind = 'cpu', mark, ...asked }) {
    const { options } = bench;
    const order = asked.upstream ? { ...asked, ...exchangeOrder(asked.upstream) } : asked;
    const count = scaled(requests, options, 100);
    const names = fixed ?? options.proxies.flatMap((name) => variantsOf(name, variants));
    const able = names.filter((name) => !overTls(order) || canSpeakTo(name, order.upstream ?? 'http1'));
    if (order.upstream) for (const name of able) await mustAnswerRightly(bench, name, order);
    const rows = await inTurns(bench, able, async (name) => {
        const own = kind === 'policies' ? { ...order, ...authorizationOf(name, bench.dir) } : order;
        await bench.load(await bench.portOf(name, own), { ...own, requests: Math.ceil(count / 10) });
        return bench.measure(name, { ...own, requests: count });
    });
    const each = order.tls ? `${order.connections} at a time, ${count} a round`
        : `${order.connections} connections, ${count} requests a round`;
    return { kind, mark, title: `${title}, ${each}`,
             rows: Object.fromEntries(names.map((name) => [name, rows[name] ?? []])) };
}

function exchangeOrder(upstream) {
    const { answer, trailers, ...order } = exchangeOf(upstream);
    return { ...order, expect: answer.length };
}

// h2load counts answers and their bytes; that they are the origin's, with trailers, is seen here.
async function mustAnswerRightly(bench, name, order) {
    const wrong = await wrongWith(`https://127.0.0.1:${await bench.portOf(name, order)}`, order.upstream);
    if (wrong) throw new Error(`${name} does not pass on the answer of the ${order.upstream} origin: ${wrong}`);
}

// Every round asks every proxy once, each round beginning with another one.
async function inTurns(bench, names, measure, rounds = bench.options.rounds) {
    const rows = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; ++round) {
        for (let i = 0; i < names.length; ++i) {
            const name = names[(i + round) % names.length];
            progress(`  round ${round + 1} of ${rounds}: ${name}`);
            rows[name].push(await measureInCalm(() => measure(name), bench.options.calm));
        }
    }
    return rows;
}

// Work of others on the same cores costs caches as well as turns: what was disturbed is measured
// again, up to ten times, and the calmest counts.
async function measureInCalm(measure, calm) {
    if (calm === 0) return measure();
    const disturbance = (round) => round.cores_used_by_others ?? 0;
    let calmest;
    for (let attempt = 0; attempt < 10; ++attempt) {
        await untilCalm(calm);
        const round = await measure();
        if (!calmest || disturbance(round) < disturbance(calmest)) calmest = round;
        if (disturbance(calmest) <= calm) break;
        progress(`    others used ${disturbance(round).toFixed(2)} cores`);
    }
    return calmest;
}

// Our own programs rest between measurements, so whoever is busy now is somebody else.
async function untilCalm(calm) {
    for (let seconds = 0; seconds < 120; ++seconds) {
        const before = machineBusySeconds();
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        if (machineBusySeconds() - before <= calm) return;
    }
}

// Memory of an idle keep-alive connection that has made one request.
async function idle(bench) {
    const connections = scaled(5_000, bench.options, 100);
    const names = bench.options.proxies.filter((name) => name !== 'direct');
    const rows = await inTurns(bench, names, (name) => idleOnce(bench, name, connections),
                               Math.min(3, bench.options.rounds));
    return { kind: 'idle', title: `memory of ${connections} idle keep-alive connections`, rows };
}

async function idleOnce(bench, name, connections) {
    const proxy = await Proxy.start(name, bench);
    await bench.load(proxy.port, { requests: 5_000, connections: 64 });  // its buffers exist now
    const before = proxy.running.rssBytes();
    const load = bench.startLoad(proxy.port, { mode: 'idle', connections });
    const report = JSON.parse(await firstLine(load));
    const after = proxy.running.rssBytes();
    const rest = restOfOutput(load);
    load.child.stdin.end();
    const { still_open: open } = JSON.parse(await rest);
    await proxy.stop();
    return { ...report, before, after, still_open: open,
             bytes_per_connection: (after - before) / Math.max(1, open) };
}

// Added latency when half busy: requests at fixed instants, counted from when they were wanted.
async function p99(bench, results) {
    const { options } = bench;
    const rate = Math.round(options.rate || await halfOfHaproxy(bench, results));
    const order = { mode: 'rate', rate, path: '/json', expect: 300, connections: 64 };
    const names = ['direct', ...options.proxies.filter((name) => name !== 'direct')];
    const rows = await inTurns(bench, names, async (name) => {
        await bench.load(await bench.portOf(name), { ...order, duration: 0.5 });
        return bench.measure(name, { ...order, duration: Math.max(0.5, 10 * options.scale) });
    });
    return { kind: 'latency', title: `latency at ${rate} requests/s, 64 connections`, rate, rows };
}

async function halfOfHaproxy(bench, results) {
    const { proxies } = bench.options;
    const name = proxies.find((proxy) => proxy.startsWith('haproxy')) ?? proxies[0];
    const known = results.json?.rows[name];
    if (known) return medianOf(known, (round) => round.per_second) / 2;
    progress(`  looking for the most that ${name} does`);
    const order = { path: '/json', connections: 64, requests: scaled(100_000, bench.options, 1000) };
    return (await bench.load(await bench.portOf(name), order)).per_second / 2;
}

// Failures while the configuration with a thousand routes is loaded again and again under load.
async function reload(bench) {
    const names = bench.options.proxies.filter(canReload);
    const seconds = Math.max(2, 10 * bench.options.scale);
    const rows = await inTurns(bench, names, (name) => reloadOnce(bench, name, seconds), 1);
    return { kind: 'reload', rows,
             title: `reload of 1,000 routes every second for ${seconds} s, 64 connections busy` };
}

async function reloadOnce(bench, name, seconds) {
    const proxy = await Proxy.start(name, bench, { routes: 1_000 });
    const load = bench.load(proxy.port, { mode: 'time', duration: seconds, connections: 64,
                                          path: '/r/999/json', expect: 300 });
    const timer = setInterval(() => proxy.reload(), 1_000);
    const report = await load.finally(() => clearInterval(timer));
    await proxy.stop();
    return { ...report, reloads: proxy.generation, errors_allowed: true, applied_ms: appliedIn(proxy) };
}

// From a site's first word to the last worker's acknowledgement, as the gateway itself tells it.
function appliedIn(proxy) {
    if (!proxy.name.startsWith('suoke')) return [];
    const lines = fs.readFileSync(path.join(proxy.dir, 'output'), 'utf8').split('\n');
    return lines.filter((line) => line.includes('configuration applied')).map((line) => JSON.parse(line).milliseconds);
}

// Memory of the gateway as it is shipped, before anybody has asked it anything.
async function rss(bench) {
    const { options } = bench;
    const port = await freePort();
    const gateway = new Running(
        [options.gateway, 'serve', '--config', options.config, '--port', String(port)],
        { core: options.proxyCore, log: path.join(bench.dir, 'rss.log') });
    await untilAnswers(gateway, port, '/health', 10, (status) => status > 0);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const bytes = gateway.rssBytes();
    await gateway.stop();
    return { kind: 'rss', title: `resident memory with ${path.basename(options.config)}, at rest`,
             rows: { suoke: [{ bytes }] } };
}

// User-space instructions of one small request: the difference of two runs under callgrind, so
// that what is done once does not count.
async function instr(bench) {
    const few = scaled(1_000, bench.options, 200);
    const names = bench.options.proxies.filter((name) => name !== 'direct');
    const rows = await inTurns(bench, names, async (name) => ({
        one: await instructionsPerRequest(bench, name, 1, few),
        sixteen: await instructionsPerRequest(bench, name, 16, few),
    }), 1);
    return { kind: 'instructions', rows,
             title: `user-space instructions per request (callgrind, ${few} against ${4 * few})` };
}

async function instructionsPerRequest(bench, name, connections, few) {
    const many = 4 * few;
    const first = await instructionsOf(bench, name, connections, few);
    return (await instructionsOf(bench, name, connections, many) - first) / (many - few);
}

async function instructionsOf(bench, name, connections, requests) {
    const files = fs.mkdtempSync(path.join(bench.dir, 'callgrind-'));
    const wrapper = ['valgrind', '--tool=callgrind', `--callgrind-out-file=${files}/%p`];
    const proxy = await Proxy.start(name, bench, { wrapper, patience: 60 });
    const report = await bench.load(proxy.port, { requests, connections, expect: 300 });
    await proxy.stop();  // writes the files
    if (report.errors > 0) throw new Error(`${name} under callgrind: ${report.errors} failures`);
    const counts = fs.readdirSync(files).map((file) => instructionsIn(path.join(files, file)));
    return counts.reduce((a, b) => a + b, 0);
}

function instructionsIn(file) {
    const found = /^(?:totals|summary): (\d+)/m.exec(fs.readFileSync(file, 'utf8'));
    if (!found) throw new Error(`${file} has no total`);
    return Number(found[1]);
}

function scaled(count, options, least) { return Math.max(least, Math.round(count * options.scale)); }

export function progress(line) { process.stderr.write(`${line}\n`); }
