// SPDX-License-Identifier: MIT
// The cases of the public HTTP/2 conformance suite, over TCP and over TLS. Each row says what the client does and what
// RFC 9113 and RFC 7541 let the gateway answer; the words are ours, the sections the suite's (it counts as RFC 7540 does).
// What is malformed must be told so: an ordinary answer is a failure, and so is saying nothing for two seconds.
import http from 'node:http';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from './support/certificate.mjs';
import { freePort, startGateway } from './support/gateway.mjs';
import {
  Code, EOS, Flag, PREFACE, Setting, Type, coded, codeName, continuation, data, dependency, described, fields, frame, goaway, headers,
  huffmanBits, indexed, integer, join, literal, overTcp, overTls, packed, ping, priority, rst, settings, tableSize, u32, windowUpdate,
} from './support/h2_raw.mjs';
import { within } from './support/wait.mjs';

const PATIENCE = 2_000;
const LARGEST_WINDOW = 2 ** 31 - 1;
const { END_HEADERS, END_STREAM, PADDED } = Flag;
const { PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, COMPRESSION_ERROR } = Code;

// ---- what the client says

/** A request's block; the service answers with what `x-say` says. */
const block = (c, more = [], { method = 'GET', path = '/said' } = {}) =>
  fields([[':method', method], [':scheme', c.scheme], [':path', path], [':authority', 'gateway.test'], ...more]);
const post = (c, more = []) => block(c, more, { method: 'POST' });
/** A request that is answered only when the client has left. */
const held = (c, more = []) => block(c, more, { path: '/held' });
const without = (c, ...names) =>
  fields([[':method', 'GET'], [':scheme', c.scheme], [':path', '/said'], [':authority', 'gateway.test']].filter(([name]) => !names.includes(name)));

const get = (c, id = 1) => headers(id, block(c));
const getHeld = (c, id = 1) => headers(id, held(c));
const openHeld = (c, id = 1) => headers(id, held(c), END_HEADERS);
const openPost = (c, id = 1) => headers(id, post(c), END_HEADERS);
const asks = (more) => (c) => c.send(headers(1, block(c, more)));
async function getToTheEnd(c, id = 1) {
  c.send(get(c, id));
  expect(await c.streamEnd(id)).toBeTruthy();
  c.judgedFromHere();
}
/** A block that ends elsewhere, in a first frame that is not its end. */
const halfBlock = (c, id = 1) => headers(id, block(c), END_STREAM);
const field = (bytes) => (c) => c.send(headers(1, join(block(c), bytes)));
const say = (how) => field(literal('x-say', 'word', how));

// ---- what the gateway answers

/** What came instead of `wanted`, in words; nothing is forgiven that is not in `passing`. */
async function firstOf(c, wanted, passing = () => false) {
  const found = await c.first((f) => wanted(f) || !(CHORES.has(f.type) || passing(f)));
  if (found && !wanted(found)) throw new Error(`answered ${described(found)}`);
  return found;
}
const CHORES = new Set([Type.SETTINGS, Type.WINDOW_UPDATE, Type.PING]);
const told = (codes) => codes.map(codeName).join(' or ');
const isAnswerOn = (...ids) => (f) => (f.type === Type.HEADERS || f.type === Type.DATA) && ids.includes(f.id);

/** GOAWAY with one of the codes, and then the end (§5.4.1). On the streams in `beside` there may be an answer. */
const connectionError = (...codes) => named(`a connection error, ${told(codes)}`, async (c, { beside = [] } = {}) => {
  const goodbye = await firstOf(c, (f) => f.type === Type.GOAWAY && codes.includes(f.code), isAnswerOn(...beside));
  if (!goodbye) throw new Error('closed without a word');
  await c.closed();
});

/** RST_STREAM, and the connection lives (§5.4.2); or it is a connection error, as any stream error may be. */
const streamError = (id, ...codes) => named(`an error of stream ${id}, ${told(codes)}`, async (c, { beside = [] } = {}) => {
  const isReset = (f) => f.type === Type.RST_STREAM && f.id === id && codes.includes(f.code);
  const isGoodbye = (f) => f.type === Type.GOAWAY && codes.includes(f.code);
  const said = await firstOf(c, (f) => isReset(f) || isGoodbye(f), isAnswerOn(...beside));
  if (!said) throw new Error('closed without a word');
  if (isGoodbye(said)) return c.closed();
  c.judgedFromHere();
  await pong()(c);
});

