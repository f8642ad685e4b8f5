// SPDX-License-Identifier: MIT
// What a server made of gRPC++ does and scripted ones do not: it measures the connection with PINGs, sends GOAWAY in
// two steps, has few streams to give, dies with calls under way and comes back.
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort, startGateway } from './support/gateway.mjs';
import { grpcServerIsThere, startGrpcServer } from './support/grpc_server.mjs';
import { asked, interopClient, interopRoutes, outcome, write, zeros } from './support/interop.mjs';
import { until, within } from './support/wait.mjs';

const { OK, CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE } = grpc.status;
const MB = 1 << 20;
const LARGE = { response_size: 314159, payload: zeros(271828) };

const ended = []; // what afterEach ends, last first

afterEach(async () => {
  while (ended.length) await ended.pop()();
});

/** Serves until the test is over, or is stopped by it. */
async function server(options) {
  const started = await startGrpcServer(options);
  ended.push(started.stop);
  return started;
}

/** A server, a gateway before it and a client. */
async function scene({ flags, options } = {}) {
  const upstream = await server({ port: await freePort(), flags }); // one that stays free when the server is gone
  const gateway = await startGateway({
    services: { interop: upstream.service },
    routes: interopRoutes('interop', { max_request_size: '200MB' }),
  });
  ended.push(async () => {
    await gateway.stop();
    expect(gateway.stderr).toBe('');
  });
  const client = interopClient(gateway, options);
  ended.push(() => client.close());
  expect((await asked(client, 'EmptyCall', { request: {} })).status.code).toBe(OK);
  return { upstream, gateway, client };
}

const large = async (client) => {
  const { response, status } = await asked(client, 'UnaryCall', { request: LARGE });
  expect(status).toMatchObject({ code: OK });
  expect(response.payload.body.length).toBe(314159);
};

/** One of the gateway's counters. */
async function counted(gateway, name) {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(new RegExp(`^suoke_gateway_${name}_total (\\d+)$`, 'm').exec(text)[1]);
}

