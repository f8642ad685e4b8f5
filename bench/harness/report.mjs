// SPDX-License-Identifier: MIT
// The measured numbers as Markdown: medians over the rounds, ratios within them.

import { digits, medianOf, pairedRatio } from './numbers.mjs';

const rivals = ['nginx', 'haproxy'];
const MiB = 1 << 20;

const tables = { cpu: cpuTable, policies: policiesTable, latency: latencyTable, idle: idleTable, reload: reloadTable,
                 rss: rssTable, instructions: instructionsTable };

export function scenarioMarkdown(name, { kind, title, rows, mark }) {
    return `\n### \`${name}\`: ${title}\n\n${tables[kind](rows, mark)}`;
}

export function headMarkdown({ when, machine, versions, options, commit }) {
    const lines = [
        `- ${when}, ${machine.cpu} × ${machine.cores}, Linux ${machine.kernel}, commit ${commit}`,
        ...Object.entries(versions).map(([name, version]) => `- ${name}: ${version}`),
        `- proxy on core ${options.proxyCore}, load and origin on core ${options.loadCore}; ` +
            `forwarding headers: ${options.headers}; medians of ${options.rounds} rounds`,
    ];
    return `## Side by side\n\n${lines.join('\n')}`;
}

// Of a proxy's variants the one that costs least.
function bestOf(rows, name, pick) {
    const variants = Object.keys(rows).filter((row) => row.split('+')[0] === name && rows[row].length);
    const cost = (row) => medianOf(rows[row], pick);
    return variants.sort((a, b) => cost(a) - cost(b))[0];
}

function ratios(rows, name, pick) {
    return rivals.map((rival) => {
        const best = bestOf(rows, rival, pick);
        return best ? digits(pairedRatio(rows[name], rows[best], pick), 3) : '–';
    });
}

function cpuTable(rows) {
    const cost = (round) => round.cpu_us ?? NaN;
    // A server that gives no ticket has less to do, and its client the more next time.
    const withTickets = Object.values(rows).flat().some((round) => round.tickets > 0);
    return table(['proxy', 'user µs', 'system µs', 'CPU µs', 'least – most', 'requests/s', 'p50 µs',
                  'p99 µs', '× nginx', '× HAProxy', 'failures', 'cores others used', ...(withTickets ? ['tickets each'] : [])],
        Object.entries(rows).map(([name, rounds]) => [
            rounds.length ? name : `${name} (n/a)`,
            digits(medianOf(rounds, (round) => round.user_us ?? NaN), 2),
            digits(medianOf(rounds, (round) => round.system_us ?? NaN), 2),
            strong(medianOf(rounds, cost), 2),
            range(rounds.map(cost)),
            digits(medianOf(rounds, (round) => round.per_second), 0),
            digits(medianOf(rounds, (round) => round.latency_us?.p50 ?? NaN), 0),
            digits(medianOf(rounds, (round) => round.latency_us?.p99 ?? NaN), 0),
            ...ratios(rows, name, cost),
            total(rounds, 'errors'),
            digits(medianOf(rounds, (round) => round.cores_used_by_others), 2),
            ...(withTickets ? [digits(medianOf(rounds, (round) => round.tickets / round.requests), 2)] : []),
        ]));
}

// What one of them costs beside each of the others.
function policiesTable(rows, mark) {
    const cost = (round) => round.cpu_us ?? NaN;
    return table(['proxy', 'user µs', 'system µs', 'CPU µs', 'least – most', 'requests/s', `${mark} × this`, 'failures', 'cores others used'],
        Object.entries(rows).map(([name, rounds]) => [
            name,
            digits(medianOf(rounds, (round) => round.user_us ?? NaN), 2),
            digits(medianOf(rounds, (round) => round.system_us ?? NaN), 2),
            strong(medianOf(rounds, cost), 2),
            range(rounds.map(cost)),
            digits(medianOf(rounds, (round) => round.per_second), 0),
            name === mark ? '–' : digits(pairedRatio(rows[mark], rounds, cost), 3),
            total(rounds, 'errors'),
            digits(medianOf(rounds, (round) => round.cores_used_by_others), 2),
        ]));
}

