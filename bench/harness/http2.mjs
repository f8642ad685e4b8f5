// SPDX-License-Identifier: MIT
// An origin that speaks HTTP/2 (nghttpd), and a client that looks at one whole answer.

import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';

import { Running, freePort } from './processes.mjs';

const json = Buffer.from(`{"id":"7f3c2a","text":"${'j'.repeat(300 - 25)}"}`);
const message = (text) => Buffer.concat([Buffer.from([0, 0, 0, 0, text.length]), Buffer.from(text)]);

// What the origin serves, and what has to come out of every proxy: the same.
const exchanges = {
    h2: { path: '/json', answer: json, trailers: {} },
    grpc: { path: '/bench.Echo/Say.grpc', method: 'POST', body: message('a small question'),
            headers: { 'content-type': 'application/grpc', te: 'trailers' },
            answer: message('a small answer'), trailers: { 'grpc-status': '0' } },
};
export const exchangeOf = (upstream) => exchanges[upstream];

// Its answers have no length, as those of gRPC, when there are trailers.
const flags = { h2: [], grpc: ['--no-content-length', '--trailer=grpc-status: 0'] };

// With prior knowledge, without TLS, on the core of the load.
export async function startOrigin(upstream, { dir, options }) {
    const files = path.join(dir, `origin-${upstream}`);
    for (const { path: name, answer } of Object.values(exchanges)) {
        fs.mkdirSync(path.join(files, path.dirname(name)), { recursive: true });
        fs.writeFileSync(path.join(files, name), answer);
    }
    const types = path.join(dir, 'mime.types');
    fs.writeFileSync(types, 'application/grpc grpc\n');
    const port = await freePort();
    const running = new Running(['nghttpd', '--no-tls', '--address=127.0.0.1', `--htdocs=${files}`,
                                 `--mime-types-file=${types}`, '--max-concurrent-streams=128',
                                 ...flags[upstream], String(port)],
                                { core: options.loadCore, log: path.join(dir, `origin-${upstream}.log`) });
    await untilRight(running, `http://127.0.0.1:${port}`, upstream);
    return { running, port };
}

async function untilRight(running, address, upstream) {
    for (let attempt = 0; attempt < 250 && running.alive(); ++attempt) {
        if (await wrongWith(address, upstream) === null) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${running.command.join(' ')}: ${running.spawnError?.message ?? await wrongWith(address, upstream)}`);
}

// null when the answer is the right one: status, body and trailers.
export async function wrongWith(address, upstream) {
    const { answer, trailers: wanted } = exchanges[upstream];
    try {
        const { status, body, trailers } = await ask(address, exchanges[upstream]);
        if (status !== 200) return `status ${status}`;
        if (!body.equals(answer)) return `${body.length} bytes that are not the ${answer.length} of the origin`;
        const lost = Object.keys(wanted).find((name) => trailers[name] !== wanted[name]);
        return lost ? `no trailer ${lost}: ${wanted[lost]}` : null;
    } catch (error) {
        return error.message;
    }
}

function ask(address, { path: asked, method = 'GET', headers = {}, body }) {
    return new Promise((resolve, reject) => {
        const session = http2.connect(address, { rejectUnauthorized: false });
        session.on('error', reject);
        const stream = session.request({ ':path': asked, ':method': method, ...headers });
        const seen = { status: 0, trailers: {} };
        const pieces = [];
        stream.on('response', (fields) => { seen.status = fields[':status']; });
        stream.on('data', (piece) => pieces.push(piece));
        stream.on('trailers', (fields) => { seen.trailers = fields; });
        stream.on('error', reject);
        stream.setTimeout(5_000, () => stream.destroy(new Error('no answer in five seconds')));
        stream.on('close', () => {
            session.close();
            resolve({ ...seen, body: Buffer.concat(pieces) });
        });
        stream.end(body);
    });
}
