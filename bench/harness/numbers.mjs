// SPDX-License-Identifier: MIT

export function median(values) {
    const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
    if (sorted.length === 0) return null;
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The median of one number over the rounds.
export const medianOf = (rounds, pick) => median(rounds.map(pick));

// Both were measured in the same round, so what disturbed one disturbed the other: the ratio is
// taken there, and the median afterwards.
export function pairedRatio(rounds, others, pick) {
    return median(rounds.map((round, i) => (others[i] ? pick(round) / pick(others[i]) : NaN)));
}

export const digits = (value, count) => (Number.isFinite(value) ? value.toFixed(count) : '–');
