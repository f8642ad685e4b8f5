// SPDX-License-Identifier: MIT
// Bodies flow both ways as they come, at the pace of the slower side, and nothing piles up between.
import { describe, expect, test } from 'vitest';
import { connect } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { until, within } from './support/wait.mjs';

const MB = 1 << 20;
const LARGE = 200 * MB;
const scene = await setScene({ security: { max_request_size: 2 * LARGE } });
const HOST = 'Host: gateway.test\r\n';

/** What may differ in the gateway's memory while a body of 200 MB passes through it. */
const FEW = 8 * MB;

describe('as they come', () => {
  test('events arrive one by one, each before the next is sent', async () => {
    let next;
    scene.script = async (exchange) => {
      await exchange.begin({ 'Content-Type': 'text/event-stream' });
      for (let i = 0; i < 10; ++i) {
        await exchange.chunk(`data: ${i}\n\n`);
        await new Promise((resolve) => (next = resolve));
      }
      await exchange.lastChunk();
    };
    const client = await connect(scene.port);
    await client.send(`GET /events HTTP/1.1\r\n${HOST}Accept: text/event-stream\r\n\r\n`);
    const head = await within(1_000, client.head());
    expect(head.headers.get('content-type')).toBe('text/event-stream');
    const events = client.pieces(head);
    for (let i = 0; i < 10; ++i) {
      const { value } = await within(1_000, events.next(), `event ${i}`);
      expect(value.toString()).toBe(`data: ${i}\n\n`);
      await until(() => next);
      const go = next;
      next = null;
      go();
    }
    expect((await events.next()).done).toBe(true);
  });

  test('the head of an answer does not wait for its body', async () => {
    scene.script = async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n');
      await exchange.abandoned();
    };
    const client = await connect(scene.port);
    await client.send(`GET /head HTTP/1.1\r\n${HOST}\r\n`);
    expect((await within(1_000, client.head(), 'the head')).status).toBe(200);
  });

  test.each(['chunked', 'length'])('an upload is seen by the upstream before it ends (%s)', async (kind) => {
    let pieces;
    scene.script = async (exchange) => {
      pieces = exchange.pieces();
      await until(() => pieces === null); // the test reads it
      await exchange.reply(200, {}, 'thanks');
    };
    const framed = (text) => (kind === 'chunked' ? `${text.length.toString(16)}\r\n${text}\r\n` : text);
    const client = await connect(scene.port);
    const framing = kind === 'chunked' ? 'Transfer-Encoding: chunked' : 'Content-Length: 50';
    await client.send(`POST /upload HTTP/1.1\r\n${HOST}${framing}\r\n\r\n`);
    const mine = await until(() => pieces);
    for (let i = 0; i < 10; ++i) {
      await client.send(framed(`part${i}`));
      expect((await within(1_000, mine.next(), `part ${i}`)).value.toString()).toBe(`part${i}`);
    }
    if (kind === 'chunked') await client.send('0\r\n\r\n');
    expect((await mine.next()).done).toBe(true);
    pieces = null;
    expect((await client.response()).text).toBe('thanks');
  });

  test('both at once: the answer to what was sent comes while more is sent', async () => {
    scene.script = async (exchange) => {
      await exchange.begin();
      for await (const piece of exchange.pieces()) await exchange.chunk(piece.toString().toUpperCase());
      await exchange.lastChunk();
    };
    const client = await connect(scene.port);
    await client.send(`POST /both HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`);
    await client.send('3\r\none\r\n');
    const answer = client.pieces(await within(1_000, client.head(), 'the head'));
    expect((await answer.next()).value.toString()).toBe('ONE');
    await client.send('3\r\ntwo\r\n');
    expect((await within(1_000, answer.next(), 'the second half')).value.toString()).toBe('TWO');
    await client.send('0\r\n\r\n');
    expect((await answer.next()).done).toBe(true);
  });
});

describe('200 MB', () => {
  const piece = Buffer.alloc(256 * 1024, 'x');

  /** The most memory the gateway used during `work`, beyond what it had before. */
  async function growth(work) {
    const before = scene.gateway.memory;
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, scene.gateway.memory)), 10);
    await work().finally(() => clearInterval(watch));
    return most - before;
  }

  /** Reads with pauses, so that the sender runs into a full socket again and again. */
  async function readSlowly(pieces, total) {
    let got = 0;
    for await (const bytes of pieces) got += bytes.length;
    expect(got).toBe(total);
  }

  function stutter(socket) {
    const timer = setInterval(() => {
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    }, 15);
    socket.once('close', () => clearInterval(timer));
    return () => (clearInterval(timer), socket.resume());
  }

  /** Writes as fast as the other side allows: one piece after the other. */
  async function pour(send, total) {
    for (let sent = 0; sent < total; sent += piece.length) await send(piece);
  }

  test('down, to a slow reader', async () => {
    scene.script = async (exchange) => {
      await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
      await pour((bytes) => exchange.send(bytes), LARGE);
    };
    const grown = await growth(async () => {
      const client = await connect(scene.port);
      await client.send(`GET /down HTTP/1.1\r\n${HOST}\r\n`);
      const head = await client.head();
      const smooth = stutter(client.socket);
      await readSlowly(client.pieces(head), LARGE);
      smooth();
    });
    expect(grown).toBeLessThan(FEW);
  });

  test('up, to a slow upstream', async () => {
    scene.script = async (exchange) => {
      const smooth = stutter(exchange.connection.socket);
      await readSlowly(exchange.pieces(), LARGE);
      smooth();
      await exchange.reply(200, {}, 'all of it');
    };
    const grown = await growth(async () => {
      const client = await connect(scene.port);
      await client.send(`POST /up HTTP/1.1\r\n${HOST}Content-Length: ${LARGE}\r\n\r\n`);
      await pour((bytes) => client.send(bytes), LARGE);
      expect((await client.response()).text).toBe('all of it');
    });
    expect(grown).toBeLessThan(FEW);
  });

  test('a reader that does not read at all stops the upstream', async () => {
    let sent = 0;
    scene.script = async (exchange) => {
      await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
      while (exchange.connection.bytes.open) {
        await exchange.send(piece);
        sent += piece.length;
      }
    };
    const client = await connect(scene.port);
    client.socket.pause();
    await client.send(`GET /stuck HTTP/1.1\r\n${HOST}\r\n`);
    // Socket buffers fill up, and then nothing moves any more.
    await until(async () => {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 150));
      return sent > 0 && sent === before;
    }, 'the upstream stands still', 10_000);
    expect(sent).toBeLessThan(40 * MB);
    client.leave();
  });
});
