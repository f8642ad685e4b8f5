#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// What streams that last cost: memory of idle WebSocket tunnels and event streams, and how much later an event arrives
// than without a proxy. Clients and origin are this program; the proxies are those of compare.mjs.
//
//   node bench/streams.mjs                              # 2,000 tunnels, 2,000 event streams, 200 x 50 events
//   node bench/streams.mjs --proxies nginx,suoke --connections 500

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { parseOptions } from './harness/options.mjs';
import { digits } from './harness/numbers.mjs';
import { Proxy } from './harness/proxies.mjs';

const words = process.argv.slice(2);
const at = words.indexOf('--connections');
const connections = at < 0 ? 2_000 : Number(words.splice(at, 2)[1]);
const options = parseOptions(['--proxies', 'nginx,haproxy,suoke', ...words]);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'suoke-streams-'));

// ---- the origin

const streams = new Set();
const origin = http.createServer((request, response) => {
    if (request.url !== '/events') return response.end('x'.repeat(300));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: hello\n\n');
    streams.add(response);
    response.on('close', () => streams.delete(response));
});
origin.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.on('error', () => socket.destroy());
});
await new Promise((resolve) => origin.listen(0, '127.0.0.1', 4096, resolve));
const bench = { options, dir, originPort: origin.address().port };

// ---- the clients

const upgrade = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const events = 'GET /events HTTP/1.1\r\nHost: x\r\n\r\n';

// A connection that has been answered.
const open = (port, request, onData) => new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
    socket.once('data', (first) => (/^HTTP\/1.1 (101|200)/.test(first) ? resolve(socket) : reject(new Error(String(first)))));
    if (onData) socket.on('data', onData);
    socket.once('error', reject);
});

async function openMany(port, request, count, onData) {
    const all = [];
    while (all.length < count) {
        const wave = Math.min(100, count - all.length);
        all.push(...await Promise.all(Array.from({ length: wave }, () => open(port, request, onData))));
    }
    return all;
}

const rest = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function memory(name, request) {
    const proxy = await Proxy.start(name, bench);
    (await openMany(proxy.port, request, 100)).forEach((socket) => socket.destroy());  // its buffers exist now
    await rest(300);
    const before = proxy.running.rssBytes();
    const sockets = await openMany(proxy.port, request, connections);
    await rest(1_000);
    const after = proxy.running.rssBytes();
    sockets.forEach((socket) => socket.destroy());
    await proxy.stop();
    return (after - before) / connections / 1024;
}

// Microseconds from the origin's write to the client's read, both in this process. Every stream says something 20
// times a second, four of them in the same millisecond: with more at once this process would be what is measured.
async function delays(port) {
    const late = [];
    const seen = (bytes) => {
        const now = process.hrtime.bigint();
        for (const [, sent] of String(bytes).matchAll(/data: (\d+)\n/g)) late.push(Number(now - BigInt(sent)) / 1e3);
    };
    const sockets = await openMany(port, events, 200, seen);
    const speakers = [...streams];
    for (let said = 0; said < 50 * speakers.length; said += 4) {
        for (let i = said; i < said + 4; ++i) speakers[i % speakers.length].write(`data: ${process.hrtime.bigint()}\n\n`);
        await rest(1);
    }
    await rest(100);
    sockets.forEach((socket) => socket.destroy());
    await rest(100);
    late.sort((a, b) => a - b);
    return { p50: late[late.length >> 1], p99: late[Math.floor(late.length * 0.99)], count: late.length };
}

console.log(`${connections} idle connections each; KiB are of resident memory, both sockets' user space together\n`);
console.log('| proxy | KiB a WebSocket | KiB an event stream | event p50 µs | event p99 µs |\n| --- | ---: | ---: | ---: | ---: |');
const direct = await delays(bench.originPort);
console.log(`| direct | – | – | ${digits(direct.p50, 0)} | ${digits(direct.p99, 0)} |`);
for (const name of options.proxies) {
    const [ws, sse] = [await memory(name, upgrade), await memory(name, events)];
    const proxy = await Proxy.start(name, bench);
    const event = await delays(proxy.port);
    await proxy.stop();
    console.log(`| ${name} | ${digits(ws, 2)} | ${digits(sse, 2)} | ${digits(event.p50, 0)} | ${digits(event.p99, 0)} |`);
}
fs.rmSync(dir, { recursive: true, force: true });
process.exit(0);
