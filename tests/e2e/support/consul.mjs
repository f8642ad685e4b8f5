// SPDX-License-Identifier: MIT
// The part of Consul's public API that discovery asks: /v1/health/service/:name with blocking queries
// (developer.hashicorp.com/consul/api-docs/features/blocking), as an agent answers it.
import http from 'node:http';
import { freePort } from './gateway.mjs';

export class Consul {
  queries = []; // {name, index, tags, token} in the order they came
  #services = new Map();
  #waiting = new Set();
  #index;
  #token;

  constructor({ port, index = 100, token = '' }) {
    Object.assign(this, { port });
    this.#index = index;
    this.#token = token;
  }

  /** The instances of a service: {id, port, tags, status}. Whoever waits is answered. */
  has(name, instances) {
    this.#services.set(name, instances);
    ++this.#index;
    for (const wake of [...this.#waiting]) wake();
  }

  start() {
    this.server = http.createServer((request, response) => this.#answer(request, response));
    return new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', () => resolve(this)));
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  async #answer(request, response) {
    const url = new URL(request.url, 'http://consul');
    const name = /^\/v1\/health\/service\/([^/]+)$/.exec(url.pathname)?.[1];
    if (request.method !== 'GET' || !name) return response.writeHead(404).end();
    const query = {
      name: decodeURIComponent(name),
      index: Number(url.searchParams.get('index') ?? 0),
      tags: url.searchParams.getAll('tag'),
      token: request.headers['x-consul-token'] ?? '',
    };
    this.queries.push(query);
    if (query.token !== this.#token) return response.writeHead(403).end('Permission denied');
    if (query.index > 0) await this.#change(query.index, milliseconds(url.searchParams.get('wait') ?? '5m'), response);
    if (response.destroyed) return;
    const all = (this.#services.get(query.name) ?? []).filter((each) => query.tags.every((tag) => (each.tags ?? []).includes(tag)));
    response.writeHead(200, {
      'content-type': 'application/json', 'x-consul-index': this.#index, 'x-consul-knownleader': 'true', 'x-consul-lastcontact': 0,
    });
    response.end(JSON.stringify(all.map((each) => entry(query.name, each))));
  }

  // Until there is something newer than `index`, the time is over, or nobody waits any more.
  #change(index, time, response) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const wake = () => this.#index > index && done();
      const timer = setTimeout(done, time);
      this.#waiting.add(wake);
      response.once('close', done);
      wake();
    });
  }
}

function milliseconds(text) {
  const [, count, unit] = /^(\d+)(ms|s|m)$/.exec(text);
  return Number(count) * { ms: 1, s: 1_000, m: 60_000 }[unit];
}

// As /v1/health/service has it; the instance's address is its node's, where it says none itself.
const entry = (name, { id, port, tags = [], status = 'passing' }) => ({
  Node: { ID: '40e4a748-2192-161a-0510-9bf59fe950b5', Node: 'node-1', Address: '127.0.0.1', Datacenter: 'dc1', TaggedAddresses: {}, Meta: {} },
  Service: { ID: id, Service: name, Tags: tags, Address: '', Port: port, Meta: {}, Weights: { Passing: 1, Warning: 1 } },
  Checks: [
    { Node: 'node-1', CheckID: 'serfHealth', Name: 'Serf Health Status', Status: 'passing', ServiceID: '', ServiceName: '' },
    { Node: 'node-1', CheckID: `service:${id}`, Name: 'alive', Status: status, ServiceID: id, ServiceName: name },
  ],
});

export const startConsul = async (options = {}) => new Consul({ port: await freePort(), ...options }).start();
