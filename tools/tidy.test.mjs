// SPDX-License-Identifier: MIT
// Each rule of tidy.mjs fires on what it is against, on the right line, and keeps quiet on what is allowed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as t from './tidy.mjs';

const lines = (rule, file, text) => rule(t.cpp_source(file, text)).map((finding) => finding.line);
const fires = (rule, file, text, ...on) => assert.deepEqual(lines(rule, file, text), on, text);
const quiet = (rule, file, text) => fires(rule, file, text);

// A tree with these files, gone after the test.
function tree(context, files) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'tidy-'));
  context.after(() => fs.rmSync(root, { recursive: true }));
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
  }
  return root;
}

// A binary that prints `text` whatever it is asked.
function binary_that_prints(root, text, status = 0) {
  const binary = path.join(root, 'fake-gateway');
  fs.writeFileSync(binary, `#!/bin/sh\nprintf '${text}'\nexit ${status}\n`, { mode: 0o755 });
  return binary;
}

test('a module may include itself and what stands to its left', () => {
  quiet(t.include_direction, 'src/http/h1.cpp', '#include "http/h1.h"\n#include "base/text.h"\n#include "rt/task.h"\n');
  quiet(t.include_direction, 'src/gateway/serve.cpp', '#include "config/config.h"\n#include "upstream/pool.h"\n');
  quiet(t.include_direction, 'src/main.cpp', '#include "app/app.h"\n#include "tools/run.h"\n');
  quiet(t.include_direction, 'src/base/text.cpp', '#include <http/like.h>\n#include "pch.h"\n');
});

test('a module may not include what stands to its right', () => {
  fires(t.include_direction, 'src/base/text.cpp', '#include "base/text.h"\n#include "config/config.h"\n', 2);
  fires(t.include_direction, 'src/upstream/pool.h', '  #  include "gateway/exchange.h"\n', 1);
  fires(t.include_direction, 'src/endpoints/health.cpp', '#include "app/app.h"\n', 1);
});

test('rt and config stand on base alone, auth on rt', () => {
  quiet(t.include_direction, 'src/rt/loop.cpp', '#include "rt/loop.h"\n#include "base/time.h"\n');
  quiet(t.include_direction, 'src/auth/key.cpp', '#include "auth/key.h"\n#include "rt/digest.h"\n#include "base/error.h"\n');
  fires(t.include_direction, 'src/auth/key.cpp', '#include "http/grpc.h"\n', 1);
  quiet(t.include_direction, 'src/limits/keys.cpp', '#include "auth/identity.h"\n#include "store/kv.h"\n');
  fires(t.include_direction, 'src/rt/loop.cpp', '#include "config/config.h"\n', 1);
  fires(t.include_direction, 'src/config/load.cpp', '#include "rt/task.h"\n', 1);
});

test('an include may not climb, nor take the test harness into the product', () => {
  fires(t.include_direction, 'src/http/h1.cpp', '#include "../app/app.h"\n', 1);
  fires(t.include_direction, 'src/http/h1.cpp', '#include "http/../app/app.h"\n', 1);
  fires(t.include_direction, 'src/http/h1.cpp', '#include "testing/scene.h"\n', 1);
});

test('a test may use the whole gateway, and files outside src are free', () => {
  quiet(t.include_direction, 'src/http/h1_test.cpp', '#include "testing/scene.h"\n#include "app/app.h"\n');
  quiet(t.include_direction, 'testing/scene.cpp', '#include "app/app.h"\n');
});

test('a directory that has no place in the order is told', () => {
  fires(t.include_direction, 'src/utils/misc.cpp', '\n', 1);
});

test('Asio and sockets belong to rt, OpenSSL to rt and auth', () => {
  const all = ['boost/asio.hpp', 'boost/asio/ip/tcp.hpp', 'asio/post.hpp', 'boost/beast/http.hpp', 'sys/epoll.h', 'sys/socket.h',
    'netinet/in.h', 'netinet/tcp.h', 'openssl/ssl.h'];
  for (const header of all) {
    fires(t.reserved_headers, 'src/http/h1.cpp', `#include <vector>\n#include <${header}>\n`, 2);
    fires(t.reserved_headers, 'src/main.cpp', `#include <${header}>\n`, 1);
    quiet(t.reserved_headers, 'src/rt/loop.cpp', `#include <${header}>\n`);
    quiet(t.reserved_headers, 'testing/peer.cpp', `#include <${header}>\n`);
  }
  quiet(t.reserved_headers, 'src/auth/key.cpp', '#include <openssl/evp.h>\n');
  fires(t.reserved_headers, 'src/auth/key.cpp', '#include <sys/socket.h>\n', 1);
  quiet(t.reserved_headers, 'src/http/h1.cpp', '#include <boost/system/result.hpp>\n#include <sys/stat.h>\n// #include <sys/epoll.h>\n');
});

