// SPDX-License-Identifier: MIT
// Programs pinned to a core, what the kernel knows about them, and their certain end.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import http from 'node:http';

const started = new Set();

// A program of ours is ended by its own number, whatever way we leave.
process.on('exit', () => started.forEach((running) => running.killNow()));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

export class Running {
    constructor(command, { core, cwd, log }) {
        const output = log ? fs.openSync(log, 'a') : 'ignore';
        this.command = command;
        this.log = log;
        this.child = spawn('taskset', ['-c', String(core), ...command],
                           { cwd, stdio: ['pipe', log ? output : 'pipe', log ? output : 'inherit'] });
        if (log) fs.closeSync(output);
        this.child.on('error', (error) => { this.spawnError = error; });
        this.child.stdin.on('error', () => {});  // it may end before it has read its input
        this.ended = new Promise((resolve) => this.child.on('close', resolve));
        this.ended.then(() => started.delete(this));
        started.add(this);
    }

    alive() { return this.child.exitCode === null && this.child.signalCode === null; }

    // The program and whatever it forked.
    pids() {
        const pids = [this.child.pid];
        for (let i = 0; i < pids.length; ++i) pids.push(...childrenOf(pids[i]));
        return pids;
    }

    cpu() { return this.pids().map(cpuOf).reduce(addCpu, { seconds: 0, user: 0, system: 0 }); }

    rssBytes() { return this.pids().map(rssOf).reduce((a, b) => a + b, 0); }

    async stop() {
        if (this.alive()) this.child.kill('SIGTERM');
        const gaveUp = Symbol('gave up');
        const result = await Promise.race([this.ended, after(10_000, gaveUp)]);
        if (result === gaveUp) this.killNow();
        await this.ended;
    }

    killNow() {
        if (!this.alive()) return;
        for (const pid of this.pids()) {
            try { process.kill(pid, 'SIGKILL'); } catch { /* it has just ended */ }
        }
    }
}

function after(milliseconds, value) {
    return new Promise((resolve) => { setTimeout(resolve, milliseconds, value).unref(); });
}

function childrenOf(pid) {
    try {
        return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
            .map(Number);
    } catch { return []; }
}

// Nanoseconds on the CPU from the scheduler, summed over the threads; its division into user and
// system from the process's clock ticks.
function cpuOf(pid) {
    let seconds = 0;
    for (const task of fs.readdirSync(`/proc/${pid}/task`)) {
        const line = fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8');
        seconds += Number(line.split(' ')[0]) / 1e9;
    }
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { seconds, user: Number(fields[11]), system: Number(fields[12]) };
}

function addCpu(a, b) {
    return { seconds: a.seconds + b.seconds, user: a.user + b.user, system: a.system + b.system };
}

// Between two readings of cpu(): seconds in all, in user space and in the kernel.
export function cpuBetween(before, after) {
    const seconds = after.seconds - before.seconds;
    const user = after.user - before.user;
    const ticks = user + after.system - before.system;
    const userSeconds = ticks > 0 ? seconds * user / ticks : 0;
    return { seconds, user: userSeconds, system: seconds - userSeconds };
}

function rssOf(pid) {
    const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');  // exact, unlike status
    return Number(/^Rss:\s+(\d+) kB/m.exec(text)[1]) * 1024;
}

// Seconds that all cores together were busy since the machine started, with anything.
export function machineBusySeconds() {
    const first = fs.readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1);
    const [user, nice, system, , , irq, softirq, steal] = first.map(Number);
    return (user + nice + system + irq + softirq + steal) / 100;
}

export async function freePort() {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

// Resolves when the path answers with a status the caller accepts.
export async function untilAnswers(running, port, path, seconds, accepts = (status) => status === 200) {
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end && running.alive() && !running.spawnError) {
        if (accepts(await statusOf(port, path))) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const why = running.spawnError ? running.spawnError.message
        : running.alive() ? 'does not answer' : 'has ended';
    const said = running.log ? fs.readFileSync(running.log, 'utf8').slice(-2000) : '';
    throw new Error(`${running.command.join(' ')}: ${why}\n${said}`);
}

function statusOf(port, path) {
    return new Promise((resolve) => {
        const request = http.get({ host: '127.0.0.1', port, path, agent: false, timeout: 5000 },
            (response) => { response.resume(); resolve(response.statusCode); });
        request.on('timeout', () => request.destroy());
        request.on('error', () => resolve(0));
    });
}
