import { createHash } from 'node:crypto';
import { readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';

import { PersonAtShell } from '../../support/person-at-shell.js';
import { startTestService, type TestService } from '../../support/service.js';

let service: TestService;
let ada: PersonAtShell;
beforeAll(async () => {
  service = await startTestService();
  ada = await PersonAtShell.create(service.url);
});
afterAll(async () => {
  await ada.leave();
  await service.close();
});

test.each([
  ['hello.py', 'import sys\nprint("hello", *sys.argv[1:])'],
  ['hello.js', 'console.log("hello", ...process.argv.slice(2))'],
  ['hello.sh', 'echo "hello" "$@"'],
  ['hello', '#!/usr/bin/env python3\nimport sys\nprint("hello", *sys.argv[1:])'],
])('%s runs as if it ran here', async (name, script) => {
  await ada.file(name, script);
  expect(await ada.run(['run', name, '--arg', 'a b', '--', '-x', '--json'])).toMatchObject({
    code: 0,
    stdout: 'hello a b -x --json\n',
    stderr: '',
  });
});

test('a script from standard input, with --language; standard input from a file and from a pipe', async () => {
  const fromStdin = await ada.run(['run', '-', '--language', 'py'], 'print(6 * 7)');
  expect(fromStdin).toMatchObject({ code: 0, stdout: '42\n', stderr: '' });
  await ada.file('rev.py', 'import sys\nprint(sys.stdin.read()[::-1])');
  await ada.file('in.txt', 'abc');
  const reversed = async (options: readonly string[], stdin = '') => ada.run(['run', 'rev.py', ...options], stdin);
  expect(await reversed(['--stdin', 'in.txt'])).toMatchObject({ code: 0, stdout: 'cba\n', stderr: '' });
  expect(await reversed(['--stdin', '-'], 'abcd')).toMatchObject({ code: 0, stdout: 'dcba\n', stderr: '' });
  expect(await reversed([], 'abcde')).toMatchObject({ code: 0, stdout: 'edcba\n', stderr: '' });
});

test('a conversation: a line, its answer, and the end of input', async () => {
  await ada.file(
    'echo.py',
    'import sys\nfor line in sys.stdin:\n  print("got", line, end="", flush=True)\nprint("end")',
  );
  const command = ada.start(['run', 'echo.py']);
  command.write('one\n');
  await command.shows('got one\n');
  command.write('two\n');
  await command.shows('got two\n');
  command.endInput();
  expect(await command.ended).toMatchObject({ code: 0, stdout: 'got one\ngot two\nend\n', stderr: '' });
});

test('a program that does not read ends although standard input stays open', async () => {
  await ada.file('quick.sh', 'echo done');
  const command = ada.start(['run', 'quick.sh']);
  expect(await command.ended).toMatchObject({ code: 0, stdout: 'done\n' });
});

test('standard output and standard error, byte by byte, a megabyte of them', async () => {
  await ada.file(
    'bytes.py',
    'import sys\nsys.stdout.buffer.write(bytes(range(256)) * 4096)\nsys.stderr.buffer.write(b"\\xff\\x00e")',
  );
  const { code, bytes, stderr } = await ada.run(['run', 'bytes.py']);
  const expected = Buffer.alloc(256 * 4096, Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
  expect({ code, length: bytes.length, sha: sha256(bytes) }).toEqual({
    code: 0,
    length: expected.length,
    sha: sha256(expected),
  });
  expect(stderr).toContain('\u0000e');
});

test.each([
  ['exit 3', [], 3, ''],
  ['exit 64', [], 64, ''],
  ['kill -TERM $$', [], 143, 'voidrunner: the program was ended by SIGTERM'],
  ['sleep 60', ['--timeout', '1'], 124, 'voidrunner: the program reached its time limit after'],
])('%s: the exit code is that of the program', async (script, options, code, says) => {
  await ada.file('end.sh', script);
  const ended = await ada.run(['run', 'end.sh', ...options]);
  const { stdout, stderr } = ended;
  expect({ code: ended.code, stdout, stderr }).toEqual({ code, stdout: '', stderr: expect.stringContaining(says) });
  expect(stderr.split('\n')).toHaveLength(says === '' ? 1 : 2);
});

test('a program that runs out of memory', async () => {
  await ada.file('memory.py', 'x = bytearray(400 * 1024 ** 2)\nprint(len(x))');
  const { code, stderr } = await ada.run(['run', 'memory.py', '--memory', '64']);
  expect({ code, stderr }).toEqual({ code: 137, stderr: expect.stringContaining('the program ran out of memory') });
});

test('a program that does not compile: the compiler’s messages, and 126', async () => {
  await ada.file('wrong.go', 'package main\nfunc main() { nope() }\n');
  const { code, stdout, stderr } = await ada.run(['run', 'wrong.go']);
  expect({ code, stdout }).toEqual({ code: 126, stdout: '' });
  expect(stderr).toMatch(/undefined: nope/);
  expect(stderr).toMatch(/^voidrunner: the program does not compile$/m);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s cancels the execution', async (signal, code) => {
  await ada.file('long.sh', 'echo started; sleep 120');
  const command = ada.start(['run', 'long.sh', '--name', `long ${signal}`]);
  await command.shows('started');
  command.kill(signal);
  expect(await command.ended).toMatchObject({ code, stdout: 'started\n' });
  const { executions } = await ada.account.ok<{ executions: { status: string }[] }>('GET', '/executions?limit=1');
  expect(executions).toMatchObject([{ status: 'cancelled' }]);
});

test('a second Ctrl-C leaves at once', async () => {
  await ada.file('long.sh', 'echo started; sleep 120');
  const command = ada.start(['run', 'long.sh']);
  await command.shows('started');
  command.kill('SIGINT');
  command.kill('SIGINT');
  expect(await command.ended).toMatchObject({ code: 130 });
});

test('a reader that stops early cancels the execution', async () => {
  await ada.file('yes.sh', 'while echo y; do sleep 0.01; done');
  const script = `"$0" "$@" | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const ended = await ada.shell(script, ['run', 'yes.sh']);
  expect(ended.stdout).toBe('y\n141\n');
});

test('files go in and come out, and stay below the folder', async () => {
  await ada.file('data/in.csv', 'a,b');
  await ada.file(
    'files.py',
    'import os, pathlib\npathlib.Path("sub").mkdir()\npathlib.Path("sub/out.bin").write_bytes(pathlib.Path("data/in.csv").read_bytes() + b"\\x00")\npathlib.Path("top.txt").write_text(pathlib.Path("renamed").read_text())\nos.symlink("/etc/passwd", "link.txt")',
  );
  const { code, stderr } = await ada.run([
    'run',
    'files.py',
    '--file',
    'data/in.csv',
    '--file',
    'data/in.csv:renamed',
    '--output',
    '**/*.bin',
    '--output',
    'top.txt',
    '--out',
    'got',
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('got/sub/out.bin') });
  expect(await readFile(join(ada.home, 'got/sub/out.bin'), 'latin1')).toBe('a,b\0');
  expect(await readFile(join(ada.home, 'got/top.txt'), 'utf8')).toBe('a,b');

  // A folder that is a link leads out.
  await ada.file('outside/keep', '');
  await ada.file('trap/keep', '');
  await symlink(join(ada.home, 'outside'), join(ada.home, 'trap/sub'));
  const trapped = await ada.run([
    'run',
    'files.py',
    '--file',
    'data/in.csv',
    '--file',
    'data/in.csv:renamed',
    '--output',
    '**/*.bin',
    '--out',
    'trap',
  ]);
  expect(trapped).toMatchObject({ code: 125, stderr: expect.stringContaining('or a link') });
  expect(await readdir(join(ada.home, 'outside'))).toEqual(['keep']);
});

test('--json prints the execution, --detach its id; env and names arrive', async () => {
  await ada.file('env.sh', 'echo "$GREETING"; exit 4');
  const { code, stdout } = await ada.run(['run', 'env.sh', '--env', 'GREETING=a=b', '--json']);
  expect(code).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({ status: 'failed', stdout: 'a=b\n', return_code: 4 });
  const detached = await ada.run(['run', 'env.sh', '--detach', '--name', 'later']);
  expect(detached).toMatchObject({ code: 0, stderr: '' });
  expect(await ada.account.follow(detached.stdout.trim())).toMatchObject({ status: 'failed', return_code: 4 });
});

test.each([
  [['run', 'missing.py'], /cannot read missing.py: no such file or directory/],
  [['run', 'in.unknown'], /the language of in.unknown is not clear: use --language; there are .*python/],
  [['run', 'in.unknown', '--language', 'cobol'], /no language "cobol"; there are .*bash/],
  [['run', 'latin.py'], /latin.py is not a UTF-8 text/],
  [['run', '.'], /is a folder/],
  [['run', 'in.unknown', '--timeout', 'soon'], /Expected a whole number/],
  [['run', 'in.unknown', '--env', 'X'], /Expected NAME=VALUE/],
  [['run'], /missing required argument 'script'/],
])('voidrunner %j is not run: 125', async (args, says) => {
  await ada.file('in.unknown', 'x');
  await ada.file('latin.py', Buffer.from('print("\xe9")', 'latin1'));
  const { code, stdout, stderr } = await ada.run(args);
  expect({ code, stdout }).toEqual({ code: 125, stdout: '' });
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/^\s+at /m);
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
