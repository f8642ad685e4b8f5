// SPDX-License-Identifier: MIT
// A double of the Kubernetes API server, made from the public description of its API: lists and watches of
// EndpointSlices (kubernetes.io/docs/reference/using-api/api-concepts, .../service-resources/endpoint-slice-v1). No
// cluster has been asked. Like the real one it speaks TLS only, would rather speak HTTP/2, and writes null where a
// list is empty.
import http2 from 'node:http2';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './gateway.mjs';

const API = /^\/apis\/discovery\.k8s\.io\/v1\/namespaces\/([^/]+)\/endpointslices$/;
const SELECTED = /^kubernetes\.io\/service-name=(.+)$/;
const KIND = { kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1' };
const MADE = '2026-01-01T00:00:00Z';

export class Kubernetes {
  queries = []; // {verb: 'list' or 'watch', namespace, service, version} in the order they came, with a good token
  tokens; // that are good now
  forbidden = []; // namespaces whose slices the service account may not see
  goneAs = 'event'; // how a version that is too old is told: in the stream, or as its 'status'
  #slices = new Map(); // by namespace and name
  #events = []; // {type, object}, the whole history
  #watches = new Set(); // {query, response}
  #sockets = new Set();
  #version = 1_000; // of everything in the cluster
  #forgotten = 0; // the history up to here
  #tears = false;

  constructor({ port, certificate, tokens }) {
    Object.assign(this, { port, certificate, tokens });
  }

  async start() {
    this.server = http2.createSecureServer({ allowHTTP1: true, ...this.#identity }, (request, response) => this.#answer(request, response));
    this.server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    return this;
  }

  /** What it knows stays, as in etcd. */
  async stop() {
    const stopped = new Promise((resolve) => this.server.close(resolve));
    this.breakAll();
    await stopped;
  }

  /** From now on it shows another certificate. */
  shows(certificate) {
    this.certificate = certificate;
    this.server.setSecureContext(this.#identity);
  }

  get #identity() {
    return { cert: readFileSync(this.certificate.cert_file), key: readFileSync(this.certificate.key_file) };
  }

  // ---- what happens in the cluster

  /** A slice of a service: `pods` are {name, address, conditions}. */
  has({ name, namespace = 'default', ...slice }) {
    const key = `${namespace}/${name}`;
    this.#happened(this.#slices.has(key) ? 'MODIFIED' : 'ADDED', key, endpointSlice({ name, namespace, ...slice }));
  }

  deletes(name, namespace = 'default') {
    const key = `${namespace}/${name}`;
    this.#happened('DELETED', key, structuredClone(this.#slices.get(key)));
  }

  /** Something that no watch of a slice is told. */
  changesElsewhere() {
    ++this.#version;
  }

  /** As etcd is compacted: whoever knows less than there is now has to list again. */
  forgetsHistory() {
    this.#forgotten = this.#version;
  }

  #happened(type, key, object) {
    object.metadata.resourceVersion = String(++this.#version);
    if (type === 'DELETED') this.#slices.delete(key);
    else this.#slices.set(key, object);
    this.#events.push({ type, object });
    for (const watch of this.#watches) this.#tell(watch, { type, object });
  }

  // ---- what becomes of watches

  /** How many there are. */
  get watches() {
    return this.#watches.size;
  }
  /** It knows nothing new, and says up to where. */
  bookmarks() {
    const metadata = { resourceVersion: this.version, creationTimestamp: null };
    const object = { ...KIND, metadata, addressType: '', endpoints: null, ports: null };
    for (const { response } of this.#watches) response.write(line({ type: 'BOOKMARK', object }));
  }
  /** As when their time is over. */
  endsWatches() {
    for (const { response } of this.#allWatches()) response.end();
  }
  /** Their versions are too old all of a sudden. */
  expiresWatches() {
    for (const { query, response } of this.#allWatches()) response.end(line({ type: 'ERROR', object: this.#tooOld(query) }));
  }
  /** The next event comes half, and its connection breaks. */
  tearsNextEvent() {
    this.#tears = true;
  }
  /** Without a word, as when the server's machine dies. */
  breakAll() {
    this.#allWatches();
    for (const socket of this.#sockets) socket.destroy();
  }

  // All there were: what happens from now on they are not told.
  #allWatches() {
    const all = [...this.#watches];
    this.#watches.clear();
    return all;
  }

  get version() {
    return String(this.#version);
  }

  // ---- the answers

  #answer(request, response) {
    const url = new URL(request.url, 'https://kubernetes');
    const namespace = API.exec(url.pathname)?.[1];
    const service = SELECTED.exec(url.searchParams.get('labelSelector') ?? '')?.[1];
    const watching = url.searchParams.get('watch') === '1';
    const query = { verb: watching ? 'watch' : 'list', namespace, service, version: url.searchParams.get('resourceVersion') };
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (!this.tokens.includes(token)) return refuse(response, status(401, 'Unauthorized', 'Unauthorized'));
    const known = request.method === 'GET' && namespace && service;
    if (!known) return refuse(response, status(404, 'NotFound', 'the server could not find the requested resource'));
    this.queries.push(query);
    if (this.forbidden.includes(namespace)) return refuse(response, forbidden(query));
    if (watching) return this.#watch(query, url.searchParams, response);
    const items = [...this.#slices.values()].filter((slice) => selected(slice, query));
    response.writeHead(200, { 'content-type': 'application/json' });
    const metadata = { resourceVersion: this.version };
    response.end(JSON.stringify({ kind: 'EndpointSliceList', apiVersion: KIND.apiVersion, metadata, items }));
  }

  #watch(query, wanted, response) {
    const old = Number(query.version) < this.#forgotten;
    if (old && this.goneAs === 'status') return refuse(response, this.#tooOld(query));
    response.writeHead(200, { 'content-type': 'application/json' });
    if (old) return response.end(line({ type: 'ERROR', object: this.#tooOld(query) }));
    response.flushHeaders();
    const watch = { query, response };
    const over = setTimeout(() => this.#watches.delete(watch) && response.end(), Number(wanted.get('timeoutSeconds') ?? 1_800) * 1_000);
    this.#watches.add(watch);
    response.once('close', () => {
      clearTimeout(over);
      this.#watches.delete(watch);
    });
    for (const event of this.#events) if (Number(event.object.metadata.resourceVersion) > Number(query.version)) this.#tell(watch, event);
  }

  #tell(watch, { type, object }) {
    const { query, response } = watch;
    if (!selected(object, query)) return;
    const whole = line({ type, object: { ...KIND, ...object } });
    if (!this.#tears) return response.write(whole);
    this.#tears = false;
    this.#watches.delete(watch);
    response.write(whole.slice(0, whole.length / 2), () => this.breakAll());
  }

  #tooOld = (query) => status(410, 'Expired', `too old resource version: ${query.version} (${this.#forgotten})`);
}

const line = (event) => `${JSON.stringify(event)}\n`;

const selected = ({ metadata }, { namespace, service }) =>
  metadata.namespace === namespace && metadata.labels['kubernetes.io/service-name'] === service;

const status = (code, reason, message) => ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code });

const forbidden = ({ verb, namespace }) =>
  status(403, 'Forbidden', 'endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:default:gateway" ' +
    `cannot ${verb} resource "endpointslices" in API group "discovery.k8s.io" in the namespace "${namespace}"`);

function refuse(response, why) {
  response.writeHead(why.code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(why));
}

// As the controller of EndpointSlices makes them.
const endpointSlice = ({ name, namespace, service, ports, pods }) => ({
  metadata: {
    name, generateName: `${service}-`, namespace, uid: '5bd6c9de-1b5c-4a0e-93f6-2d2f9f9f0c11', generation: 1, creationTimestamp: MADE,
    labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io', 'kubernetes.io/service-name': service },
    annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': MADE },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: service, uid: '0f9c2f3c-86c5-4d4e-a3e3-c8a95a05dfd4', controller: true }],
  },
  addressType: 'IPv4',
  endpoints: pods.length === 0 ? null : pods.map((pod) => ({
    addresses: [pod.address],
    conditions: { ready: true, serving: true, terminating: false, ...pod.conditions },
    targetRef: { kind: 'Pod', namespace, name: pod.name, uid: 'b7a6a7f0-3b5e-4c31-9d75-0c1f4a3f1b52' },
    nodeName: 'node-1',
    zone: 'here',
  })),
  ports: pods.length === 0 ? null : Object.entries(ports).map(([called, port]) => ({ name: called, protocol: 'TCP', port })),
});

/** The directory that a kubelet mounts into a pod. It replaces the files in it all at once, by turning a link. */
export class ServiceAccount {
  #turns = 0;

  constructor(files) {
    this.directory = mkdtempSync(join(tmpdir(), 'suoke-serviceaccount-'));
    this.renew(files);
    for (const name of ['token', 'ca.crt']) symlinkSync(join('..data', name), join(this.directory, name));
  }

  renew(files) {
    Object.assign(this, files);
    const data = `..data-${++this.#turns}`;
    mkdirSync(join(this.directory, data));
    writeFileSync(join(this.directory, data, 'token'), this.token);
    writeFileSync(join(this.directory, data, 'ca.crt'), this.authority.pem);
    symlinkSync(data, join(this.directory, '..data_tmp'));
    renameSync(join(this.directory, '..data_tmp'), join(this.directory, '..data'));
  }

  get files() {
    return { token_file: join(this.directory, 'token'), ca_file: join(this.directory, 'ca.crt') };
  }

  remove() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const startKubernetes = async (options) => new Kubernetes({ port: await freePort(), ...options }).start();
