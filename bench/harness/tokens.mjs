// SPDX-License-Identifier: MIT
// Tokens for the runs with policies, and the keys they are verified with; made once a run.

import { createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const made = new Map();

export function keysIn(dir) {
    if (made.has(dir)) return made.get(dir);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const publicFile = path.join(dir, 'jwt.pem');
    fs.writeFileSync(publicFile, createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
    const keys = { privateKey, publicFile, secret: randomBytes(32).toString('hex') };
    made.set(dir, keys);
    return keys;
}

// What a client of this proxy sends: nothing where nobody looks at it.
export function authorizationOf(name, dir) {
    if (name.includes('+cache')) return {};
    const algorithm = name.includes('hs256') ? 'HS256' : 'RS256';
    return { header: `authorization: Bearer ${tokenOf(algorithm, keysIn(dir))}` };
}

function tokenOf(algorithm, { privateKey, secret }) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: 'suoke-auth-service', aud: 'suoke-life', sub: 'user-4711', type: 'access', roles: ['user'], iat: now, exp: now + 3600 };
    const signed = `${part({ alg: algorithm, typ: 'JWT' })}.${part(claims)}`;
    const signature = algorithm === 'HS256' ? createHmac('sha256', secret).update(signed).digest('base64url')
        : sign('sha256', Buffer.from(signed), privateKey).toString('base64url');
    return `${signed}.${signature}`;
}
