// SPDX-License-Identifier: MIT
// Upstreams that lie, or die, at every point of an exchange.
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from './support/gateway.mjs';
import { connect, get, post } from './support/raw.mjs';
import { setScene } from './support/scene.mjs';
import { until, within } from './support/wait.mjs';

const nobody = await freePort();
const scene = await setScene({
  performance: { timeouts: { response: '300ms', idle: '300ms', connect: '300ms' } },
  services: { nobody: { endpoints: [{ host: '127.0.0.1', port: nobody }] } },
  routes: [
    { prefix: '/', service: 'backend' },
    { prefix: '/nobody', service: 'nobody' },
    { prefix: '/deadline', service: 'backend', timeout: '300ms', response_timeout: '10s', idle_timeout: '10s' },
  ],
});
const HOST = 'Host: gateway.test\r\n';

/** A connection of the upstream that is kept by the gateway, waiting for its next request. */
async function keptConnection() {
  scene.script = (exchange) => exchange.reply(200, {}, 'kept');
  expect((await get(scene.port, '/keep')).text).toBe('kept');
  return scene.upstream.last.connection;
}

const failed = (response) => ({ status: response.status, code: JSON.parse(response.text).code });

describe('before an answer', () => {
  test('nobody listens', async () => {
    const response = await get(scene.port, '/nobody');
    expect(failed(response)).toEqual({ status: 503, code: 'connect_failed' });
    expect(response.headers.get('retry-after')).toBe('1');
  });

  test('it accepts and closes', async () => {
    scene.upstream.onConnection = (connection) => connection.close() ?? true;
    expect(failed(await get(scene.port, '/a'))).toEqual({ status: 502, code: 'upstream_reset' });
  });

  test('it accepts and resets', async () => {
    scene.upstream.onConnection = (connection) => connection.socket.resetAndDestroy();
    expect(failed(await get(scene.port, '/a'))).toEqual({ status: 502, code: 'upstream_reset' });
  });

  test('it reads the request and closes', async () => {
    scene.script = (exchange) => exchange.close();
    expect(failed(await get(scene.port, '/a'))).toEqual({ status: 502, code: 'upstream_reset' });
    expect(failed(await post(scene.port, '/a', 'once'))).toEqual({ status: 502, code: 'upstream_reset' });
  });

  test('it reads the request and resets', async () => {
    scene.script = (exchange) => exchange.reset();
    expect(failed(await get(scene.port, '/a'))).toEqual({ status: 502, code: 'upstream_reset' });
  });

  test('it says nothing', async () => {
    scene.script = (exchange) => exchange.abandoned();
    const began = Date.now();
    const response = await get(scene.port, '/a');
    expect(failed(response)).toEqual({ status: 504, code: 'upstream_timeout' });
    expect(Date.now() - began).toBeGreaterThanOrEqual(290);
    await within(200, scene.upstream.last.abandoned(), 'letting go of the upstream');
  });

  test('the whole exchange has a deadline of its own', async () => {
    scene.script = (exchange) => exchange.abandoned();
    expect(failed(await get(scene.port, '/deadline'))).toEqual({ status: 504, code: 'deadline_exceeded' });
  });
});