describe.skipIf(!grpcServerIsThere)('a gRPC++ server', () => {
  // ---- streams without an end in sight

  test('100 MB of a client pass through little memory', async () => {
    const { client, gateway } = await scene();
    const before = gateway.peak;
    const message = { payload: zeros(MB) };
    const speak = async (call) => {
      for (let i = 0; i < 100; ++i) await write(call, message);
      call.end();
    };
    const { response, status } = await asked(client, 'StreamingInputCall', { speak });
    expect(status).toMatchObject({ code: OK });
    expect(response.aggregated_payload_size).toBe(100 * MB);
    expect(gateway.peak - before).toBeLessThan(64 * MB);
  }, 15_000);

  test('100 MB of the server pass through little memory', async () => {
    const { client, gateway } = await scene();
    const before = gateway.peak;
    let size = 0;
    for await (const { payload } of client.StreamingOutputCall({ response_parameters: Array(100).fill({ size: MB }) }))
      size += payload.body.length;
    expect(size).toBe(100 * MB);
    expect(gateway.peak - before).toBeLessThan(64 * MB);
  }, 15_000);

  test('a client that reads slowly holds the server back, and no other call', async () => {
    const { client, gateway } = await scene();
    const before = gateway.peak;
    let count = 0;
    for await (const _ of client.StreamingOutputCall({ response_parameters: Array(100).fill({ size: MB }) }))
      if (++count % 5 === 0) await large(client);
    expect(count).toBe(100);
    expect(gateway.peak - before).toBeLessThan(64 * MB);
  }, 15_000);

  test('both at once, in turns of a megabyte', async () => {
    const { client, gateway } = await scene();
    const before = gateway.peak;
    const call = client.FullDuplexCall();
    const came = outcome(call);
    for (let i = 0; i < 50; ++i) await write(call, { payload: zeros(MB), response_parameters: [{ size: MB }] });
    call.end();
    const { messages, status } = await came;
    expect(status).toMatchObject({ code: OK });
    expect(messages.length).toBe(50);
    expect(gateway.peak - before).toBeLessThan(64 * MB);
  }, 15_000);

  // ---- a server that goes away

  test('killed before its answer began: UNAVAILABLE, and the next one is asked where it was', async () => {
    const { client, gateway, upstream } = await scene();
    let call;
    const waiting = asked(client, 'StreamingInputCall', { speak: (begun) => (call = begun) });
    call.write({ payload: zeros(8) });
    // Streams are begun in order, and all on one connection: the server has that call when it answers this one.
    await large(client);
    await upstream.stop();
    const { status } = await within(2_000, waiting, 'the status');
    expect(status).toMatchObject({ code: UNAVAILABLE, details: expect.stringMatching(/^upstream_reset: /) });
    expect(await gateway.accessLine(({ reason }) => reason === 'upstream_reset')).toMatchObject({ grpc_status: UNAVAILABLE });

    const refused = await asked(client, 'UnaryCall', { request: LARGE });
    expect(refused.status).toMatchObject({ code: UNAVAILABLE, details: expect.stringMatching(/^connect_failed: /) });

    await server({ port: upstream.port });
    await large(client);
  });

  test('killed between two messages: the stream ends with a status, and the next call works', async () => {
    const { client, gateway, upstream } = await scene();
    const call = client.FullDuplexCall();
    const came = outcome(call);
    call.write({ response_parameters: [{ size: 100 }], payload: zeros(8) });
    await new Promise((resolve) => call.once('data', resolve));
    await upstream.stop();
    const { messages, status } = await within(2_000, came, 'the status');
    expect(messages.length).toBe(1);
    expect(status).toMatchObject({ code: UNAVAILABLE, details: expect.stringMatching(/^upstream_(truncated|reset): /) });
    expect(await gateway.accessLine(({ reason }) => reason === 'upstream_truncated')).toMatchObject({ grpc_status: UNAVAILABLE });

    await server({ port: upstream.port });
    await large(client);
  });

  test('killed under many calls: each has its status, and those after the restart work', async () => {
    const { client, upstream } = await scene();
    const calls = Array.from({ length: 50 }, () => client.FullDuplexCall());
    const all = calls.map(outcome);
    for (const call of calls) call.write({ response_parameters: [{ size: 1, interval_us: 60_000_000 }] });
    await large(client);
    await upstream.stop();
    const statuses = (await within(5_000, Promise.all(all), 'the statuses')).map(({ status }) => status.code);
    expect(new Set(statuses)).toEqual(new Set([UNAVAILABLE]));

    await server({ port: upstream.port });
    await Promise.all(Array.from({ length: 20 }, () => large(client)));
  });

  // ---- a server that has its limits

  // GOAWAY of all, a PING, then GOAWAY with the last stream: whoever asks in between must not notice.
  test('a connection that grows too old, again and again, costs no call, begun before or after', async () => {
    const { client, gateway } = await scene({ flags: { 'max-connection-age': 200 } });
    const end = Date.now() + 3_000;
    let calls = 0;
    const caller = async () => {
      for (; Date.now() < end; ++calls) await large(client);
    };
    const call = client.FullDuplexCall(); // under way from the first connection's days to the end
    const came = outcome(call);
    const talker = async () => {
      for (const replies = call[Symbol.asyncIterator](); Date.now() < end; ) {
        call.write({ response_parameters: [{ size: 1000, interval_us: 10_000 }] });
        expect((await replies.next()).value.payload.body.length).toBe(1000);
      }
      call.end();
    };
    await Promise.all([talker(), ...Array.from({ length: 4 }, caller)]);
    expect((await came).status).toMatchObject({ code: OK });
    expect(calls).toBeGreaterThan(20);
    expect(await counted(gateway, 'upstream_connections_opened')).toBeGreaterThan(5);
  }, 15_000);

  test('two streams a connection: a hundred calls at once are all answered', async () => {
    const { client, gateway } = await scene({ flags: { 'max-streams': 2 } });
    await Promise.all(Array.from({ length: 100 }, () => large(client)));
    expect(await counted(gateway, 'upstream_connections_opened')).toBeGreaterThan(1);
  }, 15_000);

  // ---- a client that gives up

  test('a hundred calls in a row, each cancelled after its first message', async () => {
    const { client, gateway } = await scene();
    for (let i = 0; i < 100; ++i) {
      const call = client.FullDuplexCall();
      const came = outcome(call);
      call.write({ response_parameters: [{ size: 100 }, { size: 1, interval_us: 60_000_000 }] });
      await new Promise((resolve) => call.once('data', resolve));
      call.cancel();
      expect((await came).status.code).toBe(CANCELLED);
    }
    await large(client);
    await until(() => gateway.accessLines.filter(({ grpc_status }) => grpc_status === CANCELLED).length === 100, 'the access lines');
    expect(await counted(gateway, 'connections_accepted')).toBe(2); // the channel's, and this question's
  });

  test('a hundred calls at once, all with the same deadline', async () => {
    const { client } = await scene();
    const calls = Array.from({ length: 100 }, () => client.FullDuplexCall(new grpc.Metadata(), { deadline: Date.now() + 300 }));
    const all = calls.map(outcome);
    for (const call of calls) call.write({ response_parameters: [{ size: 1, interval_us: 60_000_000 }] });
    const statuses = (await within(5_000, Promise.all(all), 'the statuses')).map(({ status }) => status.code);
    expect(new Set(statuses)).toEqual(new Set([DEADLINE_EXCEEDED]));
    await large(client);
  });

  // ---- a client that looks after its connection

  test('keepalive PINGs, twice a second, are answered and forgiven, in a silent call and without one', async () => {
    const options = { 'grpc.keepalive_time_ms': 500, 'grpc.keepalive_timeout_ms': 1_000, 'grpc.keepalive_permit_without_calls': 1 };
    const { client, gateway } = await scene({ options });
    const { READY } = grpc.connectivityState;
    const staysReady = (milliseconds) =>
      new Promise((resolve) => client.getChannel().watchConnectivityState(READY, Date.now() + milliseconds, (late) => resolve(Boolean(late))));
    const call = client.FullDuplexCall();
    const came = outcome(call);
    call.write({ response_parameters: [{ size: 1 }] });
    await new Promise((resolve) => call.once('data', resolve));
    expect(await staysReady(3_000)).toBe(true);
    call.end();
    expect((await came).status).toMatchObject({ code: OK });
    await until(() => gateway.accessLines.length === 2, 'both calls are over');
    expect(await staysReady(3_000)).toBe(true);
    await large(client);
    expect(await counted(gateway, 'connections_accepted')).toBe(2);
  }, 15_000);
});
