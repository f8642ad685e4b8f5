// SPDX-License-Identifier: MIT
// The public cases of WebSocket conformance, in our words: a tunnel changes no verdict on them. Each is told the service
// directly, then through the gateway: spliced and inspected, over HTTP/1.1 and over HTTP/2; once in one piece and once
// cut at odd places. Where the service would fail the connection, an inspecting gateway may be quicker than it, and must
// name the code of RFC 6455 itself. Sections and numbers are the public suite's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { startGateway } from './support/gateway.mjs';
import { leaveAll } from './support/raw.mjs';
import { Context, Opcode, closing, cut, http2Session, inFragments, overHttp1, overHttp2, verdictOn, wsFrame } from './support/ws_raw.mjs';

const { CONTINUATION, TEXT, BINARY, PING, PONG } = Opcode;
const AT_ONCE = 32; // dialogues beside each other

// ---- what a client says. A row: number, what it is, the frames, and what is special
//   closes: [1002]      the service's close code, where it is not 1000; several: any of them
//   fails: true         they break a rule, so the service fails the connection
//   ends: true          they have a Close of their own; to all others one is added
//   sizes: [64]         how it is cut, instead of in the usual ways
//   offers: '...'       the extensions; then the frames may be a function of those agreed on

const text = (payload, how) => wsFrame(TEXT, payload, how);
const binary = (payload, how) => wsFrame(BINARY, payload, how);
const more = (payload, how) => wsFrame(CONTINUATION, payload, how);
const pinged = (payload, how) => wsFrame(PING, payload, how);
const ponged = (payload, how) => wsFrame(PONG, payload, how);
const begins = { fin: false };
const hex = (digits) => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const BROKEN = { closes: [1002], fails: true };
const NOT_UTF8 = { closes: [1007], fails: true };
const stars = (n) => '*'.repeat(n);

const framing = [
  ...[0, 125, 126, 127, 128, 65535, 65536].map((size, i) => [`1.1.${i + 1}`, `text of ${size}`, [text(stars(size))]]),
  ['1.1.8', 'text of 65536, in small segments', [text(stars(65536))], { sizes: [997] }],
  ...[0, 125, 126, 127, 128, 65535, 65536].map((size, i) => [`1.2.${i + 1}`, `binary of ${size}`, [binary(Buffer.alloc(size, 0xfe))]]),
  ['1.2.8', 'binary of 65536, in small segments', [binary(Buffer.alloc(65536, 0xfe))], { sizes: [997] }],
];

const tenPings = Array.from({ length: 10 }, (_, i) => pinged(`payload-${i}`));
const pings = [
  ['2.1', 'an empty ping', [pinged()]],
  ['2.2', 'a ping with text', [pinged('Hello, world!')]],
  ['2.3', 'a ping with octets', [pinged(hex('00 ff fe fd fc fb 00 ff'))]],
  ['2.4', 'a ping of 125', [pinged(Buffer.alloc(125, 0xfe))]],
  ['2.5', 'a ping of 126', [pinged(Buffer.alloc(126, 0xfe))], BROKEN],
  ['2.6', 'a ping of 125, octet by octet', [pinged(Buffer.alloc(125, 0xfe))], { sizes: [1] }],
  ['2.7', 'an empty pong nobody asked for', [ponged()]],
  ['2.8', 'a pong with text nobody asked for', [ponged('unsolicited')]],
  ['2.9', 'a pong nobody asked for, then a ping', [ponged('unsolicited'), pinged('ping')]],
  ['2.10', 'ten pings', tenPings],
  ['2.11', 'ten pings, octet by octet', tenPings, { sizes: [1] }],
];

const reserved = [
  ['3.1', 'text with RSV 1', [text('Hello', { rsv: 1 })], BROKEN],
  ['3.2', 'text, text with RSV 2, ping', [text('Hello'), text('Hello', { rsv: 2 }), pinged()], BROKEN],
  ['3.3', 'the same with RSV 3, frame by frame', [text('Hello'), text('Hello', { rsv: 3 }), pinged()], { ...BROKEN, sizes: [11] }],
  ['3.4', 'the same with RSV 4, octet by octet', [text('Hello'), text('Hello', { rsv: 4 }), pinged()], { ...BROKEN, sizes: [1] }],
  ['3.5', 'binary with RSV 5', [binary(Buffer.alloc(8, 0xff), { rsv: 5 })], BROKEN],
  ['3.6', 'ping with RSV 6', [pinged('Hello', { rsv: 6 })], BROKEN],
  ['3.7', 'close with RSV 7', [wsFrame(Opcode.CLOSE, hex('03e8'), { rsv: 7 })], { ...BROKEN, ends: true }],
];