/** Nothing to complain about: a PING is answered. */
const pong = (opaque = 'are you?') => named('all is well', async (c) => {
  c.send(ping('still in'), ping(opaque));
  const is = (what) => (f) => f.type === Type.PING && f.flags === Flag.ACK && f.payload.toString() === what;
  for (const what of ['still in', opaque]) if (!(await firstOf(c, is(what), isAnswerOn(1)))) throw new Error('closed');
});

const pingAck = (opaque) => named('the PING is acknowledged', async (c) => {
  const acks = (f) => f.type === Type.PING;
  const ack = await firstOf(c, acks);
  expect(ack).toMatchObject({ flags: Flag.ACK, id: 0 });
  expect(ack.payload.toString()).toBe(opaque);
});

const settingsAck = () => named('SETTINGS are acknowledged', async (c) => {
  if (!(await firstOf(c, (f) => f.type === Type.SETTINGS && f.flags === Flag.ACK))) throw new Error('closed');
});

/** The whole answer. */
const response = (body = 'hello', id = 1) => named('a response', async (c) => {
  const end = await firstOf(c, (f) => isAnswerOn(id)(f) && f.flags & END_STREAM, isAnswerOn(id));
  if (!end) throw new Error('closed');
  expect(c.frames.find((f) => f.type === Type.HEADERS && f.id === id).status).toBe(200);
  expect(c.bodyOf(id)).toBe(body);
});

/** The first of the answer's content that comes now is so long. */
const dataOf = (length) => named(`DATA of ${length}`, async (c) => {
  const piece = await firstOf(c, (f) => f.type === Type.DATA && f.payload.length > 0, isAnswerOn(1));
  expect(piece?.payload.length).toBe(length);
});

const end = () => named('the end of the connection', (c) => c.closed());
/** As `wanted`, or the connection ends in peace. */
const orEnd = (wanted) => named(`${wanted.words}, or the end`, async (c) => {
  await Promise.race([wanted(c).catch((error) => (c.ended ? null : Promise.reject(error))), c.closed()]);
  expect(c.frames.filter((f) => f.type === Type.GOAWAY && f.code !== Code.NO_ERROR)).toEqual([]);
});
const either = (...all) => named(all.map(({ words }) => words).join(', or '), (c, how) => Promise.any(all.map((one) => one(c, how))));

function named(words, check) {
  check.words = words;
  return check;
}

// ---- the cases: section, what the client does, how it does it, what it is answered, and what is special
//   greeted: false    there is no handshake before, and the client says its preface itself
//   beside: [5]       these streams may be answered