test('config and http may parse addresses, others may not', () => {
  quiet(t.reserved_headers, 'src/http/uri.cpp', '#include <arpa/inet.h>\n');
  quiet(t.reserved_headers, 'src/config/load.cpp', '#include <arpa/inet.h>\n');
  fires(t.reserved_headers, 'src/gateway/router.cpp', '#include <arpa/inet.h>\n', 1);
});

test('a lambda that captures may not be a coroutine', () => {
  const file = 'src/rt/a.cpp';
  fires(t.capturing_coroutine, file, 'void f() {\n  spawn([this] { co_await go(); });\n}\n', 2);
  fires(t.capturing_coroutine, file, 'auto a = [&](int n) -> Task<int> { co_return n; };\n', 1);
  fires(t.capturing_coroutine, file, 'auto a = [x = 1]() mutable noexcept -> Gen { co_yield x; };\n', 1);
  fires(t.capturing_coroutine, file, 'return [=]<class T>(T v) { co_return v; };\n', 1);
  fires(t.capturing_coroutine, file, 'f({1}, a[0], [&] {\n  if (a) { co_await b; }\n});\n', 1);
});

test('a lambda without captures may be a coroutine, a capturing one may wait for nothing', () => {
  const file = 'src/rt/a.cpp';
  quiet(t.capturing_coroutine, file, 'spawn([](Peer& peer) -> Task<void> { co_await peer.read(); }(peer));\n');
  quiet(t.capturing_coroutine, file, 'auto a = [&] { return 1; }; co_await b;\n');
  quiet(t.capturing_coroutine, file, 'auto a = [&] { return "co_await"; /* co_return */ };  // co_yield\n');
});

test('an inner lambda that waits does not make the outer one a coroutine, and the other way round', () => {
  const file = 'src/rt/a.cpp';
  quiet(t.capturing_coroutine, file, 'auto a = [&] { return [](int n) -> Task<int> { co_return n; }; };\n');
  fires(t.capturing_coroutine, file, 'auto a = [] {\n return [&] { co_return; };\n};\n', 2);
  fires(t.capturing_coroutine, file, 'auto a = [&] { auto b = [] { return 1; };\n co_return b(); };\n', 1);
});

test('an index, an attribute, a structured binding and operator[] are no lambdas', () => {
  const code = 'Task<void> f() { [[maybe_unused]] int a[2]{1, 2}; auto [x, y] = g(); auto& [k, v] = h();\n' +
    'for (auto& [k2, v2] : m) { co_await a[k2] (v2); } delete[] p; }\nint operator[](int i) { return i; }\n';
  assert.deepEqual(t.lambdas(code), []);
});

test('braces inside an awaited call are told', () => {
  const file = 'src/rt/a.cpp';
  fires(t.braces_in_await, file, 'co_await f(Options{.name = "x"});\n', 1);
  fires(t.braces_in_await, file, 'auto r =\n  co_await s.fetch(url,\n    {"a", "b"});\n', 3);
  fires(t.braces_in_await, file, 'if (!(co_await f(g(Point{1, 2})))) return;\n', 1);
  fires(t.braces_in_await, file, 'co_await make<T>({});\n', 1);
  fires(t.braces_in_await, file, 'co_await write(head, {});\n', 1);
  fires(t.braces_in_await, file, 'co_await f([] { return 1; }, Options{});\n', 1);
});