const opcodes = [[3, 4, 5, 6, 7], [11, 12, 13, 14, 15]].flatMap((unknown, kind) => [
  [`4.${kind + 1}.1`, `opcode ${unknown[0]}`, [wsFrame(unknown[0])], BROKEN],
  [`4.${kind + 1}.2`, `opcode ${unknown[1]} with a payload`, [wsFrame(unknown[1], 'reserved')], BROKEN],
  [`4.${kind + 1}.3`, `text, opcode ${unknown[2]}, ping`, [text('Hello'), wsFrame(unknown[2]), pinged()], BROKEN],
  [`4.${kind + 1}.4`, `text, opcode ${unknown[3]} with a payload, ping`, [text('Hello'), wsFrame(unknown[3], 'reserved'), pinged()], BROKEN],
  [`4.${kind + 1}.5`, `the same with ${unknown[4]}, octet by octet`, [text('Hello'), wsFrame(unknown[4], 'reserved'), pinged()], { ...BROKEN, sizes: [1] }],
]);

const twice = (frames) => [...frames, ...frames];
const twoParts = [text('fragment1', begins), more('fragment2')];
const pingBetween = [text('fragment1', begins), pinged('ping'), more('fragment2')];
const fiveParts = [text('fragment1', begins), more('fragment2', begins), pinged('ping 1'), more('fragment3', begins), more('fragment4', begins), pinged('ping 2'), more('fragment5')];
const three = (number, what, frames, how) => [
  [`5.${number}`, what, frames, how],
  [`5.${number + 1}`, `${what}, in segments of 7`, frames, { ...how, sizes: [7] }],
  [`5.${number + 2}`, `${what}, octet by octet`, frames, { ...how, sizes: [1] }],
];
const fragmentation = [
  ['5.1', 'a ping in two fragments', [pinged('fragment1', begins), more('fragment2')], BROKEN],
  ['5.2', 'a pong in two fragments', [ponged('fragment1', begins), more('fragment2')], BROKEN],
  ...three(3, 'text in two fragments', twoParts),
  ...three(6, 'text in two fragments, a ping between them', pingBetween),
  ...three(9, 'a continuation of nothing, then text', [more('non-continuation payload'), text('Hello')], BROKEN),
  ...three(12, 'an unfinished continuation of nothing, then text', [more('non-continuation payload', begins), text('Hello')], BROKEN),
  ['5.15', 'text in two fragments, a continuation of nothing, text', [...twoParts, more('fragment3', begins), text('fragment4')], BROKEN],
  ['5.16', 'twice: an unfinished continuation of nothing, text in two', twice([more('fragment1', begins), text('fragment2', begins), more('fragment3')]), BROKEN],
  ['5.17', 'twice: a continuation of nothing, text in two', twice([more('fragment1'), text('fragment2', begins), more('fragment3')]), BROKEN],
  ['5.18', 'two fragments that are both text', [text('fragment1', begins), text('fragment2')], BROKEN],
  ['5.19', 'text in five fragments, pings between them', fiveParts, { sizes: [15] }],
  ['5.20', 'the same in another rhythm', fiveParts, { sizes: [2] }],
];

// ---- 6, after Markus Kuhn's stress test of UTF-8 decoders

