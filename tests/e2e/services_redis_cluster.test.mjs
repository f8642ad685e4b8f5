// SPDX-License-Identifier: MIT
// Gateways that share a Redis Cluster, whose slots move and whose nodes come and go; and a Redis behind TLS and a login.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { rmSync } from 'node:fs';
import { makeCertificate } from './support/certificate.mjs';
import { describeWith } from './support/programs.mjs';
import { startRedis, startRedisCluster } from './support/redis.mjs';
import {
  allKnow, allSay, alsoGatewayAt, ask, deregister, drain, events, fromNowOn, gatewaysOfEachTest, heartbeat, instances,
  list, loaded, RECORDS, redisCheck, register, registerAll, running, same, service, views,
} from './support/registry_scene.mjs';
import { until } from './support/wait.mjs';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 }); // a Cluster takes its time to agree on anything
const PATIENCE = 10_000;

/** Gateways that are connected, one at each of these. */
async function gatewaysAt(...some) {
  const gateways = [];
  for (const each of some) gateways.push(await alsoGatewayAt(each));
  await allSay('healthy', gateways);
  return gateways;
}

const has = async (redis, id) => (await redis.command('HEXISTS', RECORDS, `${service}/${id}`)) === 1;
const nobodyTold = (gateways, ...types) => {
  for (const type of types) for (const gateway of gateways) expect(events(gateway, type)).toEqual([]);
};

