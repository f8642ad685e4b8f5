#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Side-by-side runs of the gateway, nginx and HAProxy on this machine; see README.md.
//
//     node bench/compare.mjs --proxies nginx,haproxy,suoke --rounds 5 --json numbers.json

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';

import { Bench } from './harness/bench.mjs';
import { parseOptions, sourceDir } from './harness/options.mjs';
import { checkProxies, versionsOf } from './harness/proxies.mjs';
import { headMarkdown, scenarioMarkdown } from './harness/report.mjs';
import { progress, runScenario, scenarioNames } from './harness/scenarios.mjs';

async function main() {
    const options = parseOptions(process.argv.slice(2));
    checkProxies(options);
    const scenarios = chosenScenarios(options);
    stopAtDeadline(options.deadline);

    const head = { when: new Date().toISOString(), machine: machine(), commit: commit(), options,
                   versions: versionsOf(options) };
    console.log(headMarkdown(head));
    const results = {};
    const bench = await Bench.start(options);
    try {
        for (const name of scenarios) {
            progress(name);
            results[name] = await runScenario(name, bench, results);
            console.log(scenarioMarkdown(name, results[name]));
            if (options.json) fs.writeFileSync(options.json, JSON.stringify({ ...head, results }, null, 1));
        }
    } finally {
        await bench.stop();
    }
    if (failures(results) > 0) throw new Error('some requests failed: the numbers do not count');
}

function chosenScenarios({ scenarios }) {
    if (scenarios.includes('all')) return scenarioNames;
    const unknown = scenarios.find((name) => !scenarioNames.includes(name));
    if (unknown) throw new Error(`no scenario ${unknown}; there are ${scenarioNames.join(', ')}`);
    return scenarios;
}

function stopAtDeadline(minutes) {
    setTimeout(() => {
        progress(`not finished after ${minutes} minutes: stopping everything`);
        process.exit(3);  // ends our programs, see processes.mjs
    }, minutes * 60_000).unref();
}

function machine() {
    return { cpu: os.cpus()[0].model.trim(), cores: os.cpus().length, kernel: os.release() };
}

function commit() {
    try {
        return execFileSync('git', ['-C', sourceDir, 'describe', '--always', '--dirty'],
                            { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch { return 'unknown'; }
}

function failures(results) {
    const rounds = Object.values(results).flatMap(({ rows }) => Object.values(rows).flat());
    return rounds.reduce((sum, { errors = 0, errors_allowed: allowed }) => sum + (allowed ? 0 : errors), 0);
}

main().catch((error) => {
    progress(error.message);
    process.exit(1);
});