const greek = hex('ceba e1bdb9 cf83 cebc ceb5'), manners = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!');
const surrogate = Buffer.concat([greek, hex('eda080'), Buffer.from('edited')]), tooHigh = Buffer.concat([greek, hex('f4908080'), Buffer.from('edited')]);
const borders = new Set([2, 5, 7, 9, 11]); // of the characters in `greek`
const octetsOf = (from, to, behind = '') => Array.from({ length: to - from + 1 }, (_, i) => (from + i).toString(16) + behind).join('');
const sequences = (number, what, list, how) => list.map((digits, i) => [`6.${number}.${i + 1}`, `${what}: ${digits.slice(0, 24)}`, [text(hex(digits))], how]);
const noncharacters = Array.from({ length: 17 }, (_, plane) => [0xfffe, 0xffff].map((last) => Buffer.from(String.fromCodePoint(plane * 0x10000 + last)).toString('hex'))).flat();
const truncated = ['c0', 'e080', 'f08080', 'f8808080', 'fc80808080', 'df', 'efbf', 'f7bfbf', 'fbbfbfbf', 'fdbfbfbfbf'];
const utf8 = [
  ['6.1.1', 'text of nothing', [text()]],
  ['6.1.2', 'text of three empty fragments', [text('', begins), more('', begins), more()]],
  ['6.1.3', 'text of three fragments, the middle one not empty', [text('', begins), more('middle frame payload', begins), more()]],
  ['6.2.1', 'characters of all kinds', [text(manners)]],
  ['6.2.2', 'characters of all kinds, two fragments', inFragments(TEXT, manners, 13)],
  ['6.2.3', 'characters of all kinds, an octet a fragment', inFragments(TEXT, manners, 1)],
  ['6.2.4', 'Greek, an octet a fragment', inFragments(TEXT, greek, 1)],
  ['6.3.1', 'a surrogate inside text', [text(surrogate)], NOT_UTF8],
  ['6.3.2', 'a surrogate inside text, an octet a fragment', inFragments(TEXT, surrogate, 1), NOT_UTF8],
  ['6.4.1', 'beyond U+10FFFF, the fault in a fragment of its own', [text(greek, begins), more(hex('f4908080'), begins), more('edited')], NOT_UTF8],
  ['6.4.2', 'beyond U+10FFFF, the fault between two fragments', [text(tooHigh.subarray(0, 12), begins), more(tooHigh.subarray(12, 13), begins), more(tooHigh.subarray(13))], NOT_UTF8],
  ['6.4.3', 'beyond U+10FFFF in one frame, cut before and behind the fault', [text(tooHigh)], { ...NOT_UTF8, sizes: [17, 4] }],
  ['6.4.4', 'beyond U+10FFFF in one frame, cut inside the fault', [text(tooHigh)], { ...NOT_UTF8, sizes: [18, 1] }],
  ...[greek, manners].map((bytes, i) => [`6.5.${i + 1}`, 'valid text', [text(bytes)]]),
  ...Array.from({ length: 11 }, (_, i) => [`6.6.${i + 1}`, `the first ${i + 1} octets of Greek`, [text(greek.subarray(0, i + 1))], borders.has(i + 1) ? {} : NOT_UTF8]),
  ...sequences(7, 'the first of its length', ['00', 'c280', 'e0a080', 'f0908080']),
  ...sequences(8, 'the first of a length there is none of', ['f888808080', 'fc8480808080'], NOT_UTF8),
  ...sequences(9, 'the last of its length', ['7f', 'dfbf', 'efbfbf', 'f48fbfbf']),
  ...sequences(10, 'the last of a length there is none of', ['f7bfbfbf', 'fbbfbfbfbf', 'fdbfbfbfbfbf'], NOT_UTF8),
  ...sequences(11, 'beside a border', ['ed9fbf', 'ee8080', 'efbfbd', 'f48fbfbf']),
  ['6.11.5', 'just beyond the last', [text(hex('f4908080'))], NOT_UTF8],
  ...sequences(12, 'a continuation of nothing', ['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf', octetsOf(0x80, 0xbf)], NOT_UTF8),
  ...sequences(13, 'a start and a blank', [octetsOf(0xc0, 0xdf, '20'), octetsOf(0xe0, 0xef, '20'), octetsOf(0xf0, 0xf7, '20'), octetsOf(0xf8, 0xfb, '20'), octetsOf(0xfc, 0xfd, '20')], NOT_UTF8),
  ...sequences(14, 'without its last octet', truncated, NOT_UTF8),
  ...sequences(15, 'all of those', [truncated.join('')], NOT_UTF8),
  ...sequences(16, 'octets that never are', ['fe', 'ff', 'fefeffff'], NOT_UTF8),
  ...sequences(17, 'a slash, too long', ['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af'], NOT_UTF8),
  ...sequences(18, 'the highest that is too long', ['c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf'], NOT_UTF8),
  ...sequences(19, 'NUL, too long', ['c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080'], NOT_UTF8),
  ...sequences(20, 'a surrogate', ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf'], NOT_UTF8),
  ...sequences(21, 'a pair of surrogates', ['eda080', 'edadbf', 'edae80', 'edafbf'].flatMap((high) => ['edb080', 'edbfbf'].map((low) => high + low)), NOT_UTF8),
  ...sequences(22, 'no character, but well formed', noncharacters),
  ...sequences(23, 'one of the specials', ['efbfb9', 'efbfba', 'efbfbb', 'efbfbc', 'efbfbd', 'efbfbe', 'efbfbf']),
];

// ---- 7

const ends = { ends: true };
const closingCases = [
  ['7.1.1', 'text, close', [text('Hello World!'), closing(1000)], ends],
  ['7.1.2', 'close twice', [closing(1000), closing(1000)], ends],
  ['7.1.3', 'a ping behind close', [closing(1000), pinged()], ends],
  ['7.1.4', 'text behind close', [closing(1000), text('too late')], ends],
  ['7.1.5', 'close inside a message', [text('fragment1', begins), closing(1000), more('fragment2')], ends],
  ['7.1.6', '256 KB, close, ping', [text(stars(256 << 10)), closing(1000), pinged()], ends],
  ['7.3.1', 'close without a payload', [closing()], { ends: true, closes: [1005] }],
  ['7.3.2', 'close with half a code', [wsFrame(Opcode.CLOSE, 'a')], { ends: true, ...BROKEN }],
  ['7.3.3', 'close with a code', [closing(1000)], ends],
  ['7.3.4', 'close with a reason', [closing(1000, 'Hello World!')], ends],
  ['7.3.5', 'close with the longest reason', [closing(1000, stars(123))], ends],
  ['7.3.6', 'close with a longer one', [closing(1000, stars(124))], { ends: true, ...BROKEN }],
  ['7.5.1', 'close with a reason that is not UTF-8', [closing(1000, surrogate)], { ends: true, closes: [1002, 1007], fails: true }],
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map((code, i) => [`7.7.${i + 1}`, `close with ${code}`, [closing(code)], { ends: true, closes: [code] }]),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999].map((code, i) => [`7.9.${i + 1}`, `close with ${code}, which may not be sent`, [closing(code)], { ends: true, ...BROKEN }]),
  ...[5000, 65535].map((code, i) => [`7.13.${i + 1}`, `close with ${code}, which nobody has defined`, [closing(code)], { ends: true, ...BROKEN }]),
];

