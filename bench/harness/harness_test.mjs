// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import test from 'node:test';

import { exchangeOf, wrongWith } from './http2.mjs';
import { median, pairedRatio } from './numbers.mjs';
import { parseOptions } from './options.mjs';
import { cpuBetween } from './processes.mjs';
import { canSpeakTo, render, variantsOf } from './proxies.mjs';
import { scenarioMarkdown } from './report.mjs';

test('the median of an even number lies between the middle two', () => {
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([5, 1, 3]), 3);
    assert.equal(median([NaN, 7]), 7);
    assert.equal(median([]), null);
});

test('a ratio is taken within each round, so that drift cancels out', () => {
    const ours = [{ cost: 10 }, { cost: 20 }, { cost: 40 }];
    const theirs = [{ cost: 20 }, { cost: 40 }, { cost: 80 }];
    assert.equal(pairedRatio(ours, theirs, (round) => round.cost), 0.5);
});

test('CPU time is divided as the ticks say', () => {
    const cpu = cpuBetween({ seconds: 1, user: 10, system: 10 }, { seconds: 5, user: 20, system: 40 });
    assert.deepEqual(cpu, { seconds: 4, user: 1, system: 3 });
});

test('a template keeps the lines of the words that were asked for', () => {
    const template = 'listen @PORT@\n  #@typical add header\n  #@splice splice\n# a comment';
    assert.equal(render(template, ['typical'], { PORT: 80 }),
                 'listen 80\n  add header\n# a comment');
});

test('a template refuses a name that nobody gave a value', () => {
    assert.throws(() => render('@PROT@', [], { PORT: 80 }), /@PROT@/);
});

test('options refuse what they do not know', () => {
    assert.throws(() => parseOptions(['--round', '3']), /unknown argument --round/);
    assert.throws(() => parseOptions(['--rounds']), /needs a value/);
    assert.throws(() => parseOptions(['--rounds', 'many']), /is a number/);
    assert.throws(() => parseOptions(['--headers', 'all']), /typical or minimal/);
});

test('quick is one round and a tenth of the work', () => {
    const options = parseOptions(['--quick', '--proxies', 'nginx,suoke']);
    assert.equal(options.rounds, 1);
    assert.equal(options.scale, 0.1);
    assert.deepEqual(options.proxies, ['nginx', 'suoke']);
});

test('numbers among the options are numbers', () => {
    const options = parseOptions(['--rounds', '3', '--calm', '0.2', '--rate', '100', '--deadline', '9']);
    assert.deepEqual([options.rounds, options.calm, options.rate, options.deadline], [3, 0.2, 100, 9]);
});

test('the ratio is to the cheapest variant of each rival', () => {
    const round = (cpu) => ({ cpu_us: cpu, user_us: 1, system_us: cpu - 1, per_second: 1, errors: 0,
                              latency_us: { p50: 1, p99: 2 }, cores_used_by_others: 0 });
    const text = scenarioMarkdown('64k', { kind: 'cpu', title: 'x', rows: {
        'nginx': [round(30)], 'haproxy': [round(40)], 'haproxy+splice': [round(20)],
        'suoke': [round(15)] } });
    const suoke = text.split('\n').find((line) => line.startsWith('| suoke'));
    assert.match(suoke, /\*\*15\.00\*\*/);
    assert.match(suoke, /\| 0\.500 \| 0\.750 \|/);
});

test('a proxy that cannot take part has no figure, and is no rival', () => {
    const round = { cpu_us: 10, user_us: 5, system_us: 5, per_second: 1, errors: 0, cores_used_by_others: 0 };
    const text = scenarioMarkdown('h2h2', { kind: 'cpu', title: 'x', rows: {
        'nginx': [], 'haproxy': [round], 'suoke': [{ ...round, cpu_us: 9 }] } });
    assert.match(text, /\| nginx \(n\/a\) \| – \| – \| – \|/);
    assert.match(text, /\| suoke .* \| – \| 0\.900 \|/);
});

test('who gives tickets is told where there are any', () => {
    const round = { cpu_us: 10, user_us: 5, system_us: 5, per_second: 1, errors: 0, requests: 100, tickets: 200,
                    cores_used_by_others: 0 };
    const of = (rows) => scenarioMarkdown('tls-full', { kind: 'cpu', title: 'x', rows });
    assert.match(of({ nginx: [round], suoke: [{ ...round, tickets: 0 }] }), /tickets each[^]*\| 2\.00 \|[^]*\| 0\.00 \|/);
    assert.doesNotMatch(of({ nginx: [{ ...round, tickets: 0 }] }), /tickets/);
});

test('proxies speak what they can to the origin, in the variants that matter', () => {
    assert.deepEqual(['http1', 'h2', 'grpc'].map((upstream) => canSpeakTo('nginx', upstream)), [true, false, true]);
    assert.equal(canSpeakTo('suoke', 'h2'), true);
    assert.equal(canSpeakTo('direct', 'h2'), false);
    assert.deepEqual(variantsOf('haproxy', 'tls'), ['haproxy', 'haproxy+stateless']);
    assert.deepEqual(variantsOf('haproxy'), ['haproxy']);
    assert.deepEqual(variantsOf('suoke', 'bulk'), ['suoke']);
});

// A gRPC origin that leaves out what it is told to.
async function wrongWithAnswer({ status = 200, body = exchangeOf('grpc').answer, trailers = { 'grpc-status': '0' } }) {
    const server = http2.createServer();
    server.on('stream', (stream) => {
        stream.on('wantTrailers', () => stream.sendTrailers(trailers));
        stream.respond({ ':status': status }, { waitForTrailers: true });
        stream.end(body);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    const wrong = await wrongWith(`http://127.0.0.1:${port}`, 'grpc');
    await new Promise((resolve) => server.close(resolve));
    return { wrong, port };
}

test('an answer is right when status, body and trailers are', async () => {
    assert.equal((await wrongWithAnswer({})).wrong, null);
    assert.match((await wrongWithAnswer({ status: 502 })).wrong, /status 502/);
    assert.match((await wrongWithAnswer({ body: 'x' })).wrong, /1 bytes that are not the 19/);
    assert.match((await wrongWithAnswer({ trailers: {} })).wrong, /no trailer grpc-status: 0/);
    assert.match((await wrongWithAnswer({ trailers: { 'grpc-status': '14' } })).wrong, /no trailer grpc-status: 0/);
    const { port } = await wrongWithAnswer({});
    assert.match(await wrongWith(`http://127.0.0.1:${port}`, 'grpc'), /ECONNREFUSED/);
});

test('a proxy whose CPU nobody sees has no figure', () => {
    const round = { cpu_us: null, user_us: null, system_us: null, per_second: 1, errors: 0,
                    latency_us: { p50: 1, p99: 2 }, cores_used_by_others: 0 };
    const text = scenarioMarkdown('json', { kind: 'cpu', title: 'x', rows: { direct: [round] } });
    assert.match(text, /\| direct \| – \| – \| – \| – \| 1 \|/);
});