const generic = [
  ['1', 'says the preface', (c) => c.send(PREFACE, settings()), settingsAck(), { greeted: false }],

  ['2', 'PRIORITY on an idle stream', (c) => c.send(priority(1, 0)), pong()],
  ['2', 'WINDOW_UPDATE on a half-closed stream', (c) => c.send(get(c), windowUpdate(1, 100)), response()],
  ['2', 'PRIORITY on a half-closed stream', (c) => c.send(get(c), priority(1, 0)), response()],
  ['2', 'RST_STREAM on a half-closed stream', (c) => c.send(getHeld(c), rst(1)), pong()],
  ['2', 'PRIORITY on a closed stream', async (c) => { await getToTheEnd(c); c.send(priority(1, 0)); }, pong()],

  ['3.1', 'DATA', (c) => c.send(openPost(c), data(1, 'test')), response()],
  ['3.1', 'DATA in several frames', (c) => c.send(openPost(c), data(1, 'te', 0), data(1, 'st')), response()],
  ['3.1', 'DATA with padding', (c) => c.send(openPost(c), data(1, [6, ...Buffer.from('test'), 0, 0, 0, 0, 0, 0], END_STREAM | PADDED)), response()],

  ['3.2', 'HEADERS', (c) => c.send(get(c)), response()],
  ['3.2', 'HEADERS with padding', (c) => c.send(headers(1, join([6], block(c), Buffer.alloc(6)), END_HEADERS | END_STREAM | PADDED)), response()],
  ['3.2', 'HEADERS with a priority', (c) => c.send(headers(1, join(dependency(0, { weight: 255 }), block(c)), END_HEADERS | END_STREAM | Flag.PRIORITY)), response()],

  ['3.3', 'PRIORITY of weight 1', (c) => c.send(priority(1, 0, { weight: 1 }), get(c)), response()],
  ['3.3', 'PRIORITY of weight 256', (c) => c.send(priority(1, 0, { weight: 256 }), get(c)), response()],
  ['3.3', 'PRIORITY on top of another stream', (c) => c.send(priority(1, 0), priority(3, 1), headers(3, block(c))), response('hello', 3)],
  ['3.3', 'PRIORITY, exclusively', (c) => c.send(priority(1, 0), priority(3, 0, { exclusive: true }), headers(3, block(c))), response('hello', 3)],
  ['3.3', 'PRIORITY for a higher stream, then HEADERS', (c) => c.send(priority(5, 0), headers(3, block(c))), response('hello', 3)],

  ['3.4', 'RST_STREAM', (c) => c.send(openHeld(c), rst(1)), pong()],
  ['3.5', 'SETTINGS', (c) => c.send(settings([Setting.MAX_CONCURRENT_STREAMS, 100])), settingsAck()],
  ['3.7', 'PING', (c) => c.send(ping('opaque!!')), pingAck('opaque!!')],
  ['3.8', 'GOAWAY', (c) => c.send(goaway()), orEnd(pong())],
  ['3.9', 'WINDOW_UPDATE of the connection', (c) => c.send(windowUpdate(0, 1), get(c)), response()],
  ['3.9', 'WINDOW_UPDATE of a stream', (c) => c.send(get(c), windowUpdate(1, 1)), response()],
  ['3.10', 'CONTINUATION', (c) => c.send(halfBlock(c), continuation(1, fields([['x-say', 'more']]))), response('more')],
  ['3.10', 'several CONTINUATIONs', (c) => c.send(halfBlock(c), continuation(1, fields([['x-a', 'b']]), 0), continuation(1, fields([['x-say', 'more']]))), response('more')],

  ['4', 'GET', (c) => c.send(get(c)), response()],
  ['4', 'HEAD', (c) => c.send(headers(1, block(c, [], { method: 'HEAD' }))), response('')],
  ['4', 'POST', (c) => c.send(openPost(c), data(1, 'test')), response()],
  ['4', 'POST with trailers', (c) => c.send(headers(1, post(c, [['trailer', 'x-sum']]), END_HEADERS), data(1, 'test', 0), headers(1, fields([['x-sum', '1']]))), response()],

  ['5', 'an indexed field', (c) => c.send(headers(1, join(indexed(2), indexed(c.scheme === 'https' ? 7 : 6), literal(4, '/said'), literal(1, 'gateway.test'), indexed(16)))), response()],
  ...['incremental', 'without', 'never'].flatMap((kind) => [
    ['5', `a literal, indexing: ${kind}, its name indexed`, field(literal(58, 'word', { kind })), response('word')], // user-agent
    ['5', `a literal, indexing: ${kind}, its name indexed, in Huffman code`, field(literal(58, 'word', { kind, huffman: true })), response('word')],
    ['5', `a literal, indexing: ${kind}, its name new`, say({ kind }), response('word')],
    ['5', `a literal, indexing: ${kind}, its name new, in Huffman code`, say({ kind, huffman: true }), response('word')],
  ]),
  ['5', 'a size update of the dynamic table', (c) => c.send(headers(1, join(tableSize(30), block(c)))), response()],
  ['5', 'two size updates', (c) => c.send(headers(1, join(tableSize(30), tableSize(4096), block(c)))), response()],
];

