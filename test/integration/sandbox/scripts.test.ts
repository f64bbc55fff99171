import { randomUUID } from 'node:crypto';

import type { ScriptType } from '../../support/declared-runtimes.js';
import { TestSandbox } from '../../support/docker.js';

/** One user, so that one cell of each image runs all tests. */
const userId = randomUUID();

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create();
});
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
});

const WINDOWS: readonly [ScriptType, script: string][] = [
  ['python', '# -*- coding: utf-8 -*-\nif True:\n    print("ünï")\n'],
  ['javascript', '// @ts-check\nif (true) {\n  console.log("ünï");\n}\n'],
  ['javascript', 'import { EOL } from "node:os";\nif (EOL) console.log("ünï");\n'],
  ['typescript', 'const text: string = "ünï";\nif (text) {\n  console.log(text);\n}\n'],
  ['bash', 'if true; then\n  echo ünï\nfi\ncase x in\n  x) : ;;\nesac\n'],
  ['go', 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("ünï")\n}\n'],
];

describe.each(WINDOWS)('%s', (language, script) => {
  const marked = `\uFEFF${script}`;
  const windows = (text: string): string => text.replaceAll('\n', '\r\n');
  const shell = (text: string): string => `#!/usr/bin/env ${language}\n${text}`;
  const forms: [string, string][] = [
    ['Windows line ends', windows(script)],
    ['a byte order mark', marked],
    ['both', windows(marked)],
    ...(language === 'go' ? [] : ([['a first line for the shell', windows(shell(script))]] as [string, string][])),
  ];

  it.each(forms)('runs %s', async (_what, text) => {
    expect(await box.run(language, text, { userId })).toMatchObject({ out: 'ünï\n', err: '', returnCode: 0 });
  });
});

const TOOLS: readonly [name: string, script: string, out: string][] = [
  ['bc', 'echo "scale=2; 10/4" | bc', '2.50\n'],
  ['jq', `echo '{"a":[1,2]}' | jq -c .a`, '[1,2]\n'],
  ['xxd', 'printf hi | xxd -p', '6869\n'],
  ['hexdump', 'printf hi | hexdump -ve \'1/1 "%02x"\'', '6869'],
  ['column', 'printf "a b\\nccc d\\n" | column -t', 'a    b\nccc  d\n'],
  ['file', 'printf "%%PDF-1.4" >x; file -b --mime-type x', 'application/pdf\n'],
  ['zip and unzip', 'echo x >a; zip -q a.zip a; unzip -p a.zip', 'x\n'],
  ['tar, gzip, bzip2 and xz', 'echo x >a; for z in z j J; do tar c$z a | tar xO$z; done', 'x\nx\nx\n'],
  ['ps', 'ps -o comm= -p $$', 'bash\n'],
  ['pgrep', 'sleep 9 & pgrep -c sleep', '1\n'],
  ['gawk', `echo 'a b' | awk '{ print toupper($2), PROCINFO["version"] ~ /^5/ }'`, 'B 1\n'],
  ['getopt', 'getopt -o a -- -a x', " -a -- 'x'\n"],
  ['shuf, seq, sort, tac', 'seq 3 | tac | sort -R | sort | paste -sd,', '1,2,3\n'],
  ['diff and cmp', 'echo a >a; echo b >b; diff a b; cmp -s a b; echo $?', '1c1\n< a\n---\n> b\n1\n'],
];

it.each(TOOLS)('bash has %s', async (_name, script, out) => {
  expect(await box.run('bash', script, { userId })).toMatchObject({ out, err: '', returnCode: 0 });
});

it('the versions are those that docs/runtimes.md lists', async () => {
  const versions: Readonly<Record<string, string>> = {
    python: (await box.run('python', 'import sys; print(*sys.version_info[:2], sep=".")', { userId })).out,
    javascript: (await box.run('javascript', 'console.log(process.versions.node.split(".")[0])', { userId })).out,
    bash: (await box.run('bash', 'echo ${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}', { userId })).out,
    go: (
      await box.run(
        'go',
        'package main\nimport ("fmt"; "runtime")\nfunc main() { fmt.Println(runtime.Version()[:6]) }',
        { userId },
      )
    ).out,
    base: (await box.run('bash', '. /etc/os-release; echo $VERSION_CODENAME', { userId })).out,
  };
  expect(versions).toEqual({ python: '3.13\n', javascript: '24\n', bash: '5.2\n', go: 'go1.24\n', base: 'trixie\n' });
});

it('a missing library is reported as missing', async () => {
  const python = await box.run('python', 'import numpy', { userId });
  expect(python.err).toMatch(/ModuleNotFoundError: No module named 'numpy'/);
  const javascript = await box.run('javascript', 'require("lodash")', { userId });
  expect(javascript.err).toMatch(/Cannot find module 'lodash'/);
});

it('an input file may be named like the script of another language', async () => {
  const files = [{ path: 'main.py', content: Buffer.from('print(1)\n') }];
  const outcome = await box.run('bash', 'wc -l main.py', { userId, input: { files } });
  expect(outcome).toMatchObject({ out: '1 main.py\n', returnCode: 0 });
});
