// SPDX-License-Identifier: MIT
// A network namespace at the other end of a cable (veth), which can be pulled out: then packets vanish,
// and nobody is told. Needs root, and Linux.
import { spawnSync } from 'node:child_process';
import { describe } from 'vitest';
import { whereIs } from './programs.mjs';

const ip = (...words) => spawnSync('ip', words, { encoding: 'utf8' });

function must(...words) {
  const { status, stderr } = ip(...words);
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
}

// The kernel knows these names and addresses for all processes: ours have our process in them.
const number = process.pid % 10_000;
const subnet = `10.213.${process.pid % 250}`;

export class Link {
  namespace = `suoke-e2e-${number}`;
  address = `${subnet}.2`;
  #near = `sk${number}a`;
  #far = `sk${number}b`;

  lay() {
    must('netns', 'add', this.namespace);
    must('link', 'add', this.#near, 'type', 'veth', 'peer', 'name', this.#far, 'netns', this.namespace);
    must('addr', 'add', `${subnet}.1/30`, 'dev', this.#near);
    must('link', 'set', this.#near, 'up');
    must('-n', this.namespace, 'addr', 'add', `${this.address}/30`, 'dev', this.#far);
    must('-n', this.namespace, 'link', 'set', 'lo', 'up');
    this.mend();
    return this;
  }

  // The far end: the near one keeps its route, so that what is sent there goes nowhere.
  cut() {
    must('-n', this.namespace, 'link', 'set', this.#far, 'down');
  }
  mend() {
    must('-n', this.namespace, 'link', 'set', this.#far, 'up');
  }

  /** Whatever there is of it is gone, processes inside excepted. */
  remove() {
    ip('link', 'del', this.#near);
    ip('netns', 'del', this.namespace);
  }
}

process.once('exit', () => new Link().remove());

function why() {
  if (process.platform !== 'linux' || !whereIs('ip')) return 'ip (iproute2) is not installed';
  if (process.getuid() !== 0) return 'network namespaces need root';
  const probe = `suoke-e2e-try-${number}`;
  const { status } = ip('netns', 'add', probe);
  ip('netns', 'del', probe);
  return status === 0 ? '' : 'network namespaces are not allowed here';
}

/** describe() for what needs a link; where there can be none its tests are skipped, and the report says why. */
export function describeWithLink(name, tests) {
  const reason = why();
  if (reason) describe.skip(`${name}: ${reason}`, tests);
  else describe(name, tests);
}
