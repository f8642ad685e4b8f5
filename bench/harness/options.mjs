// SPDX-License-Identifier: MIT
// What the person at the keyboard asked for. The defaults here are the only ones.

import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const benchDir = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const sourceDir = path.dirname(benchDir);

const builds = path.join(sourceDir, 'build/release/bin');

const known = {
    proxies: ['nginx,haproxy,suoke', 'whom to run, also: direct (no proxy)'],
    scenarios: ['json,64k,1m,upload-1m,idle,p99', 'what to run, also: tls, h2, h2h2, grpc, tls-full, tls-resumed, reload, rss, instr; or all'],
    rounds: ['5', 'rounds per scenario; the proxies take turns within each'],
    scale: ['1', 'factor on every number of requests, seconds and idle connections'],
    quick: [false, 'a look, not a measurement: one round, a tenth of the work'],
    headers: ['typical', 'typical: add X-Forwarded-* and X-Request-ID; minimal: add nothing'],
    rate: ['0', 'requests per second of p99; 0 = half of what HAProxy reaches here'],
    json: ['', 'write every measured number to this file'],
    programs: [builds, 'where bench_origin and bench_load are'],
    gateway: [path.join(builds, 'suoke-gateway'), 'the gateway to measure'],
    config: [path.join(sourceDir, 'config/suoke.yaml'), 'the configuration of rss'],
    'proxy-core': [os.cpus().length > 1 ? '1' : '0', 'the core of the proxy'],
    'load-core': ['0', 'the core of the load generator and the origin'],
    calm: ['0', 'repeat what was measured while others used more cores than this; 0 = never'],
    deadline: ['60', 'minutes after which everything is stopped'],
};

export function parseOptions(words) {
    const options = Object.fromEntries(Object.entries(known).map(([name, [value]]) => [name, value]));
    for (let i = 0; i < words.length; ++i) {
        const name = words[i].replace(/^--/, '');
        if (name === 'help') throw new Error(usage());
        if (!words[i].startsWith('--') || !(name in known)) {
            throw new Error(`unknown argument ${words[i]}\n${usage()}`);
        }
        if (typeof known[name][0] === 'boolean') options[name] = true;
        else if (i + 1 < words.length) options[name] = words[++i];
        else throw new Error(`--${name} needs a value`);
    }
    return interpreted(options);
}

function interpreted(options) {
    const number = (name) => {
        const value = Number(options[name]);
        if (!(value >= 0)) throw new Error(`--${name} is a number, not ${options[name]}`);
        return value;
    };
    if (!['typical', 'minimal'].includes(options.headers)) {
        throw new Error(`--headers is typical or minimal, not ${options.headers}`);
    }
    return {
        ...options,
        proxies: options.proxies.split(',').filter(Boolean),
        scenarios: options.scenarios.split(',').filter(Boolean),
        rounds: options.quick ? 1 : Math.max(1, number('rounds')),
        scale: number('scale') * (options.quick ? 0.1 : 1),
        rate: number('rate'),
        calm: number('calm'),
    deadline: number('deadline'),
        proxyCore: number('proxy-core'),
        loadCore: number('load-core'),
    };
}

function usage() {
    const lines = Object.entries(known).map(
        ([name, [value, text]]) => `  --${name.padEnd(12)} ${text}${value ? ` [${value}]` : ''}`);
    return `usage: node bench/compare.mjs [options]\n${lines.join('\n')}`;
}
