#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Reads the tree and says where it breaks a rule of the house that no compiler knows.
//
//   node tools/tidy.mjs                          # every rule over the whole tree
//   node tools/tidy.mjs --binary PATH            # also: are the generated documents fresh?
//   node tools/tidy.mjs --binary PATH --write    # write the generated documents again
//   node tools/tidy.mjs --write                  # cut the guides' blocks from their examples again
//
// Prints `file:line: rule: sentence` for each finding and exits 1 if there is one. Notes never fail.
// A rule is a function from a source to findings; tidy.test.mjs shows each firing and keeping quiet.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// --- what the rules know ------------------------------------------------------------------------

// You may include what stands to your left (ARCHITECTURE.md); some stand on less than that.
const ORDER = ['base', 'config', 'rt', 'http', 'upstream', 'store', 'auth', 'limits', 'cache', 'validation', 'balance', 'discovery', 'services',
  'gateway', 'filters', 'endpoints', 'app', 'tools', 'main'];
const STANDS_ON = { config: ['base'], rt: ['base'], auth: ['base', 'rt'] };

// Headers that belong to few modules; everybody else asks those modules.
const RESERVED_HEADERS = [
  { header: /^(boost\/)?(asio|beast)(\.hpp$|\/)/, modules: ['rt'], instead: 'waiting is rt/\'s business' },
  {
    header: /^(sys\/(epoll|eventfd|timerfd|signalfd|select|socket|un)\.h|netinet\/.*|netdb\.h|liburing\.h)$/,
    modules: ['rt'],
    instead: 'sockets are rt/\'s business',
  },
  { header: /^openssl\//, modules: ['rt', 'auth'], instead: 'TLS is rt/\'s business, and signatures are auth/\'s' },
  { header: /^arpa\/inet\.h$/, modules: ['rt', 'config', 'http'], instead: 'parse addresses in config/ or http/' },
];

// What the gateway prints about itself, and where that is kept.
const GENERATED = [
  { file: 'docs/reference/config.md', command: ['config', 'docs'] },
  { file: '.env.example', command: ['config', 'env', '--example'] },
];

// Guides, and what a block of them is written in when it has to come from an example that runs.
const GUIDES = 'docs/guide';
const RUNS = /^(yaml|js|html|proto)$/;

const SOURCE_DIRS = ['src', 'testing', 'tests', 'tools', 'bench', 'scripts', 'docs/examples'];
const IGNORED_DIRS = new Set(['node_modules', 'build', 'corpus', '.git']);
const CPP = /\.(cpp|h)$/;
const SOURCE = /\.(cpp|h|mjs|js|ts|sh)$/;
const LONG_FUNCTION = 60;
const LONG_FILE = 600;

// --- reading C++ without a compiler ---------------------------------------------------------------

// One alternative per thing whose inside is not code: comments, raw strings, strings, characters
// (after a digit or letter a quote is a separator, as in 1'000).
const NOT_CODE = new RegExp([
  String.raw`\/\/[^\n]*`,
  String.raw`\/\*[\s\S]*?\*\/`,
  String.raw`R"([^\s()\\]{0,16})\([\s\S]*?\)\1"`,
  String.raw`"(?:[^"\\\n]|\\[\s\S])*"`,
  String.raw`(?<![0-9A-Za-z_])(?:u8|u|U|L)?'(?:[^'\\\n]|\\.)+'`,
].join('|'), 'g');

// The same text, same length and lines, with comments and the inside of literals blanked.
export function code_only(text) {
  return text.replace(NOT_CODE, (match) => {
    const blank = match.replace(/[^\n]/g, ' ');
    const quoted = /["']$/.test(match) && !match.startsWith('/');
    return quoted && match.length > 1 ? `"${blank.slice(1, -1)}"` : blank;
  });
}

export function cpp_source(file, text) {
  return { file, text, code: code_only(text) };
}

const OPENERS = { '(': ')', '[': ']', '{': '}' };

// The index of the bracket that closes the one at `open`, or the end of the text.
function closing(code, open) {
  let depth = 0;
  for (let i = open; i < code.length; ++i) {
    if (code[i] in OPENERS) ++depth;
    else if (code[i] === ')' || code[i] === ']' || code[i] === '}') --depth;
    if (depth === 0) return i;
  }
  return code.length;
}

const line_at = (text, index) => text.slice(0, index).split('\n').length;

function last_word(code, end) {
  return /([A-Za-z_]\w*)\s*$/.exec(code.slice(Math.max(0, end - 80), end))?.[1];
}

const WORDS_BEFORE_A_LAMBDA = new Set(['return', 'co_return', 'co_await', 'co_yield', 'else', 'do', 'throw']);

// Where a `[` opens a lambda and not an index, an attribute or a structured binding.
function opens_lambda(code, at) {
  if (code[at + 1] === '[' || code[at - 1] === '[') return false;
  const before = code.slice(0, at).trimEnd().slice(-1);
  if (/[)\]]/.test(before) || before === '"') return false;
  if (/\w/.test(before) && !WORDS_BEFORE_A_LAMBDA.has(last_word(code, at))) return false;
  return /^\s*(\(|\{|<|->|\[\[|mutable\b|noexcept\b|constexpr\b|requires\b)/.test(code.slice(closing(code, at) + 1));
}

// Every lambda of the code: where it begins, what it captures, and the span of its body.
export function lambdas(code) {
  const found = [];
  for (let at = code.indexOf('['); at >= 0; at = code.indexOf('[', at + 1)) {
    if (!opens_lambda(code, at)) continue;
    const captures_end = closing(code, at);
    let i = captures_end + 1;
    while (i < code.length && code[i] !== '{' && code[i] !== ';') i = code[i] === '(' ? closing(code, i) + 1 : i + 1;
    if (code[i] !== '{') continue;
    found.push({ at, captures: code.slice(at + 1, captures_end).trim(), open: i, close: closing(code, i) });
  }
  return found;
}

// --- the rules ------------------------------------------------------------------------------------

function includes(source) {
  const found = [];
  source.text.split('\n').forEach((line, index) => {
    const match = /^\s*#\s*include\s*([<"])([^>"]+)[>"]/.exec(line);
    if (match) found.push({ line: index + 1, ours: match[1] === '"', name: match[2] });
  });
  return found;
}

// src/http/uri.cpp -> http; src/main.cpp -> main; anything outside src/ -> undefined
function module_of(file) {
  const parts = file.split('/');
  if (parts[0] !== 'src') return undefined;
  return parts.length > 2 ? parts[1] : 'main';
}

function may_include(from, to) {
  if (from === to) return true;
  if (from in STANDS_ON) return STANDS_ON[from].includes(to);
  return ORDER.indexOf(to) < ORDER.indexOf(from);
}

const is_test = (file) => /_(test|bench)\.cpp$/.test(file);

export function include_direction(source) {
  const from = module_of(source.file);
  if (!from || is_test(source.file)) return [];  // a test may use the whole gateway
  if (!ORDER.includes(from)) {
    return [{ line: 1, sentence: `src/${from} has no place in the order of modules; give it one in tools/tidy.mjs and CMakeLists.txt` }];
  }
  return includes(source).filter((include) => include.ours).flatMap(({ line, name }) => {
    const to = name.split('/')[0];
    if (to === '..' || name.includes('/../')) return [{ line, sentence: `"${name}" climbs; write it from src/` }];
    if (to === 'testing') return [{ line, sentence: `"${name}" is for tests only` }];
    if (!name.includes('/') || !ORDER.includes(to) || may_include(from, to)) return [];
    return [{ line, sentence: `src/${from} may not include "${name}": ${to} does not stand to its left` }];
  });
}

export function reserved_headers(source) {
  const from = module_of(source.file);
  if (!from) return [];
  return includes(source).flatMap(({ line, name }) => RESERVED_HEADERS
    .filter((rule) => rule.header.test(name) && !rule.modules.includes(from))
    .map((rule) => ({ line, sentence: `<${name}> belongs to src/${rule.modules.join(', src/')}: ${rule.instead}` })));
}

// The captures die with the lambda object, which is usually before the coroutine's first resumption.
export function capturing_coroutine(source) {
  const all = lambdas(source.code);
  return all.filter((lambda) => lambda.captures).flatMap((lambda) => {
    let body = source.code.slice(lambda.open, lambda.close);
    for (const inner of all) {  // what an inner lambda awaits makes the inner one a coroutine
      if (inner.open <= lambda.open || inner.close > lambda.close) continue;
      const from = inner.open - lambda.open;
      const to = inner.close - lambda.open;
      body = body.slice(0, from) + ' '.repeat(to - from) + body.slice(to);
    }
    if (!/\bco_(await|return|yield)\b/.test(body)) return [];
    return [{
      line: line_at(source.code, lambda.at),
      sentence: `a lambda that captures [${lambda.captures}] must not be a coroutine; make it a function`,
    }];
  });
}

// g++ 12.2 destroys a temporary aggregate in an awaited call twice; `{}` too, when it stands for one. For
// an empty view write std::string_view(): a reader cannot see from `{}` which of the two it is.
export function braces_in_await(source) {
  const { code } = source;
  const bodies = new Map(lambdas(code).map((lambda) => [lambda.open, lambda.close]));
  const found = [];
  for (const match of code.matchAll(/\bco_await\b/g)) {
    const calls = [];  // one entry per open parenthesis: is it a call's?
    for (let i = match.index; i < code.length; ++i) {
      if (code[i] === '(') {
        calls.push(/[\w>)\]]/.test(code.slice(0, i).trimEnd().slice(-1)) && last_word(code, i) !== 'co_await');
      } else if (code[i] === ')') {
        if (calls.pop() === undefined) break;
      } else if (code[i] === '{') {
        if (!bodies.has(i) && calls.includes(true)) {
          found.push({ line: line_at(code, i), sentence: 'braces inside an awaited call; name the value first (g++ 12.2 destroys it twice)' });
          break;
        }
        i = closing(code, i);
      } else if (code[i] === '}' || (code[i] === ';' && calls.length === 0)) {
        break;
      }
    }
  }
  return found;
}

export function spdx_first(source) {
  const lines = source.text.split('\n');
  const line = lines[0].startsWith('#!') ? 1 : 0;
  if (/^(\/\/|#) SPDX-License-Identifier: MIT$/.test(lines[line] ?? '')) return [];
  return [{ line: line + 1, sentence: 'the first line must be "SPDX-License-Identifier: MIT", as a comment' }];
}

export const CPP_RULES = {
  'include-direction': include_direction,
  'reserved-header': reserved_headers,
  'capturing-coroutine': capturing_coroutine,
  'braces-in-await': braces_in_await,
};
export const RULES = { 'spdx-first': spdx_first };

// --- notes: a place to look, not a wall -----------------------------------------------------------

// Functions with the lines they take. Knows as much C++ as it needs: a block whose head has a
// parenthesis and that stands in no function is a function.
export function functions(code) {
  const found = [];
  let head_start = 0;
  for (let i = 0; i < code.length; ++i) {
    if (code[i] === ';' || code[i] === '}') head_start = i + 1;
    if (code[i] === '(') i = closing(code, i);
    if (code[i] !== '{') continue;
    const start = head_start + /^(\s*(#.*|(public|private|protected)\s*:))*\s*/.exec(code.slice(head_start, i))[0].length;
    const head = code.slice(start, i).trim();
    const is_scope = /^(template\s*<[^{]*>\s*)?(inline\s+)?(namespace|class|struct|union|extern)\b/.test(head) &&
      !/\)\s*(const|noexcept|override|final|->.*)*\s*$/.test(head);
    if (is_scope) {
      head_start = i + 1;
      continue;
    }
    const is_member_initialiser = /\)\s*(noexcept\s*)?:[^:]/.test(head) && /\w\s*$/.test(head);
    if (is_member_initialiser) {
      i = closing(code, i);
      continue;
    }
    const end = closing(code, i);
    const is_function = head.includes('(') && !/=\s*$/.test(head);
    if (is_function) {
      const name = /([\w:~]+)\s*\(/.exec(head)?.[1] ?? '?';
      found.push({ name, line: line_at(code, start), lines: line_at(code, end) - line_at(code, start) + 1 });
    }
    i = end;
    head_start = end + 1;
  }
  return found;
}

export function notes_on(source) {
  const notes = functions(source.code)
    .filter((one) => one.lines > LONG_FUNCTION)
    .map((one) => ({ line: one.line, sentence: `${one.name} has ${one.lines} lines` }));
  const lines = source.text.split('\n').length - 1;
  if (lines > LONG_FILE) notes.push({ line: 1, sentence: `${lines} lines in one file` });
  return notes;
}

// --- the tree -------------------------------------------------------------------------------------

function* files_under(root, dir) {
  const here = path.join(root, dir);
  if (!fs.existsSync(here)) return;
  for (const entry of fs.readdirSync(here, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = `${dir}/${entry.name}`;
    if (entry.isDirectory() && !IGNORED_DIRS.has(entry.name)) yield* files_under(root, file);
    else if (entry.isFile() && SOURCE.test(entry.name)) yield file;
  }
}

export function module_readmes(root) {
  const src = path.join(root, 'src');
  if (!fs.existsSync(src)) return [];
  return fs.readdirSync(src, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !fs.existsSync(path.join(src, entry.name, 'README.md')))
    .map((entry) => ({
      file: `src/${entry.name}/README.md`, line: 1, rule: 'module-readme',
      sentence: 'missing: five lines on what it is, its key types, where to look, what it must not depend on',
    }));
}

// Is what stands in the tree what the binary prints today? A binary that prints nothing yet is let be.
export function generated_docs(root, binary, write = false) {
  return GENERATED.flatMap(({ file, command }) => {
    const asked = `${path.basename(binary)} ${command.join(' ')}`;
    const finding = (sentence) => [{ file, line: 1, rule: 'generated-docs', sentence }];
    const run = spawnSync(binary, command, { encoding: 'utf8', timeout: 10_000, maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe'] });
    if (run.error || run.status !== 0) {
      return finding(`\`${asked}\` failed: ${(run.error?.message ?? run.stderr).trim().split('\n')[0]}`);
    }
    if (run.stdout === '') return [];
    const kept = path.join(root, file);
    if (fs.existsSync(kept) && fs.readFileSync(kept, 'utf8') === run.stdout) return [];
    if (!write) return finding(`differs from \`${asked}\`; run: node tools/tidy.mjs --binary ${binary} --write`);
    fs.mkdirSync(path.dirname(kept), { recursive: true });
    fs.writeFileSync(kept, run.stdout);
    return [];
  });
}

// --- what the guides show -------------------------------------------------------------------------

const MARKER = /^\s*(?:#|\/\/|<!--)\s*(region\s+(\S+)|endregion)\s*(?:-->)?\s*$/;

// The lines of an example between `# region NAME` and `# endregion`, moved to the left; without a name all
// of it but the licence. Undefined: there is no such region.
export function cut_from(text, name) {
  const lines = [];
  let inside = !name;
  let found = !name;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const [, marker, begins] = MARKER.exec(line) ?? [];
    if (marker && name) {
      inside = begins === name;
      found ||= inside;
    }
    if (inside && !marker && !line.includes('SPDX-License-Identifier')) lines.push(line);
  }
  const indents = lines.filter((line) => line.trim()).map((line) => /^ */.exec(line)[0].length);
  const left = Math.min(...indents, Infinity);
  return found ? lines.map((line) => line.slice(left)) : undefined;
}

// The fenced blocks of a guide: the line that opens each, its language, its lines and the mark above it.
export function blocks_of(text) {
  const lines = text.split('\n');
  const found = [];
  for (let i = 0; i < lines.length; ++i) {
    const fence = /^```(\w*)/.exec(lines[i]);
    if (!fence) continue;
    const end = lines.indexOf('```', i + 1);
    const mark = /^<!-- from (\S+?)(?:#(\S+))? -->$/.exec(lines[i - 1] ?? '');
    found.push({ line: i + 1, language: fence[1], lines: lines.slice(i + 1, end), from: mark?.[1], region: mark?.[2] });
    i = end < 0 ? lines.length : end;
  }
  return found;
}

// Where a guide shows something else than its example, line by line. A guide with one mark has one above
// every block that could run.
export function guide_findings(text, read) {
  const blocks = blocks_of(text);
  if (!blocks.some((block) => block.from)) return [];
  return blocks.flatMap(({ line, language, lines, from, region }) => {
    if (!from) return RUNS.test(language) ? [{ line, sentence: `this ${language} is no cut of an example: <!-- from docs/examples/... --> above it` }] : [];
    const example = read(from);
    if (example === undefined) return [{ line: line - 1, sentence: `there is no ${from}` }];
    const wanted = cut_from(example, region);
    if (!wanted) return [{ line: line - 1, sentence: `${from} has no region ${region}` }];
    const at = Array.from({ length: Math.max(lines.length, wanted.length) }).findIndex((_, i) => lines[i] !== wanted[i]);
    if (at < 0) return [];
    const says = wanted[at] === undefined ? 'ends before it' : `says: ${wanted[at].trim()}`;
    return [{ line: line + 1 + at, sentence: `${from} ${says}; run: node tools/tidy.mjs --write` }];
  });
}

// The guide with every block as its example is now.
function cut_again(text, read) {
  const lines = text.split('\n');
  for (const { line, lines: old, from, region } of blocks_of(text).reverse()) {
    const example = from && read(from);
    const wanted = example && cut_from(example, region);
    if (wanted) lines.splice(line, old.length, ...wanted);
  }
  return lines.join('\n');
}

export function guides(root, write = false) {
  const here = path.join(root, GUIDES);
  const read = (file) => (fs.existsSync(path.join(root, file)) ? fs.readFileSync(path.join(root, file), 'utf8') : undefined);
  const names = fs.existsSync(here) ? fs.readdirSync(here).filter((name) => name.endsWith('.md')).sort() : [];
  return names.flatMap((name) => {
    const file = `${GUIDES}/${name}`;
    if (write) fs.writeFileSync(path.join(root, file), cut_again(read(file), read));
    return guide_findings(read(file), read).map((one) => ({ file, rule: 'guide-example', ...one }));
  });
}

// --- everything -----------------------------------------------------------------------------------

function read_tree(root) {
  return SOURCE_DIRS.flatMap((dir) => [...files_under(root, dir)])
    .map((file) => cpp_source(file, fs.readFileSync(path.join(root, file), 'utf8')));
}

// Findings and notes of the whole tree, in the order of its files.
export function tidy({ root, binary, write = false }) {
  const sources = read_tree(root);
  const findings = sources.flatMap((source) => {
    const rules = CPP.test(source.file) ? { ...RULES, ...CPP_RULES } : RULES;
    return Object.entries(rules).flatMap(([rule, check]) => check(source).map((one) => ({ file: source.file, rule, ...one })));
  });
  findings.push(...module_readmes(root), ...guides(root, write));
  if (binary) findings.push(...generated_docs(root, binary, write));
  const notes = sources.filter((source) => CPP.test(source.file))
    .flatMap((source) => notes_on(source).map((one) => ({ file: source.file, ...one })));
  return { files: sources.length, findings, notes };
}

// --- the command ----------------------------------------------------------------------------------

function options_from(args) {
  const options = { root: path.dirname(path.dirname(fileURLToPath(import.meta.url))) };
  const rest = [...args];
  while (rest.length > 0) {
    const option = rest.shift();
    if (option === '--write') options.write = true;
    else if (option === '--root' && rest.length > 0) options.root = path.resolve(rest.shift());
    else if (option === '--binary' && rest.length > 0) options.binary = path.resolve(rest.shift());
    else throw new Error(`unknown option or missing value: ${option}`);
  }
  return options;
}

function main(args) {
  let options;
  try {
    options = options_from(args);
  } catch (error) {
    console.error(`tidy: ${error.message}\nusage: node tools/tidy.mjs [--root DIR] [--binary PATH] [--write]`);
    return 2;
  }
  const { files, findings, notes } = tidy(options);
  for (const { file, line, sentence } of notes) console.log(`${file}:${line}: note: ${sentence} (a place to look, not a wall)`);
  for (const { file, line, rule, sentence } of findings) console.log(`${file}:${line}: ${rule}: ${sentence}`);
  console.log(`tidy: ${files} files, ${findings.length} findings, ${notes.length} notes`);
  return findings.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = main(process.argv.slice(2));