test('an awaiter in braces, a named value, a lambda argument and the block behind a condition are allowed', () => {
  const file = 'src/rt/a.cpp';
  quiet(t.braces_in_await, file, 'co_await Awaiter{*this, deadline};\n');
  quiet(t.braces_in_await, file, 'Options o{.name = "x"};\nco_await f(std::move(o));\n');
  quiet(t.braces_in_await, file, 'co_await f([](int n) { return n + 1; });\n');
  quiet(t.braces_in_await, file, 'if (co_await f(x)) { g(Options{}); }\n');
  quiet(t.braces_in_await, file, 'while (auto r = co_await next()) {\n  f({1});\n}\n');
  quiet(t.braces_in_await, file, 'co_await (Awaiter{1});\n');
  quiet(t.braces_in_await, file, 'co_await write(head, std::string_view());\n');
  quiet(t.braces_in_await, file, '// co_await f({1});\nlog("co_await f({1})");\n');
});

test('the licence stands first, after a #! line at most', () => {
  quiet(t.spdx_first, 'src/a.cpp', '// SPDX-License-Identifier: MIT\n#pragma once\n');
  quiet(t.spdx_first, 'scripts/a.sh', '#!/bin/sh\n# SPDX-License-Identifier: MIT\n');
  fires(t.spdx_first, 'src/a.cpp', '#pragma once\n// SPDX-License-Identifier: MIT\n', 1);
  fires(t.spdx_first, 'src/a.cpp', '// SPDX-License-Identifier: GPL-3.0\n', 1);
  fires(t.spdx_first, 'scripts/a.sh', '#!/bin/sh\nset -e\n', 2);
  fires(t.spdx_first, 'src/empty.h', '', 1);
});

test('code_only keeps lines and length, and blanks comments and literals of every kind', () => {
  const text = 'a("x{y", \'{\', 1\'000, R"j({"k": [1]})j"); // {\n/* {\n{ */ b("\\"{"); u8\'{\';\n';
  const code = t.code_only(text);
  assert.equal(code.length, text.length);
  assert.equal(code.split('\n').length, text.split('\n').length);
  assert.ok(!code.includes('{') && code.includes("1'000") && code.includes('b('), code);
});

test('functions are measured from their head to their closing brace', () => {
  const text = 'namespace a {\nclass B : public C {\n public:\n  B() : x_{1}, y_(2) {\n    go();\n  }\n' +
    '  int get() const override { return x_; }\n  int x_{0};\n};\n}\nint\nf(int n) noexcept {\n  if (n) {\n  }\n  auto g = [&] {\n  };\n}\n' +
    'const int table[] = {\n  1,\n};\n';
  assert.deepEqual(t.functions(t.code_only(text)).map(({ name, line, lines: n }) => [name, line, n]),
    [['B', 4, 3], ['get', 7, 1], ['f', 11, 7]]);
});

test('long functions and long files are noted and never fail', (context) => {
  const spdx = '// SPDX-License-Identifier: MIT\n';
  const root = tree(context, { 'src/base/README.md': '', 'src/base/a.cpp': `${spdx}void f() {\n${'  go();\n'.repeat(600)}}\n` });
  const { findings, notes } = t.tidy({ root });
  assert.deepEqual(findings, []);
  assert.deepEqual(notes.map((note) => note.sentence), ['f has 602 lines', '603 lines in one file']);
});

test('every module has a README', (context) => {
  const root = tree(context, { 'src/base/README.md': 'base', 'src/http/.keep': '', 'src/main.cpp': '' });
  assert.deepEqual(t.module_readmes(root).map((finding) => finding.file), ['src/http/README.md']);
});

test('generated documents are compared with the binary, and written on request', (context) => {
  const root = tree(context, { 'docs/reference/config.md': 'old\n', '.env.example': 'new\n' });
  const binary = binary_that_prints(root, 'new\\n');
  assert.deepEqual(t.generated_docs(root, binary).map((finding) => finding.file), ['docs/reference/config.md']);
  assert.deepEqual(t.generated_docs(root, binary, true), []);
  assert.equal(fs.readFileSync(path.join(root, 'docs/reference/config.md'), 'utf8'), 'new\n');
  assert.deepEqual(t.generated_docs(root, binary), []);
});

test('a generated document that is not there is told', (context) => {
  const root = tree(context, { '.env.example': 'new\n' });
  assert.deepEqual(t.generated_docs(root, binary_that_prints(root, 'new\\n')).map((finding) => finding.file), ['docs/reference/config.md']);
});

test('a binary that fails or is not there is a finding, never a silence', (context) => {
  const root = tree(context, {});
  assert.equal(t.generated_docs(root, binary_that_prints(root, '', 3)).length, 2);
  assert.equal(t.generated_docs(root, path.join(root, 'absent')).length, 2);
});

