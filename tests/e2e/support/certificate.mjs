// SPDX-License-Identifier: MIT
// Certificates made anew for every run, signed by nobody or by another one made here.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEYS = { ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['rsa:2048'] };

/** For `names`, the first of which is its subject; `issuer` is what this returned for another one. */
export function makeCertificate({ names = ['localhost'], key = 'ec', days = 2, issuer } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'suoke-certificate-'));
  const [cert_file, key_file] = ['cert.pem', 'key.pem'].map((name) => join(directory, name));
  const signed = issuer ? ['-CA', issuer.cert_file, '-CAkey', issuer.key_file] : [];
  execFileSync('openssl', [
    'req', '-x509', '-newkey', ...KEYS[key], '-nodes', '-days', String(days), '-subj', `/CN=${names[0]}`, ...signed,
    '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`)},IP:127.0.0.1`, '-keyout', key_file, '-out', cert_file,
  ], { stdio: 'ignore' });
  return { directory, cert_file, key_file, pem: readFileSync(cert_file) };
}
