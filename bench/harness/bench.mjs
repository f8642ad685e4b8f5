// SPDX-License-Identifier: MIT
// One run: the origins, the proxies that are up, and the load generator.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { startOrigin } from './http2.mjs';
import { Proxy } from './proxies.mjs';
import { Running, cpuBetween, machineBusySeconds } from './processes.mjs';

export class Bench {
    static async start(options) {
        const bench = new Bench();
        bench.options = options;
        bench.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'suoke-bench-'));
        process.on('exit', () => fs.rmSync(bench.dir, { recursive: true, force: true }));
        bench.up = new Map();
        bench.origin = new Running([path.join(options.programs, 'bench_origin')],
                                   { core: options.loadCore });
        bench.originPort = Number((await firstLine(bench.origin)).split(' ').pop());
        bench.origins = new Map([['http1', { running: bench.origin, port: bench.originPort }]]);
        return bench;
    }

    async stop() {
        for (const proxy of this.up.values()) await proxy.stop();
        for (const { running } of this.origins.values()) await running.stop();
    }

    // A proxy that stays up for the scenarios that only differ in what they ask for.
    async proxy(name, upstream = 'http1') {
        const key = `${name} ${upstream}`;
        if (!this.up.has(key)) {
            const { port } = await this.originOf(upstream);
            this.up.set(key, await Proxy.start(name, this, { upstream, originPort: port }));
        }
        return this.up.get(key);
    }

    async originOf(upstream = 'http1') {
        if (!this.origins.has(upstream)) this.origins.set(upstream, await startOrigin(upstream, this));
        return this.origins.get(upstream);
    }

    async portOf(name, order = {}) {
        if (name === 'direct') return this.originPort;
        const { port, tlsPort } = await this.proxy(name, order.upstream);
        return overTls(order) ? tlsPort : port;
    }

    startLoad(port, order) {
        if (order.tool === 'h2load') return this.startH2load(port, order);
        const words = Object.entries(order).flatMap(([name, value]) => [`--${name}`, String(value)]);
        return new Running([path.join(this.options.programs, 'bench_load'), '--port', String(port),
                            ...words], { core: this.options.loadCore });
    }

    // Another's load generator, for what bench_load does not speak.
    startH2load(port, { h1, connections, streams = 1, requests, path: asked, body, headers = {} }) {
        return new Running(['h2load', '-t1', '-n', String(requests), '-c', String(connections), '-m', String(streams),
                            ...(h1 ? ['--h1'] : []), ...(body ? [`--data=${this.fileWith(body)}`] : []),
                            ...Object.entries(headers).map(([name, value]) => `--header=${name}: ${value}`),
                            `https://127.0.0.1:${port}${asked}`], { core: this.options.loadCore });
    }

    fileWith(bytes) {
        const file = path.join(this.dir, 'body');
        fs.writeFileSync(file, bytes);
        return file;
    }

    async load(port, order) {
        const load = this.startLoad(port, order);
        const report = order.tool === 'h2load' ? h2loadReport(await restOfOutput(load), order)
                                               : JSON.parse(await firstLine(load));
        await load.ended;
        return report;
    }

    // The load's own report and what it cost the proxy, per answered request, in microseconds.
    async measure(name, order) {
        const port = await this.portOf(name, order);
        const running = name === 'direct' ? null : (await this.proxy(name, order.upstream)).running;
        const { running: theOrigin } = await this.originOf(order.upstream);
        const originBefore = theOrigin.cpu();
        const busyBefore = machineBusySeconds();
        const before = running?.cpu();
        const begin = process.hrtime.bigint();
        const report = await this.load(port, order);
        const cpu = running ? cpuBetween(before, running.cpu()) : { seconds: 0, user: 0, system: 0 };
        const wall = Number(process.hrtime.bigint() - begin) / 1e9;
        const origin = cpuBetween(originBefore, theOrigin.cpu()).seconds;
        // h2load does not say what it used: what the load core had left, at most.
        const load = report.cpu_seconds ?? Math.max(0, wall - origin);
        const others = (machineBusySeconds() - busyBefore - cpu.seconds - load - origin) / wall;
        const perRequest = 1e6 / Math.max(1, report.requests);
        return {
            ...report,
            cpu_us: running ? cpu.seconds * perRequest : null,
            user_us: running ? cpu.user * perRequest : null,
            system_us: running ? cpu.system * perRequest : null,
            cores_used_by_others: Math.max(0, others),
        };
    }
}

// Whether it is the proxy's TLS port that is asked.
export const overTls = (order) => order.tool === 'h2load' || Boolean(order.tls);

function h2loadReport(text, { requests, expect }) {
    const [, rate] = /finished in .*?, ([\d.]+) req\/s/.exec(text) ?? [];
    const [, done, failed] = /(\d+) succeeded, (\d+) failed/.exec(text) ?? [];
    if (!rate) throw new Error(`h2load said nothing that can be read:\n${text}`);
    const [, bytes] = /\((\d+)\) data/.exec(text) ?? [];
    const short = expect !== undefined && Number(bytes) !== expect * Number(done) ? 1 : 0;  // at least
    return { requests: Number(done), errors: requests - Number(done) + Number(failed) + short, per_second: Number(rate) };
}

export function firstLine(running) {
    return new Promise((resolve, reject) => {
        let text = '';
        running.child.stdout.setEncoding('utf8');
        running.child.stdout.on('data', (piece) => {
            text += piece;
            if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
        });
        running.ended.then(() => reject(new Error(
            `${running.command.join(' ')}: ${running.spawnError?.message ?? 'ended without a word'}`)));
    });
}

export function restOfOutput(running) {
    return new Promise((resolve) => {
        let text = '';
        running.child.stdout.on('data', (piece) => { text += piece; });
        running.ended.then(() => resolve(text));
    });
}
