// SPDX-License-Identifier: MIT
// A certificate for "localhost" that nobody has signed, made anew for every run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function makeCertificate() {
  const directory = mkdtempSync(join(tmpdir(), 'suoke-certificate-'));
  const [cert_file, key_file] = ['cert.pem', 'key.pem'].map((name) => join(directory, name));
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key_file, '-out', cert_file,
  ], { stdio: 'ignore' });
  return { directory, cert_file, key_file, pem: readFileSync(cert_file) };
}