// ---- 9 and 10

const KB = 1 << 10;
const kinds = [[TEXT, 'text', (size) => Buffer.alloc(size, 'largely the same ')], [BINARY, 'binary', (size) => Buffer.alloc(size, 0xfe)]];
const limits = kinds.flatMap(([opcode, name, make], kind) => [
  ...[64, 256, 1024].map((size, i) => [`9.${1 + kind}.${i + 1}`, `${name} of ${size} KB`, [wsFrame(opcode, make(size * KB))]]),
  ...[64, 256, KB, 4 * KB, 16 * KB, 64 * KB, 256 * KB].map((size, i) => [`9.${3 + kind}.${i + 1}`, `${name} of 256 KB in fragments of ${size}`, inFragments(opcode, make(256 * KB), size)]),
  ...[64, 128, 256, 512, KB, 2 * KB].map((size, i) => [`9.${5 + kind}.${i + 1}`, `${name} of 64 KB in segments of ${size}`, [wsFrame(opcode, make(64 * KB))], { sizes: [size] }]),
  ...[0, 16, 64, 256, KB, 4 * KB].map((size, i) => [`9.${7 + kind}.${i + 1}`, `${name} of ${size} a hundred times`, Array.from({ length: 100 }, () => wsFrame(opcode, make(size)))]),
]);
const automatic = [['10.1.1', 'text of 64 KB in fragments of 1300', inFragments(TEXT, stars(64 * KB), 1300)]];

// ---- 12 and 13: permessage-deflate