function latencyTable(rows) {
    const added = (name, percentile) => rows[name].map((round, i) => ({
        value: round.latency_us[percentile] - rows.direct[i].latency_us[percentile] }));
    const value = (round) => round.value;
    const addedRows = Object.fromEntries(Object.keys(rows).map((name) => [name, added(name, 'p99')]));
    return table(['proxy', 'p50 µs', 'p99 µs', 'added p50', 'added p99', '× nginx', '× HAProxy',
                  'CPU µs', 'sent late p99 µs', 'failures', 'cores others used'],
        Object.entries(rows).map(([name, rounds]) => [
            name,
            digits(medianOf(rounds, (round) => round.latency_us.p50), 0),
            digits(medianOf(rounds, (round) => round.latency_us.p99), 0),
            ...(name === 'direct' ? ['–', '–', '–', '–'] : [
                digits(medianOf(added(name, 'p50'), value), 0),
                strong(medianOf(added(name, 'p99'), value), 0),
                ...ratios(addedRows, name, value)]),
            digits(medianOf(rounds, (round) => round.cpu_us ?? NaN), 2),
            digits(medianOf(rounds, (round) => round.late_us.p99), 0),
            total(rounds, 'errors'),
            digits(medianOf(rounds, (round) => round.cores_used_by_others), 2),
        ]));
}

function idleTable(rows) {
    const each = (round) => round.bytes_per_connection;
    return table(['proxy', 'before MiB', 'with them MiB', 'KiB a connection', '× nginx', '× HAProxy',
                  'still open'],
        Object.entries(rows).map(([name, rounds]) => [
            name,
            digits(medianOf(rounds, (round) => round.before / MiB), 1),
            digits(medianOf(rounds, (round) => round.after / MiB), 1),
            strong(medianOf(rounds, each) / 1024, 2),
            ...ratios(rows, name, each),
            digits(medianOf(rounds, (round) => round.still_open), 0),
        ]));
}

function reloadTable(rows) {
    return table(['proxy', 'reloads', 'requests', 'failures', 'of which', 'p99 µs', 'most µs', 'in force after, most ms'],
        Object.entries(rows).map(([name, [round]]) => [
            name, round.reloads, round.requests, `**${round.errors}**`,
            Object.entries(round.failures).filter(([, count]) => count > 0)
                .map(([kind, count]) => `${kind} ${count}`).join(', ') || '–',
            digits(round.latency_us.p99, 0), digits(round.latency_us.max, 0),
            round.applied_ms?.length ? digits(Math.max(...round.applied_ms), 1) : '–',
        ]));
}

function rssTable(rows) {
    return table(['proxy', 'MiB'], Object.entries(rows).map(
        ([name, rounds]) => [name, digits(medianOf(rounds, (round) => round.bytes / MiB), 1)]));
}

function instructionsTable(rows) {
    return table(['proxy', 'one connection', '16 connections', '× nginx', '× HAProxy'],
        Object.entries(rows).map(([name, rounds]) => [
            name, digits(rounds[0].one, 0), digits(rounds[0].sixteen, 0),
            ...ratios(rows, name, (round) => round.sixteen)]));
}

function strong(value, count) { return Number.isFinite(value) ? `**${digits(value, count)}**` : '–'; }

function total(rounds, key) { return rounds.reduce((sum, round) => sum + round[key], 0); }

function range(values) {
    const finite = values.filter(Number.isFinite);
    return finite.length ? `${digits(Math.min(...finite), 2)} – ${digits(Math.max(...finite), 2)}` : '–';
}

function table(names, rows) {
    const line = (cells) => `| ${cells.join(' | ')} |`;
    return [line(names), line(names.map((_, i) => (i ? '---:' : '---'))), ...rows.map(line)].join('\n');
}