const http2 = [
  ['3.5', 'says the preface, and is told SETTINGS first', (c) => c.send(PREFACE, settings()), named('SETTINGS first', async (c) => {
    expect(await c.first(() => true)).toMatchObject({ type: Type.SETTINGS, flags: 0, id: 0 });
  }), { greeted: false }],
  ['3.5', 'says another preface', (c) => c.send('INVALID CONNECTION PREFACE\r\n\r\n'), end(), { greeted: false }],

  ['4.1', 'a frame of an unknown type', (c) => c.send(frame(22, 0xff, 0, 'whatever')), pong()],
  ['4.1', 'PING with flags that mean nothing', (c) => c.send(ping('opaque!!', 0x16)), pingAck('opaque!!')],
  ['4.1', 'PING with the reserved bit', (c) => c.send(frame(Type.PING, 0, 0x80000000, 'opaque!!')), pingAck('opaque!!')],

  ['4.2', 'DATA of 2^14 octets', (c) => c.send(openPost(c), data(1, Buffer.alloc(2 ** 14))), response()],
  ['4.2', 'DATA that is larger', (c) => c.send(openPost(c), data(1, Buffer.alloc(2 ** 14 + 1))), streamError(1, FRAME_SIZE_ERROR)],
  ['4.2', 'HEADERS that are larger', (c) => c.send(headers(1, block(c, [['x', 'y'.repeat(2 ** 14)]]))), connectionError(FRAME_SIZE_ERROR)],

  ['4.3', 'a block that is no HPACK', (c) => c.send(headers(1, [0xff, 0xff, 0xff, 0xff, 0xff])), connectionError(COMPRESSION_ERROR)],
  ['4.3', 'PRIORITY inside a block', (c) => c.send(halfBlock(c), priority(1, 0), continuation(1, fields([['a', 'b']]))), connectionError(PROTOCOL_ERROR)],
  ['4.3', 'HEADERS of another stream inside a block', (c) => c.send(halfBlock(c), get(c, 3)), connectionError(PROTOCOL_ERROR)],

  ['5.1', 'idle: DATA', (c) => c.send(data(1, 'test')), connectionError(PROTOCOL_ERROR)],
  ['5.1', 'idle: RST_STREAM', (c) => c.send(rst(1)), connectionError(PROTOCOL_ERROR)],
  ['5.1', 'idle: WINDOW_UPDATE', (c) => c.send(windowUpdate(1, 100)), connectionError(PROTOCOL_ERROR)],
  ['5.1', 'idle: CONTINUATION', (c) => c.send(continuation(1, block(c))), connectionError(PROTOCOL_ERROR)],
  ['5.1', 'half-closed (remote): DATA', (c) => c.send(getHeld(c), data(1, 'test')), streamError(1, STREAM_CLOSED)],
  ['5.1', 'half-closed (remote): HEADERS', (c) => c.send(getHeld(c), getHeld(c)), streamError(1, STREAM_CLOSED)],
  ['5.1', 'half-closed (remote): CONTINUATION', (c) => c.send(getHeld(c), continuation(1, held(c))), streamError(1, STREAM_CLOSED, PROTOCOL_ERROR)],
  ['5.1', 'closed by RST_STREAM: DATA', (c) => c.send(openHeld(c), rst(1), data(1, 'test')), streamError(1, STREAM_CLOSED)],
  ['5.1', 'closed by RST_STREAM: HEADERS', (c) => c.send(openHeld(c), rst(1), getHeld(c)), streamError(1, STREAM_CLOSED, PROTOCOL_ERROR)],
  ['5.1', 'closed by RST_STREAM: CONTINUATION', (c) => c.send(openHeld(c), rst(1), continuation(1, fields([['a', 'b']]))), streamError(1, STREAM_CLOSED, PROTOCOL_ERROR)],
  ['5.1', 'closed: DATA', async (c) => { await getToTheEnd(c); c.send(data(1, 'test')); }, streamError(1, STREAM_CLOSED)],
  ['5.1', 'closed: HEADERS', async (c) => { await getToTheEnd(c); c.send(get(c)); }, connectionError(STREAM_CLOSED, PROTOCOL_ERROR)],
  ['5.1', 'closed: CONTINUATION', async (c) => { await getToTheEnd(c); c.send(continuation(1, fields([['a', 'b']]))); }, connectionError(STREAM_CLOSED, PROTOCOL_ERROR)],

  ['5.1.1', 'an even number', (c) => c.send(get(c, 2)), connectionError(PROTOCOL_ERROR)],
  ['5.1.1', 'a number below the last one', (c) => c.send(get(c, 5), get(c, 3)), connectionError(PROTOCOL_ERROR), { beside: [5] }],

  ['5.1.2', 'one stream more than there may be', (c) => {
    const most = c.settings.get(Setting.MAX_CONCURRENT_STREAMS);
    c.most = 2 * most + 1;
    for (let id = 1; id <= c.most; id += 2) c.send(openHeld(c, id));
  }, named('PROTOCOL_ERROR or REFUSED_STREAM', (c, how) => streamError(c.most, PROTOCOL_ERROR, REFUSED_STREAM)(c, how))],

  // RFC 9113 §5.3.2 does not ask for the error any more: whoever ignores priorities need not look.
  ['5.3.1', 'HEADERS that depend on their own stream', (c) => c.send(headers(1, join(dependency(1), block(c)), END_HEADERS | END_STREAM | Flag.PRIORITY)),
    either(streamError(1, PROTOCOL_ERROR), response())],
  ['5.3.1', 'PRIORITY that depends on its own stream', (c) => c.send(priority(2, 2)), either(streamError(2, PROTOCOL_ERROR), pong())],

  ['5.4.1', 'a malformed PING, and is hung up on', (c) => c.send(frame(Type.PING, 0, 3, 'opaque!!')), end()],
  ['5.4.1', 'a malformed PING, and is told GOAWAY', (c) => c.send(frame(Type.PING, 0, 3, 'opaque!!')), connectionError(PROTOCOL_ERROR)],

  ['5.5', 'an unknown extension frame', (c) => c.send(frame(0xff, 0, 0, '12345678'), ping('opaque!!')), pingAck('opaque!!')],
  ['5.5', 'an unknown extension frame inside a block', (c) => c.send(halfBlock(c), frame(0xff, 0, 0, '12345678'), continuation(1, fields([['a', 'b']]))), connectionError(PROTOCOL_ERROR)],

  ['6.1', 'DATA on stream 0', (c) => c.send(data(0, 'test')), connectionError(PROTOCOL_ERROR)],
  ['6.1', 'DATA on a stream that is neither open nor half-closed (local)', (c) => c.send(getHeld(c), data(1, 'test')), streamError(1, STREAM_CLOSED)],
  ['6.1', 'DATA padded beyond its end', (c) => c.send(openHeld(c), data(1, [255, ...Buffer.from('test')], END_STREAM | PADDED)), connectionError(PROTOCOL_ERROR)],

  ['6.2', 'HEADERS, and PRIORITY before their end', (c) => c.send(halfBlock(c), priority(1, 0)), connectionError(PROTOCOL_ERROR)],
  ['6.2', 'HEADERS, and HEADERS of another stream before their end', (c) => c.send(halfBlock(c), getHeld(c, 3)), connectionError(PROTOCOL_ERROR)],
  ['6.2', 'HEADERS on stream 0', (c) => c.send(get(c, 0)), connectionError(PROTOCOL_ERROR)],
  ['6.2', 'HEADERS padded beyond their end', (c) => c.send(headers(1, join([255], block(c)), END_HEADERS | END_STREAM | PADDED)), connectionError(PROTOCOL_ERROR)],

  ['6.3', 'PRIORITY on stream 0', (c) => c.send(priority(0, 0)), connectionError(PROTOCOL_ERROR)],
  ['6.3', 'PRIORITY of 4 octets', (c) => c.send(frame(Type.PRIORITY, 0, 1, u32(0))), streamError(1, FRAME_SIZE_ERROR)],

  ['6.4', 'RST_STREAM on stream 0', (c) => c.send(rst(0)), connectionError(PROTOCOL_ERROR)],
  ['6.4', 'RST_STREAM on an idle stream', (c) => c.send(rst(1)), connectionError(PROTOCOL_ERROR)],
  ['6.4', 'RST_STREAM of 3 octets', (c) => c.send(openHeld(c), frame(Type.RST_STREAM, 0, 1, [0, 0, 0])), connectionError(FRAME_SIZE_ERROR)],

  ['6.5', 'SETTINGS, acknowledging with a payload', (c) => c.send(frame(Type.SETTINGS, Flag.ACK, 0, [0, 1, 0, 0, 0, 1])), connectionError(FRAME_SIZE_ERROR)],
  ['6.5', 'SETTINGS on a stream', (c) => c.send(frame(Type.SETTINGS, 0, 1, [0, 3, 0, 0, 0, 100])), connectionError(PROTOCOL_ERROR)],
  ['6.5', 'SETTINGS of 3 octets', (c) => c.send(frame(Type.SETTINGS, 0, 0, [0, 3, 0])), connectionError(FRAME_SIZE_ERROR)],

  ['6.5.2', 'ENABLE_PUSH of 2', (c) => c.send(settings([Setting.ENABLE_PUSH, 2])), connectionError(PROTOCOL_ERROR)],
  ['6.5.2', 'INITIAL_WINDOW_SIZE of 2^31', (c) => c.send(settings([Setting.INITIAL_WINDOW_SIZE, 2 ** 31])), connectionError(FLOW_CONTROL_ERROR)],
  ['6.5.2', 'MAX_FRAME_SIZE below 2^14', (c) => c.send(settings([Setting.MAX_FRAME_SIZE, 2 ** 14 - 1])), connectionError(PROTOCOL_ERROR)],
  ['6.5.2', 'MAX_FRAME_SIZE of 2^24', (c) => c.send(settings([Setting.MAX_FRAME_SIZE, 2 ** 24])), connectionError(PROTOCOL_ERROR)],
  ['6.5.2', 'an unknown setting', (c) => c.send(settings([0xff, 1])), pong()],

  ['6.5.3', 'INITIAL_WINDOW_SIZE twice; the last one counts', (c) => c.send(settings([Setting.INITIAL_WINDOW_SIZE, 100], [Setting.INITIAL_WINDOW_SIZE, 1]), get(c)), dataOf(1)],
  ['6.5.3', 'SETTINGS', (c) => c.send(settings()), settingsAck()],

  ['6.7', 'PING', (c) => c.send(ping('opaque!!')), pingAck('opaque!!')],
  ['6.7', 'PING that acknowledges none of ours', (c) => c.send(ping('unasked!', Flag.ACK), ping('opaque!!')), pingAck('opaque!!')],
  ['6.7', 'PING on a stream', (c) => c.send(frame(Type.PING, 0, 1, 'opaque!!')), connectionError(PROTOCOL_ERROR)],
  ['6.7', 'PING of 6 octets', (c) => c.send(ping('opaque')), connectionError(FRAME_SIZE_ERROR)],

  ['6.8', 'GOAWAY on a stream', (c) => c.send(goaway(Code.NO_ERROR, 0, 1)), connectionError(PROTOCOL_ERROR)],

  ['6.9', 'WINDOW_UPDATE of 0 for the connection', (c) => c.send(windowUpdate(0, 0)), connectionError(PROTOCOL_ERROR)],
  ['6.9', 'WINDOW_UPDATE of 0 for a stream', (c) => c.send(openHeld(c), windowUpdate(1, 0)), streamError(1, PROTOCOL_ERROR)],
  ['6.9', 'WINDOW_UPDATE of 3 octets', (c) => c.send(frame(Type.WINDOW_UPDATE, 0, 0, [0, 0, 1])), connectionError(FRAME_SIZE_ERROR)],

  ['6.9.1', 'a window of 1, and a request', (c) => c.send(settings([Setting.INITIAL_WINDOW_SIZE, 1]), get(c)), dataOf(1)],
  ['6.9.1', 'WINDOW_UPDATEs of the connection beyond 2^31-1', (c) => c.send(windowUpdate(0, LARGEST_WINDOW), windowUpdate(0, LARGEST_WINDOW)), connectionError(FLOW_CONTROL_ERROR)],
  ['6.9.1', 'WINDOW_UPDATEs of a stream beyond 2^31-1', (c) => c.send(openHeld(c), windowUpdate(1, LARGEST_WINDOW), windowUpdate(1, LARGEST_WINDOW)), streamError(1, FLOW_CONTROL_ERROR)],

  ['6.9.2', 'a window of 0, a request, a window of 1', async (c) => {
    c.send(settings([Setting.INITIAL_WINDOW_SIZE, 0]), get(c));
    await c.first((f) => f.type === Type.HEADERS);
    c.send(settings([Setting.INITIAL_WINDOW_SIZE, 1]));
  }, dataOf(1)],
  ['6.9.2', 'a window that becomes negative', async (c) => {
    c.send(settings([Setting.INITIAL_WINDOW_SIZE, 3]), get(c));
    await c.first((f) => f.type === Type.DATA && f.payload.length === 3);
    c.judgedFromHere();
    c.send(settings([Setting.INITIAL_WINDOW_SIZE, 2]), windowUpdate(1, 2));
  }, dataOf(1)],
  ['6.9.2', 'INITIAL_WINDOW_SIZE beyond 2^31-1', (c) => c.send(settings([Setting.INITIAL_WINDOW_SIZE, 2 ** 32 - 1])), connectionError(FLOW_CONTROL_ERROR)],

  ['6.10', 'CONTINUATIONs behind HEADERS', (c) => c.send(halfBlock(c), continuation(1, fields([['x-a', 'b']]), 0), continuation(1, fields([['x-say', 'end']]))), response('end')],
  ['6.10', 'CONTINUATION, and another frame before the end', (c) => c.send(halfBlock(c), continuation(1, fields([['x-a', 'b']]), 0), data(1, 'test')), connectionError(PROTOCOL_ERROR)],
  ['6.10', 'CONTINUATION on stream 0', (c) => c.send(halfBlock(c), continuation(0, fields([['x-a', 'b']]))), connectionError(PROTOCOL_ERROR)],
  ['6.10', 'CONTINUATION behind HEADERS that were complete', (c) => c.send(openHeld(c), continuation(1, fields([['x-a', 'b']]))), connectionError(PROTOCOL_ERROR)],
  ['6.10', 'CONTINUATION behind one that was the last', (c) => c.send(headers(1, held(c), END_STREAM), continuation(1, fields([['x-a', 'b']])), continuation(1, fields([['x-a', 'b']]))), connectionError(PROTOCOL_ERROR)],
  ['6.10', 'CONTINUATION behind DATA', (c) => c.send(openHeld(c), data(1, 'test', 0), continuation(1, fields([['x-a', 'b']]))), connectionError(PROTOCOL_ERROR)],

  ['7', 'GOAWAY with an unknown code', (c) => c.send(goaway(0xff)), orEnd(pong())],
  ['7', 'RST_STREAM with an unknown code', (c) => c.send(openHeld(c), rst(1, 0xff)), pong()],

  ['8.1', 'second HEADERS that do not end the stream', (c) => c.send(openPost(c), headers(1, fields([['x-a', 'b']]), END_HEADERS)), streamError(1, PROTOCOL_ERROR)],

  ['8.1.2', 'a name in upper case', asks([['X-TEST', 'ok']]), streamError(1, PROTOCOL_ERROR)],

  ['8.1.2.1', 'an unknown pseudo-header field', (c) => c.send(headers(1, join(literal(':test', 'ok'), block(c)))), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.1', 'a pseudo-header field of responses', (c) => c.send(headers(1, join(literal(':status', '200'), block(c)))), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.1', 'a pseudo-header field as a trailer', (c) => c.send(openPost(c), data(1, 'test', 0), headers(1, fields([[':method', 'POST']]))), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.1', 'a pseudo-header field behind a regular one', (c) => c.send(headers(1, join(literal('x-a', 'b'), block(c)))), streamError(1, PROTOCOL_ERROR)],

  ['8.1.2.2', 'a field of the connection', asks([['connection', 'keep-alive']]), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.2', 'TE other than trailers', asks([['te', 'trailers, deflate']]), streamError(1, PROTOCOL_ERROR)],

  ['8.1.2.3', 'an empty :path', (c) => c.send(headers(1, block(c, [], { path: '' }))), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.3', 'no :method', (c) => c.send(headers(1, without(c, ':method'))), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.3', 'no :scheme', (c) => c.send(headers(1, without(c, ':scheme'))), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.3', 'no :path', (c) => c.send(headers(1, without(c, ':path'))), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.3', ':method twice', asks([[':method', 'GET']]), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.3', ':scheme twice', (c) => c.send(headers(1, block(c, [[':scheme', c.scheme]]))), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.3', ':path twice', asks([[':path', '/said']]), streamError(1, PROTOCOL_ERROR)],

  ['8.1.2.6', 'a Content-Length that differs from the DATA', (c) => c.send(headers(1, post(c, [['content-length', '1']]), END_HEADERS), data(1, 'test')), streamError(1, PROTOCOL_ERROR)],
  ['8.1.2.6', 'a Content-Length that differs from all DATA', (c) => c.send(headers(1, post(c, [['content-length', '1']]), END_HEADERS), data(1, 'te', 0), data(1, 'st')), streamError(1, PROTOCOL_ERROR)],

  ['8.2', 'PUSH_PROMISE', (c) => c.send(openHeld(c), frame(Type.PUSH_PROMISE, END_HEADERS, 1, u32(2), block(c))), connectionError(PROTOCOL_ERROR)],
];

const hpack = [
  ['2.3.3', 'an index beyond both tables', field(indexed(70)), connectionError(COMPRESSION_ERROR)],
  ['2.3.3', 'a literal whose name is beyond both tables', field(literal(70, 'empty', { kind: 'incremental' })), connectionError(COMPRESSION_ERROR)],
  ['4.2', 'a size update at the end of a block', field(tableSize(1)), connectionError(COMPRESSION_ERROR)],
  ['5.2', 'a Huffman code padded with more than 7 bits', field(literal('x-test', coded(packed(huffmanBits('test') + '1'.repeat(8))))), connectionError(COMPRESSION_ERROR)],
  ['5.2', 'a Huffman code padded with zeros', field(literal('x-test', coded(packed(huffmanBits('test'), '0'.repeat(8 - (huffmanBits('test').length % 8)))))), connectionError(COMPRESSION_ERROR)],
  ['5.2', 'a Huffman code with EOS in it', field(literal('x-test', coded(packed(huffmanBits('te') + EOS + huffmanBits('st'))))), connectionError(COMPRESSION_ERROR)],
  ['6.1', 'index 0', field(indexed(0)), connectionError(COMPRESSION_ERROR)],
  ['6.3', 'a size update beyond SETTINGS_HEADER_TABLE_SIZE', (c) => c.send(headers(1, join(tableSize(2 ** 20), block(c)))), connectionError(COMPRESSION_ERROR)],
];

const CASES = Object.entries({ generic, http2, hpack }).flatMap(([suite, rows]) =>
  rows.map(([section, does, run, expected, how = {}]) => ({ title: `${suite} ${section}: ${does}`, run, expected, how })),
);

test('all cases are there', () => expect(CASES.length).toBe(147));

// ---- the scene

const certificate = makeCertificate();
let gateway, service, tlsPort;

function answer(request, response) {
  if (request.url === '/held') return request.resume();
  const said = request.headers['user-agent'] ?? request.headers['x-say'] ?? 'hello';
  request.resume().on('end', () => response.end(said));
}

beforeAll(async () => {
  service = http.createServer(answer);
  await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
  tlsPort = await freePort();
  gateway = await startGateway({
    server: { tls: { port: tlsPort, certificates: [{ cert_file: certificate.cert_file, key_file: certificate.key_file }] } },
    services: { backend: { endpoints: [{ host: '127.0.0.1', port: service.address().port }] } },
    routes: [{ name: 'everything', prefix: '/', service: 'backend' }],
  });
});

afterAll(async () => {
  await gateway.stop();
  expect(gateway.stderr).toBe('');
  service.closeAllConnections();
  service.close();
  rmSync(certificate.directory, { recursive: true });
});

describe.concurrent.each([['in the clear', () => overTcp(gateway.port)], ['over TLS', () => overTls(tlsPort, certificate.pem)]])('%s', (where, connect) => {
  let passed = 0;

  for (const { title, run, expected, how } of CASES) {
    test(`${title} → ${expected.words}`, async () => {
      const client = await connect();
      try {
        if (how.greeted !== false) await within(PATIENCE, client.hello(), 'the handshake');
        client.judgedFromHere();
        await within(PATIENCE, Promise.resolve(run(client)).then(() => expected(client, how)), expected.words);
        ++passed;
      } finally {
        client.leave();
      }
      expect(gateway.alive).toBe(true);
    });
  }

  afterAll(() => console.log(`HTTP/2 conformance ${where}: ${passed} of ${CASES.length}`));
});