describe('in the head of the answer', () => {
  const answers = (bytes) => async (exchange) => {
    await exchange.body();
    await exchange.send(bytes);
    exchange.close();
  };

  test.each(['H', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\nContent-Le', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'])(
    'it closes after %j',
    async (bytes) => {
      scene.script = answers(bytes);
      expect(failed(await get(scene.port, '/a'))).toEqual({ status: 502, code: 'upstream_truncated' });
    },
  );

  test.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status of 0', 'HTTP/1.1 000 OK\r\n\r\n'],
    ['a status with a letter', 'HTTP/1.1 2x0 OK\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a bare CR', 'HTTP/1.1 200 OK\r\nX-A: b\rc\r\nContent-Length: 0\r\n\r\n'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nX-A: \0\r\nContent-Length: 0\r\n\r\n'],
    ['a control byte in the reason', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    ['a line without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n'],
    ['an empty name', 'HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab'],
    ['an enormous length', 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a switch of protocols nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(300_000)}`],
    ['a thousand fields', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(1000)}\r\n`],
  ])('it sends %s', async (_, bytes) => {
    scene.script = answers(bytes);
    expect(failed(await get(scene.port, '/a'))).toEqual({ status: 502, code: 'upstream_invalid' });
  });

  test('it floods us with 1xx', async () => {
    scene.script = async (exchange) => {
      while (!exchange.connection.socket.destroyed && exchange.connection.bytes.open)
        await exchange.send('HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n'.repeat(100));
    };
    const client = await connect(scene.port);
    await client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`);
    const ended = client.response().then((r) => r.status, (e) => e.name);
    expect([502, 504, 'Cut']).toContain(await within(3_000, ended, 'the end of the flood'));
  });
});

describe('in the body of the answer', () => {
  /** The client gets a broken connection, never something it could take for the whole. */
  async function broken(script, { path = '/a', version = 'HTTP/1.1' } = {}) {
    const client = await connect(scene.port);
    // `seen` lets a script go on when the client has got this far: a reset right behind the data could
    // not be told from an end by the client's own library.
    const seen = (text) => until(() => client.bytes.peek().endsWith(text), `the client sees ${text}`);
    const done = new Promise((resolve) => {
      scene.script = (exchange) => script(exchange, seen).finally(resolve);
    });
    await client.send(`GET ${path} ${version}\r\n${HOST}\r\n`);
    await within(3_000, done, 'the script');
    const outcome = await within(1_000, client.response().then((r) => r, (e) => e), 'the end');
    if (outcome.name === 'Cut') return outcome.how;
    // Known before anything was sent: then it may be told.
    expect(outcome.status, outcome.text).toBeGreaterThanOrEqual(502);
    return outcome.status;
  }

  test('a body shorter than its length', async () => {
    const how = await broken(async (exchange, seen) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
      await seen('12345');
      exchange.close();
    });
    expect(how).toBe('reset');
  });

  test('the same, in one piece with its end', async () => {
    await broken(async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
      exchange.close();
    });
  });

  test('a body that is reset in the middle', async () => {
    const how = await broken(async (exchange, seen) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
      await seen('12345');
      exchange.reset();
    });
    expect(how).toBe('reset');
  });

  test.each([
    ['a bad chunk size', '3\r\nabc\r\nxyz\r\n'],
    ['a chunk longer than its size', '3\r\nabcdef\r\n0\r\n\r\n'],
    ['a bare LF', '3\nabc\n0\n\n'],
    ['a chunk size above 2^64', '3\r\nabc\r\n11111111111111111\r\nabc'],
    ['a trailer that frames', '3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n'],
  ])('%s', async (_, chunks) => {
    await broken(async (exchange, seen) => {
      await exchange.begin();
      await exchange.chunk('first');
      await seen('first\r\n');
      await exchange.send(chunks);
      await exchange.abandoned();
    });
  });

  test('no last chunk', async () => {
    await broken(async (exchange) => {
      await exchange.begin();
      await exchange.chunk('all there is');
      exchange.close();
    });
  });

  test('no end of the last chunk', async () => {
    await broken(async (exchange) => {
      await exchange.begin();
      await exchange.chunk('all there is');
      await exchange.send('0\r\n');
      exchange.close();
    });
  });

  test('a broken body of a client of HTTP/1.0 is told apart from a whole one', async () => {
    const how = await broken(async (exchange, seen) => {
      await exchange.begin();
      await exchange.chunk('the beginning');
      await seen('the beginning');
      exchange.close();
    }, { version: 'HTTP/1.0' });
    expect(how).toBe('reset');
  });

  test('silence', async () => {
    scene.script = async (exchange) => {
      await exchange.begin();
      await exchange.chunk('and then');
      await exchange.abandoned();
    };
    const client = await connect(scene.port);
    await client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`);
    const head = await client.head();
    expect(head.status).toBe(200);
    await expect(client.response()).rejects.toThrow();
    await within(200, scene.upstream.last.abandoned(), 'letting go of the upstream');
    await scene.gateway.accessLine((line) => line.reason === 'upstream_idle');
  });

  test('a trickle that goes on beyond the deadline of the exchange', async () => {
    const trickle = async (exchange) => {
      await exchange.begin();
      while (exchange.connection.bytes.open) {
        await exchange.chunk('drop');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const began = Date.now();
    await broken(trickle, { path: '/deadline' });
    expect(Date.now() - began).toBeLessThan(1_500);
  });
});