describeWith('redis-server', () => {
  gatewaysOfEachTest();

  describe('a Cluster of three masters', () => {
    let cluster;
    beforeAll(async () => {
      cluster = await startRedisCluster();
    });
    afterAll(() => cluster?.remove());

    const everywhere = () => gatewaysAt(...cluster.nodes.map((each) => cluster.enteredAt(each)));
    const anotherThan = (node) => cluster.nodes.find((each) => each !== node);

    test('whichever node each gateway came in at, what registers at one is served by all, until it leaves', async () => {
      const all = await everywhere();
      await running('one', 'two');
      await registerAll(all[0]);
      await allKnow(list(), PATIENCE, all);
      for (const each of instances) expect(await has(await cluster.masterOf(RECORDS), each.name)).toBe(true);
      expect((await drain(all[1], 'one')).status).toBe(200);
      await until(() => all.every((each) => events(each, 'instance.draining').length === 1), 'all hear of it');
      for (const gateway of all) for (let i = 0; i < 4; ++i) expect(await ask(gateway)).toMatchObject({ status: 200, instance: 'two' });
      expect((await deregister(all[2], 'one')).status).toBe(200);
      await allKnow(`two:${instances[1].port}`, PATIENCE, all);
    });

    test('a slot that has moved is followed', async () => {
      const all = await everywhere();
      await register(all[0], 'a', 7001, { ttl: '30s' });
      await allKnow('a:7001', PATIENCE, all);
      const from = await cluster.masterOf(RECORDS), to = anotherThan(from);
      await from.command('CONFIG', 'RESETSTAT');
      const ends = await cluster.moving(RECORDS, to);
      await ends();
      expect((await heartbeat(all[1], 'a')).status).toBe(200);
      expect((await register(all[0], 'b', 7002)).status).toBe(201);
      await allKnow('a:7001 b:7002', PATIENCE, all);
      expect(await from.says('INFO errorstats', 'errorstat_MOVED')).toBe(true);
      expect(await has(to, 'b')).toBe(true);
      nobodyTold(all, 'redis.down', 'registry.alone', 'instance.expired');
    });

    // A script that wants several keys is refused on both sides of a move that is not over, so each gateway decides for
    // itself as long as it takes.
    test('what is said while a slot moves is known to all when it has', async () => {
      const all = await everywhere();
      for (const [id, port] of [['a', 7001], ['b', 7002]]) await register(all[0], id, port, { ttl: '30s' });
      await allKnow('a:7001 b:7002', PATIENCE, all);
      const from = await cluster.masterOf(RECORDS), to = anotherThan(from);
      await from.command('CONFIG', 'RESETSTAT');
      const ends = await cluster.moving(RECORDS, to);
      expect((await register(all[0], 'c', 7003)).status).toBe(201);
      expect((await heartbeat(all[1], 'a')).status).toBe(200);
      expect((await deregister(all[2], 'b')).status).toBe(200);
      expect(await from.says('INFO errorstats', 'errorstat_ASK')).toBe(true);
      await ends();
      await allKnow('a:7001 c:7003', PATIENCE, all);
      expect(await has(to, 'c')).toBe(true);
      nobodyTold(all, 'instance.expired');
    });

    test('a node that leaves it and lives on is left, too', async () => {
      const guest = await cluster.add();
      const all = await gatewaysAt(cluster.enteredAt(cluster.nodes[0]), cluster.enteredAt(guest, cluster.nodes[0]));
      await register(all[0], 'a', 7001);
      await allKnow('a:7001', PATIENCE, all);
      await cluster.dismiss(guest);
      await register(all[0], 'b', 7002);
      await allKnow('a:7001 b:7002', 5_000, all);
    });
  });

  describe('a Cluster that loses a master', () => {
    let cluster, owner, other;
    beforeAll(async () => {
      cluster = await startRedisCluster();
      owner = await cluster.masterOf(RECORDS);
      other = cluster.nodes.find((each) => each !== owner);
    });
    afterAll(() => cluster?.remove());

    /** Meanwhile all gateways know that it is away. */
    async function losesItsData(...gateways) {
      await owner.kill();
      await allSay('degraded', gateways);
      await comesBack(gateways);
    }
    async function comesBack(gateways) {
      await owner.start();
      await cluster.isWell();
      await allSay('healthy', gateways);
    }

    /** One that listens where the registry is, and one that listens elsewhere. */
    const both = () => gatewaysAt(cluster.enteredAt(owner, other), cluster.enteredAt(other, owner));

    test('goes on without it: traffic does not notice, and what is said meanwhile is known to all when it is back', async () => {
      const all = await both();
      await running('one', 'two');
      await registerAll(all[0], { ttl: '30s' });
      await allKnow(list(), PATIENCE, all);
      await owner.command('SAVE');
      const failures = await loaded(all, async () => {
        await owner.kill();
        await allSay('degraded', all);
        expect((await register(all[1], 'zoe', 7003)).status).toBe(201);
        expect((await heartbeat(all[0], 'one')).status).toBe(200);
        await comesBack(all);
      });
      expect(failures).toEqual([]);
      await allKnow(`${list()} zoe:7003`, PATIENCE, all);
      expect(await has(owner, 'zoe')).toBe(true);
      nobodyTold(all, 'instance.expired', 'redis.data_lost');
    });

    test('that comes back without its data: nobody is forgotten', async () => {
      const all = await both();
      await register(all[0], 'a', 7001, { ttl: '30s' });
      await allKnow('a:7001', PATIENCE, all);
      await losesItsData(...all);
      await until(() => has(owner, 'a'), 'Redis is told again', PATIENCE);
      expect((await heartbeat(all[1], 'a')).status).toBe(200);
    });

    test('that comes back without its data, though no gateway listened there: nobody is forgotten', async () => {
      const [gateway] = await gatewaysAt(cluster.enteredAt(other));
      await until(() => other.says('PUBSUB NUMSUB suoke:registry:changes', ',1'), 'it listens');
      await register(gateway, 'a', 7001, { ttl: '30s' });
      await losesItsData(gateway);
      await until(() => has(owner, 'a'), 'Redis is told again');
      expect((await heartbeat(gateway, 'a')).status).toBe(200);
    });

    describe('and has a replica of it', () => {
      let replica; // of the owner, and the other way round from one test to the next
      beforeAll(async () => {
        replica = await cluster.addReplica(owner);
      });
      afterEach(async () => {
        [owner, replica] = [replica, owner];
        await replica.start();
        await until(() => replica.says('INFO replication', 'master_link_status:up'), 'it follows', 15_000);
        await cluster.isWell();
      });

      /** Its replica has everything when it dies, and is in its place when this resolves. */
      async function ownerDies(gateways) {
        const written = await owner.offset();
        await until(async () => (await replica.offset()) >= written, 'the replica has it');
        const told = fromNowOn(gateways);
        await owner.kill();
        await told('redis.down');
        await until(() => replica.says('ROLE', 'master'), 'the replica is master', 20_000);
        await allSay('healthy', gateways);
      }

      test('which takes its place: registrations survive it and go on, and traffic does not notice', async () => {
        const all = await both();
        await running('one', 'two');
        await registerAll(all[0], { ttl: '30s' });
        await allKnow(list(), PATIENCE, all);
        expect(await loaded(all, () => ownerDies(all))).toEqual([]);
        expect(await views(all)).toEqual(same(list(), all));
        expect((await register(all[1], 'zoe', 7003)).status).toBe(201);
        expect((await heartbeat(all[0], 'one')).status).toBe(200);
        await allKnow(`${list()} zoe:7003`, PATIENCE, all);
        expect(await has(replica, 'zoe')).toBe(true);
        nobodyTold(all, 'redis.data_lost', 'instance.expired');
      });

      test('which takes its place: others are heard, though it was the only node that was named', async () => {
        const all = await gatewaysAt(cluster.enteredAt(owner), cluster.enteredAt(other));
        await ownerDies(all);
        expect((await register(all[1], 'a', 7001)).status).toBe(201);
        await allKnow('a:7001', 5_000, all);
      });
    });
  });

  describe('behind TLS and a login', () => {
    const authority = makeCertificate({ names: ['the authority'] });
    const stranger = makeCertificate({ names: ['a stranger'] });
    const tls = { certificate: makeCertificate({ names: ['redis'], issuer: authority }), authority };
    const made = [authority, stranger, tls.certificate];
    afterAll(() => made.forEach((each) => rmSync(each.directory, { recursive: true })));

    const PASSWORD = 'the-password-of-everybody', OURS = 'the-password-of-a-gateway';
    const MAY = ['~suoke:*', '&suoke:*', '+@all', '-@admin', '-@dangerous'];

    let redis;
    beforeAll(async () => {
      redis = await startRedis({ tls, password: PASSWORD });
      await redis.command('ACL', 'SETUSER', 'gateway', 'on', `>${OURS}`, ...MAY);
      await redis.command('ACL', 'SETUSER', 'deaf', 'on', `>${OURS}`, ...MAY, 'resetchannels');
    });
    afterAll(() => redis?.remove());

    const asUser = (more) => ({ ...redis.config, username: 'gateway', password: OURS, ...more });
    const inOneLine = () => ({ url: `rediss://gateway:${OURS}@${redis.address}/0`, ca_file: authority.cert_file });

    test.each([
      ['the password alone', () => redis.config],
      ['a user and a password', asUser],
      ['a URL', inOneLine],
    ])('two gateways that come with %s know the same instances', async (_, config) => {
      const both = await gatewaysAt(config(), config());
      await running('one');
      await registerAll(both[0]);
      await allKnow(list(), PATIENCE, both);
      expect(await ask(both[1])).toEqual({ status: 200, instance: 'one', text: 'hello' });
    });

    test('so do gateways at a Cluster', async () => {
      const cluster = await startRedisCluster({ tls, password: PASSWORD });
      try {
        const all = await gatewaysAt(...cluster.nodes.map((each) => cluster.enteredAt(each)));
        await running('one');
        await registerAll(all[0]);
        await allKnow(list(), PATIENCE, all);
        expect(await has(await cluster.masterOf(RECORDS), 'one')).toBe(true);
      } finally {
        await cluster.remove();
      }
    });

    /** A gateway whose configuration has an instance. */
    async function withAnEndpointAt(config) {
      await running('one');
      return alsoGatewayAt(config, { services: { [service]: { endpoints: [instances[0].endpoint] } } });
    }

    /** A gateway that Redis is no help to serves what its configuration says, and says what the matter is. */
    async function aloneAt(config, why) {
      const gateway = await withAnEndpointAt(config);
      await until(() => events(gateway, 'redis.down').length > 0, 'Redis is down', PATIENCE);
      expect(events(gateway, 'redis.down')[0]).toMatchObject({ level: 'warning', because: expect.stringMatching(why) });
      await until(() => events(gateway, 'registry.alone').length > 0, 'and so is the registry', PATIENCE);
      expect(events(gateway, 'registry.alone')[0]).toMatchObject({ level: 'warning', because: expect.stringMatching(why) });
      await until(async () => (await redisCheck(gateway)) === 'degraded', 'it is degraded');
      expect(await ask(gateway)).toEqual({ status: 200, instance: 'one', text: 'hello' });
      expect((await register(gateway, 'two', instances[0].port)).status).toBe(201);
      return gateway;
    }

    test('a certificate of nobody we know is not believed', async () => {
      await aloneAt(asUser({ ca_file: stranger.cert_file }), /certificate/);
    });

    test('a certificate for another name is not believed', async () => {
      await aloneAt(asUser({ host: 'localhost' }), /certificate|hostname/);
    });

    test('a Redis that is spoken to in the clear says nothing', async () => {
      await aloneAt({ host: '127.0.0.1', port: redis.port, password: PASSWORD }, /(closed|broke) the connection/);
    });

    test('a password that is not the right one is told, and not shown; when it is, all is well', async () => {
      const gateway = await aloneAt(asUser({ password: 'another-password' }), /WRONGPASS/);
      expect(JSON.stringify(gateway.log)).not.toContain('another-password');
      await redis.command('ACL', 'SETUSER', 'gateway', '>another-password');
      await allSay('healthy', [gateway]);
      await until(() => has(redis, 'two'), 'Redis is told', PATIENCE);
    });

    test('a login that is missing is told', async () => {
      await aloneAt({ ...redis.config, password: undefined }, /NOAUTH/);
    });

    test('a user who may not hear what others say is told so', async () => {
      const gateway = await alsoGatewayAt(asUser({ username: 'deaf' }));
      await until(() => events(gateway, 'registry.alone').length > 0, 'it is told', PATIENCE);
      expect(events(gateway, 'registry.alone')[0].because).toContain('NOPERM');
    });

    test('and /health says so, too', async () => {
      const gateway = await alsoGatewayAt(asUser({ username: 'deaf' }));
      await until(() => events(gateway, 'registry.alone').length > 0 && events(gateway, 'redis.up').length > 0, 'it is told', PATIENCE);
      await until(async () => (await redisCheck(gateway)) === 'degraded', 'it is degraded');
    });

    test('an authority that cannot be read is no reason to trust anybody, nor to begin without Redis unseen: the start is refused', async () => {
      await expect(withAnEndpointAt(asUser({ ca_file: '/nowhere/ca.pem' }))).rejects.toThrow(/redis\.ca_file: \/nowhere\/ca\.pem: No such file/);
    });
  });
});