const PMD = 'permessage-deflate';
const words = (size) => Buffer.alloc(size, 'Habe nun, ach! Philosophie, Juristerei und Medizin, und leider auch Theologie durchaus studiert. ');
const records = (size) => Buffer.from(Array.from({ length: size / 32 + 1 }, (_, i) => `{"n":${i},"even":${i % 2 === 0},"name":"${i * 7919}"}`).join(',').slice(0, size));
/** The same noise every time. */
function noise(size) {
  const bytes = Buffer.alloc(size);
  for (let at = 0, state = 1; at < size; ++at) bytes[at] = (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
  return bytes;
}
/** Messages that refer to those before them, unless it was agreed that they do not. */
const compressed = (opcode, make, { times = 8, fragment = Infinity } = {}) => (agreed) => {
  const context = new Context();
  const forgets = agreed.includes('client_no_context_takeover');
  return Array.from({ length: times }, (_, i) => inFragments(opcode, context.deflate(make(i), { forgets }), fragment, { rsv: 4 })).flat();
};
const SIZES = [16, 64, 256, KB, 4 * KB, 8 * KB, 16 * KB, 32 * KB, 64 * KB, 128 * KB];
const offers = { offers: PMD };
const hello = () => new Context().deflate(Buffer.from('Hello'));
const compression = [
  ...[[TEXT, 'records', records], [BINARY, 'noise', noise], [TEXT, 'words', words]].flatMap(([opcode, name, make], i) =>
    SIZES.map((size, k) => [`12.${i + 1}.${k + 1}`, `${name} of ${size}`, compressed(opcode, () => make(size)), offers])),
  ...SIZES.slice(3, 8).map((size, k) => [`12.4.${k + 1}`, `words of ${size} in fragments`, compressed(TEXT, () => words(size), { fragment: 11 }), offers]),
  ...[
    PMD, `${PMD}; server_no_context_takeover`, `${PMD}; server_max_window_bits=9`, `${PMD}; server_max_window_bits=15`,
    `${PMD}; server_no_context_takeover; server_max_window_bits=9`, `${PMD}; client_no_context_takeover; client_max_window_bits`,
    `${PMD}; server_no_context_takeover; server_max_window_bits=9, ${PMD}; server_no_context_takeover, ${PMD}`,
  ].flatMap((offer, i) => [64, 4 * KB].map((size, k) => [`13.${i + 1}.${k + 1}`, `records of ${size}: ${offer}`, compressed(TEXT, () => records(size)), { offers: offer }])),
  ['12.5.1', 'some messages compressed, others not', (agreed) => [...compressed(TEXT, () => words(100))(agreed), text('plain'), ...compressed(TEXT, () => words(100), { times: 1 })(agreed)], offers],
  ['12.5.2', 'a ping between fragments', () => [text(hello().subarray(0, 3), { fin: false, rsv: 4 }), pinged('ping'), more(hello().subarray(3))], offers],
  ['12.5.3', 'what is no deflate', [text(hex('ffffffff'), { rsv: 4 })], { ...offers, closes: [1002, 1007], fails: true }],
  ['12.5.4', 'what inflates to no UTF-8', () => [text(new Context().deflate(hex('eda080')), { rsv: 4 })], { ...offers, ...NOT_UTF8 }],
  ['12.5.5', 'RSV1 on a continuation', () => [text(hello().subarray(0, 3), { fin: false, rsv: 4 }), more(hello().subarray(3), { rsv: 4 })], { ...offers, ...BROKEN }],
  ['12.5.6', 'RSV1 on a ping', [pinged('ping', { rsv: 4 })], { ...offers, ...BROKEN }],
  ['12.5.7', 'RSV2 on a compressed message', () => [text(hello(), { rsv: 6 })], { ...offers, ...BROKEN }],
];

const masking = [
  ['5.1.a', 'text that is not masked', [text('Hello', { masked: false })], BROKEN],
  ['5.1.b', 'a close that is not masked', [wsFrame(Opcode.CLOSE, hex('03e8'), { masked: false })], { ends: true, ...BROKEN }],
];

const SECTIONS = {
  '1 framing': framing, '2 pings': pings, '3 reserved bits': reserved, '4 opcodes': opcodes, '5 fragmentation': fragmentation, '6 UTF-8': utf8,
  '7 closing': closingCases, '9 limits': limits, '10 fragments': automatic, '12 and 13 compression': compression, 'RFC 6455 §5.1 masking': masking,
};

// ---- how they are told

/** The usual ways to cut: not at all; and never where a frame, a head or a character ends. */
const odd = (size) => (size < 1000 ? [1, 3, 2, 5, 7] : [1, 3, 4093, 7, 16381]);
const CUTS = { 'in one piece': (bytes, sizes) => (sizes ? cut(bytes, sizes) : [bytes]), 'cut at odd places': (bytes, sizes) => cut(bytes, sizes ? [3, ...sizes] : odd(bytes.length)) };

let gateway, service, session;
const DIRECTLY = (extensions) => overHttp1(service.address().port, '/', extensions);
const WAYS = {
  'spliced over HTTP/1.1': (extensions) => overHttp1(gateway.port, '/spliced', extensions),
  'inspected over HTTP/1.1': (extensions) => overHttp1(gateway.port, '/inspected', extensions),
  'spliced over HTTP/2': (extensions) => overHttp2(session, '/spliced', extensions),
  'inspected over HTTP/2': (extensions) => overHttp2(session, '/inspected', extensions),
};

async function verdictOnCase(way, cutting, [, , frames, { sizes, offers, ends } = {}]) {
  const peer = await way(offers);
  const said = [typeof frames === 'function' ? frames(peer.agreed) : frames, ends ? [] : closing(1000)].flat();
  return verdictOn(peer, cutting(Buffer.concat(said), sizes));
}

/** The verdicts by number, a batch of dialogues at once. */
async function verdictsOn(rows, way, cutting) {
  const verdicts = {};
  const waiting = [...rows];
  const worker = async () => {
    for (let row; (row = waiting.shift()); ) verdicts[`${row[0]} ${row[1]}`] = await verdictOnCase(way, cutting, row);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return verdicts;
}

beforeAll(async () => {
  service = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0 } });
  service.on('connection', (socket) => {
    socket.on('error', () => {}); // ws has told the client already
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise((resolve) => service.once('listening', resolve));
  gateway = await startGateway({
    services: { echo: { endpoints: [{ host: '127.0.0.1', port: service.address().port }] } },
    routes: [
      { name: 'spliced', prefix: '/spliced', service: 'echo' },
      { name: 'inspected', prefix: '/inspected', service: 'echo', websocket: { max_message_size: '16MB', max_inflated_size: '64MB' } },
    ],
  });
});

afterAll(async () => {
  leaveAll();
  await gateway.stop();
  expect(gateway.stderr).toBe('');
  for (const socket of service.clients) socket.terminate();
  service.close();
});

let told = 0;

describe.each(Object.entries(SECTIONS))('%s', (_, rows) => {
  describe.each(Object.entries(CUTS))('%s', (_, cutting) => {
    const direct = {};

    test('the service does what RFC 6455 says', async () => {
      Object.assign(direct, await verdictsOn(rows, DIRECTLY, cutting));
      for (const [number, what, , { closes = [1000] } = {}] of rows) {
        const { closed, ended } = direct[`${number} ${what}`];
        expect({ number, closed, ended }).toEqual({ number, closed: expect.toBeOneOf(closes), ended: 'closed' });
      }
      told += rows.length;
    });

    test.each(Object.entries(WAYS))('%s', async (name, way) => {
      session = await http2Session(gateway.port);
      const verdicts = await verdictsOn(rows, way, cutting);
      session.close();
      expect(verdicts).toEqual(name.startsWith('inspected') ? allowedInstead(rows, direct, verdicts) : direct);
      told += rows.length;
    });
  });
});

/** What the service does; but where it fails the connection, any code the RFC allows, in any words, and perhaps before the last echoes. */
function allowedInstead(rows, direct, verdicts) {
  const allowed = { ...direct };
  for (const [number, what, , { closes, fails } = {}] of rows) {
    const name = `${number} ${what}`;
    const { reason, frames } = verdicts[name];
    if (fails) allowed[name] = { ...direct[name], closed: expect.toBeOneOf(closes), reason, frames: direct[name].frames.slice(0, frames.length) };
  }
  return allowed;
}

const CASES = Object.values(SECTIONS).flat();
test('no case is there twice', () => expect(new Set(CASES.map(([number]) => number)).size).toBe(CASES.length));
afterAll(() => console.log(`WebSocket: ${CASES.length} cases, ${told} dialogues with the verdict they should have`));