// A guide that shows `lines`, cut from an example of which `wanted` is the interesting part.
const EXAMPLE = 'docs/examples/sse/suoke.yaml';
const guide = (lines, region = '#beat') => `# SSE\n\n<!-- from ${EXAMPLE}${region} -->\n\`\`\`yaml\n${lines}\`\`\`\n\nThe end.\n`;
const example = (wanted) => `routes:\n  # region name\n  - name: chat\n  # endregion\n    # region beat\n${wanted}    # endregion\n    timeout: 1s\n`;
const told = (text, wanted) => t.guide_findings(text, (file) => (file === EXAMPLE ? example(wanted) : undefined));

test('a block of a guide is its region of the example, moved to the left', () => {
  const wanted = '    sse:\n\n      heartbeat: 10s\n';
  assert.deepEqual(told(guide('sse:\n\n  heartbeat: 10s\n'), wanted), []);
  assert.deepEqual(told(guide('sse:\n\n  heartbeat: 11s\n'), wanted).map((one) => one.line), [7]);
  assert.deepEqual(told(guide('sse:\n\n'), wanted).map((one) => one.line), [7]);
  assert.deepEqual(told(guide('sse:\n\n  heartbeat: 10s\nmore\n'), wanted).map((one) => one.line), [8]);
  assert.match(told(guide('sse:\n\n  heartbeat: 11s\n'), wanted)[0].sentence, /^docs\/examples\/sse\/suoke\.yaml says: heartbeat: 10s;/);
});

test('a block without a region is the whole example, but for its licence and the marks of regions', () => {
  const text = '// SPDX-License-Identifier: MIT\nlet a;\n  // region b\n  let b;\n// endregion\n';
  assert.deepEqual(t.cut_from(text), ['let a;', '  let b;']);
  assert.deepEqual(t.cut_from('<!-- region p -->\n<p>\n<!-- endregion -->\n<p>\n', 'p'), ['<p>']);
  assert.equal(t.cut_from(text, 'c'), undefined);
  assert.deepEqual(t.cut_from('# region a\n1\n# region b\n2\n# region a\n3\n# endregion\n4\n', 'a'), ['1', '3']);
});

test('a guide whose example or region is gone is told, and one with a block from nowhere', () => {
  assert.deepEqual(told(guide('a\n', '#gone'), '').map((one) => one.sentence), [`${EXAMPLE} has no region gone`]);
  const lost = guide('a\n').replace('sse/', 'lost/');
  assert.deepEqual(told(lost, '').map(({ line, sentence }) => [line, sentence]), [[3, 'there is no docs/examples/lost/suoke.yaml']]);
  const more = '\n```yaml\na: b\n```\n\n```bash\ncurl\n```\n\n```\noutput\n```\n';
  assert.deepEqual(told(guide('') + more, '').map((one) => one.line), [9]);
  assert.deepEqual(told(more, ''), []);  // it shows no example at all
});

test('guides are compared with their examples, and cut again on request', (context) => {
  const root = tree(context, { 'docs/guide/sse.md': guide('old\n'), [EXAMPLE]: example('    new\n    lines\n') });
  assert.deepEqual(t.guides(root).map(({ file, line, rule }) => [file, line, rule]), [['docs/guide/sse.md', 5, 'guide-example']]);
  assert.deepEqual(t.guides(root, true), []);
  assert.equal(fs.readFileSync(path.join(root, 'docs/guide/sse.md'), 'utf8'), guide('new\nlines\n'));
});

test('the command prints file:line and exits 1 on findings, 0 on none, 2 on a wrong option', (context) => {
  const root = tree(context, { 'src/base/README.md': 'base', 'src/base/a.cpp': '// SPDX-License-Identifier: MIT\n#include "http/h1.h"\n' });
  const run = (...args) => spawnSync(process.execPath, [fileURLToPath(new URL('tidy.mjs', import.meta.url)), ...args], { encoding: 'utf8' });
  const bad = run('--root', root);
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /^src\/base\/a\.cpp:2: include-direction: /m);
  fs.writeFileSync(path.join(root, 'src/base/a.cpp'), '// SPDX-License-Identifier: MIT\n');
  assert.equal(run('--root', root).status, 0);
  assert.equal(run('--binery', 'x').status, 2);
});