describe('after the answer', () => {
  test.each([
    ['garbage', 'garbage'],
    ['an answer nobody asked for', 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned'],
  ])('%s in the same packet', async (_, rest) => {
    scene.script = (exchange) => exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${rest}`);
    const client = await connect(scene.port);
    await client.send(`GET /1 HTTP/1.1\r\n${HOST}\r\n`);
    expect((await client.response()).text).toBe('ok');
    const { connection } = scene.upstream.last;
    await within(1_000, connection.bytes.ended(), 'closing that connection');
    await client.send(`GET /2 HTTP/1.1\r\n${HOST}\r\n`);
    expect((await client.response()).text).toBe('ok');
    expect(scene.upstream.last.connection).not.toBe(connection);
  });

  test('an answer nobody asked for, a little later', async () => {
    const kept = await keptConnection();
    await kept.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned');
    scene.script = (exchange) => exchange.reply(200, {}, 'honest');
    for (let i = 0; i < 5; ++i) expect((await get(scene.port, '/a')).text).toBe('honest');
    expect(scene.upstream.last.connection).not.toBe(kept);
  });

  test('"Connection: close" is believed', async () => {
    scene.script = (exchange) => exchange.reply(200, { Connection: 'close' }, 'bye');
    await get(scene.port, '/a');
    await within(1_000, scene.upstream.last.abandoned(), 'closing the connection');
  });
});

describe('a kept connection that dies when it is used again', () => {
  /** The next request on `kept` is met by `death`, everything else answered. */
  const dies = (kept, death) => (exchange) =>
    exchange.connection === kept ? death(exchange) : exchange.reply(200, {}, 'alive');

  test('a GET is asked once more', async () => {
    const kept = await keptConnection();
    const before = scene.upstream.requests.length;
    scene.script = dies(kept, (exchange) => exchange.close());
    expect((await get(scene.port, '/again')).text).toBe('alive');
    expect(scene.upstream.requests.slice(before).map((r) => r.target)).toEqual(['/again', '/again']);
    await scene.gateway.accessLine((line) => line.attempts === 2);
  });

  test('so it is after a reset', async () => {
    const kept = await keptConnection();
    scene.script = dies(kept, (exchange) => exchange.reset());
    expect((await get(scene.port, '/again')).text).toBe('alive');
  });

  test('once, not for ever', async () => {
    await keptConnection();
    const before = scene.upstream.requests.length;
    scene.script = (exchange) => exchange.close();
    expect(failed(await get(scene.port, '/a'))).toEqual({ status: 502, code: 'upstream_reset' });
    expect(scene.upstream.requests.length - before).toBe(2);
  });

  test('a POST that may have been processed is not repeated', async () => {
    const kept = await keptConnection();
    const before = scene.upstream.requests.length;
    scene.script = dies(kept, async (exchange) => {
      await exchange.body();
      exchange.close();
    });
    expect(failed(await post(scene.port, '/pay', 'once'))).toEqual({ status: 502, code: 'upstream_reset' });
    expect(scene.upstream.requests.length - before).toBe(1);
  });

  test('nothing is repeated once the answer has begun', async () => {
    const kept = await keptConnection();
    const before = scene.upstream.requests.length;
    scene.script = dies(kept, async (exchange) => {
      await exchange.send('HTTP/1.1 200');
      exchange.close();
    });
    expect(failed(await get(scene.port, '/a'))).toEqual({ status: 502, code: 'upstream_truncated' });
    expect(scene.upstream.requests.length - before).toBe(1);
  });

  test('one that was closed while nobody used it is noticed at once', async () => {
    const kept = await keptConnection();
    kept.socket.end();
    await within(1_000, kept.bytes.ended(), 'closing our side');
    scene.script = (exchange) => exchange.reply(200, {}, 'alive');
    const answers = await Promise.all([1, 2, 3].map(() => post(scene.port, '/a', 'x')));
    expect(answers.map((a) => a.text)).toEqual(['alive', 'alive', 'alive']);
  });
});

describe('an answer before the request has been read', () => {
  test('is the answer, and the connection has no next request', async () => {
    scene.script = async (exchange) => {
      await exchange.reply(401, {}, 'who are you?');
      await exchange.abandoned();
    };
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\nbegin`);
    expect(await within(2_000, client.response())).toMatchObject({ status: 401, text: 'who are you?' });
    await within(1_000, scene.upstream.last.abandoned(), 'letting go of the upstream');
  });

  test('an upload the upstream does not read ends with its answer', async () => {
    scene.script = async (exchange) => {
      exchange.connection.socket.pause();
      await exchange.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
    };
    const client = await connect(scene.port);
    await client.send(`POST /a HTTP/1.1\r\n${HOST}Content-Length: 900000\r\n\r\n`);
    const sending = client.send(Buffer.alloc(900_000));
    expect(await within(2_000, client.response())).toMatchObject({ status: 413, text: 'no' });
    await within(2_000, sending);
    scene.upstream.last.connection.socket.destroy();
  });
});

afterEach(async () => {
  // Whatever the upstream did, nothing of it is left behind: its connections are free or closed.
  scene.script = (exchange) => exchange.reply(200, { Connection: 'close' }, 'recovered');
  scene.upstream.onConnection = null;
  expect((await until(() => get(scene.port, '/a'))).text).toBe('recovered');
});
