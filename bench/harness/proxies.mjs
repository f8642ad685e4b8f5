// SPDX-License-Identifier: MIT
// How each proxy is configured, started and reloaded. A name may carry a variant ("haproxy+splice");
// where a proxy can be set up in more than one good way, its best variant is its figure.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { benchDir } from './options.mjs';
import { Running, freePort, untilAnswers } from './processes.mjs';
import { keysIn } from './tokens.mjs';

const kinds = {
    nginx: {
        template: 'nginx.conf.in',
        command: (file, dir) => ['nginx', '-p', dir, '-e', path.join(dir, 'nginx.log'), '-c', file],
        version: () => said('nginx', '-v'),
        variants: { bulk: ['nginx', 'nginx+buffers'], tls: ['nginx', 'nginx+stateless'] },
        upstreams: ['http1', 'grpc'],  // HTTP/2 by grpc_pass only
        alone: ['-g', 'master_process off;'],  // callgrind could not write as the worker's user
        route: (i) => `        location /r/${i}/ { proxy_pass http://origin/; }`,
        reloadSignal: 'SIGHUP',
    },
    haproxy: {
        template: 'haproxy.cfg.in',
        command: (file) => ['haproxy', '-db', '-f', file],
        version: () => said('haproxy', '-v').split('\n')[0],
        variants: { bulk: ['haproxy', 'haproxy+splice'], tls: ['haproxy', 'haproxy+stateless'] },
        route: () => '',
    },
    suoke: {
        template: 'suoke.yaml.in',
        command: (file, dir, options) =>
            [options.gateway, 'serve', '--config', file, '--workers', '1'],
        version: (options) => said(options.gateway, '--version'),
        route: (i, generation) => `  - name: r${i}\n    prefix: /r/${i}\n    service: origin\n` +
            `    timeout: ${30 + generation % 2}s`,
        reloadSignal: 'SIGHUP',
    },
};

// The proxy that shows what nghttp2 can do; it has no routes and reloads nothing.
kinds.nghttpx = {
    template: 'nghttpx.conf.in',
    command: (file) => ['nghttpx', `--conf=${file}`],
    version: () => said('nghttpx', '--version'),
    route: () => '',
};

const kindOf = (name) => name.split('+')[0];
export const variantsOf = (name, work) => kinds[name]?.variants?.[work] ?? [name];
export const canSpeakTo = (name, upstream) =>
    kindOf(name) in kinds && (kinds[kindOf(name)].upstreams?.includes(upstream) ?? true);
export const canReload = (name) => Boolean(kinds[kindOf(name)]?.reloadSignal);

export function checkProxies(options) {
    for (const name of options.proxies) {
        if (name === 'direct') continue;
        if (!(kindOf(name) in kinds)) throw new Error(`--proxies: nobody here is called ${name}`);
        if (kindOf(name) === 'suoke' && !fs.existsSync(options.gateway)) {
            throw new Error(`${options.gateway} is not there: build it, name another with ` +
                            '--gateway, or leave suoke out of --proxies');
        }
    }
}

export function versionsOf(options) {
    const names = new Set(options.proxies.map(kindOf).filter((name) => name in kinds));
    return Object.fromEntries([...names].map((name) => [name, kinds[name].version(options)]));
}

function said(program, flag) {  // nginx says it on standard error
    return execFileSync('sh', ['-c', '"$0" "$1" 2>&1', program, flag], { encoding: 'utf8' }).trim();
}

export class Proxy {
    // `wrapper` is put before the command (callgrind); `routes` are added to the one route; `upstream`
    // is what the origin speaks: http1, h2 or grpc.
    static async start(name, bench, { wrapper, routes = 0, patience = 10, upstream = 'http1',
                                      originPort = bench.originPort } = {}) {
        const proxy = new Proxy();
        Object.assign(proxy, { name, bench, routes, upstream, originPort, generation: 0,
                               port: await freePort(), tlsPort: await freePort() });
        proxy.dir = fs.mkdtempSync(path.join(bench.dir, `${name}-`));
        proxy.file = path.join(proxy.dir, 'config');
        proxy.kind = kinds[kindOf(name)];
        proxy.configure();
        const command = proxy.kind.command(proxy.file, proxy.dir, bench.options);
        const wrapped = wrapper ? [...wrapper, ...command, ...(proxy.kind.alone ?? [])] : command;
        proxy.running = new Running(wrapped,
            { core: bench.options.proxyCore, cwd: proxy.dir, log: path.join(proxy.dir, 'output') });
        await untilAnswers(proxy.running, proxy.port, '/json', patience, (status) => status === 200 || status === 401);  // it has no token
        return proxy;
    }

    configure() {
        const { options } = this.bench;
        const certificate = certificateIn(this.bench.dir);
        const template = fs.readFileSync(path.join(benchDir, this.kind.template), 'utf8');
        const spoken = this.upstream === 'http1' ? 'http1' : 'h2c';
        const variant = this.name.split('+').slice(1);
        const words = [options.headers, spoken, ...variant, ...(variant.includes('full') ? [] : ['plain'])];
        const routes = Array.from({ length: this.routes }, (_, i) => this.kind.route(i, this.generation));
        fs.writeFileSync(this.file, render(template, words, {
            DIR: this.dir, PORT: this.port, ORIGIN_PORT: this.originPort, ROUTES: routes.join('\n'),
            TLS_PORT: this.tlsPort, CERT: certificate.cert, KEY: certificate.key, CERT_AND_KEY: certificate.both,
            JWT_PUBLIC: keysIn(this.bench.dir).publicFile, JWT_SECRET: keysIn(this.bench.dir).secret,
        }));
    }

    reload() {
        ++this.generation;
        this.configure();
        this.running.child.kill(this.kind.reloadSignal);
    }

    stop() { return this.running.stop(); }
}

// For localhost, made once a run.
function certificateIn(dir) {
    const files = { cert: path.join(dir, 'cert.pem'), key: path.join(dir, 'key.pem'), both: path.join(dir, 'both.pem') };
    if (fs.existsSync(files.both)) return files;
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                             '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
                             '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
    fs.writeFileSync(files.both, fs.readFileSync(files.cert, 'utf8') + fs.readFileSync(files.key, 'utf8'));
    return files;
}

// "#@word text" becomes "text" when the word was asked for; "@NAME@" becomes its value.
export function render(template, words, values) {
    const kept = template.split('\n').flatMap((line) => {
        const [, indent, word, text] = /^(\s*)#@(\w+) (.*)$/.exec(line) ?? [];
        if (!word) return [line];
        return words.includes(word) ? [indent + text] : [];
    });
    return kept.join('\n').replace(/@([A-Z_]+)@/g, (_, name) => {
        if (!(name in values)) throw new Error(`nobody knows what @${name}@ is`);
        return values[name];
    });
}
