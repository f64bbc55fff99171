import type { Runtime } from '../../../src/runtimes/runtime.js';
import { runtimeOf } from '../../support/declared-runtimes.js';
import { type JobParts, TestSandbox } from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';

const HELLO = 'package main\nfunc main() { println("hi") }';
const LARGE = `package main
import ("fmt"; "net/http")
func main() { fmt.Println(http.StatusText(404)) }`;

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create();
});
afterEach(() => box.expectNoContainers());
afterAll(() => box.sandbox.close());

const go = (script: string, parts: JobParts = {}) => box.run('go', script, parts);

/** Go with another compiler. */
const withCompiler = (changes: Partial<NonNullable<Runtime['compile']>>): Runtime => {
  const runtime = runtimeOf('go');
  return { ...runtime, compile: { ...runtime.compile!, ...changes } };
};
const sh = (script: string) => withCompiler({ command: ['sh', '-c', script, 'sh', '{program}'] });

it('a compiler has its own limits, whatever those of the program are', async () => {
  const limits = { memory_mb: 32, cpus: 0.3, pids: 32 };
  const outcome = await go(LARGE, { limits, timeoutMs: 1_000 });
  expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 0, out: 'Not Found\n', err: '', fromCompiler: '' });
  expect(outcome.memoryPeakBytes).toBeLessThan(32 << 20);
});

it('the compiler’s time does not count as the program’s', async () => {
  const { wallTimeMs, compile } = await go(LARGE);
  expect(compile).toMatchObject({ returnCode: 0 });
  expect(wallTimeMs).toBeLessThan(compile!.wallTimeMs);
});

it('a program that does not compile differs from one that fails', async () => {
  const wrong = await go('package main\nfunc main() { undefinedName() }');
  expect(wrong).toMatchObject({ reason: 'compile', returnCode: null, signal: null, out: '', err: '', notes: [] });
  expect(wrong.compile!.returnCode).toBeGreaterThan(0);
  expect(wrong.fromCompiler).toContain('main.go:2:15: undefined: undefinedName');
  const panics = await go('package main\nfunc main() { panic("no") }');
  expect(panics).toMatchObject({ reason: 'exit_code', returnCode: 2, compile: { returnCode: 0 } });
  expect(panics.err).toContain('panic: no');
});

it('what a compiler prints is not the program’s output', async () => {
  const runtime = sh(`echo out; echo warning >&2; printf '#!/bin/sh\\necho ran' >"$1"; chmod +x "$1"`);
  const { out, err, compile } = await box.run('go', HELLO, { runtime });
  expect([out, err]).toEqual(['ran\n', '']);
  expect(compile).toMatchObject({
    stdout: { content: Buffer.from('out\n') },
    stderr: { content: Buffer.from('warning\n') },
  });
});

it.each<[what: string, runtime: Runtime, end: object, notes: string[]]>([
  [
    'takes too long',
    withCompiler({ command: ['sleep', '60'], timeout_seconds: 1 }),
    { returnCode: null },
    ['compiler: the limit of 1 s was reached'],
  ],
  [
    'needs too much memory',
    withCompiler({ command: ['sh', '-c', 'x=$(tail /dev/zero)'], limits: { memory_mb: 32, cpus: 1, pids: 32 } }),
    { returnCode: 137 },
    ['compiler: the limit of 32 MiB of memory was reached (1 process was killed)'],
  ],
  ['makes nothing', sh('true'), { returnCode: 0 }, ['compiler: it made no program']],
  ['makes an empty file', sh(':>"$1"'), { returnCode: 0 }, ['compiler: it made no program']],
  ['makes a folder', sh('mkdir "$1"'), { returnCode: 0 }, ['compiler: it made no program']],
  ['makes a link', sh('ln -s /bin/sh "$1"'), { returnCode: 0 }, ['compiler: its program is no file of at most 16 MiB']],
  [
    'makes a program that is too large',
    sh('head -c 17M /dev/zero >"$1"'),
    { returnCode: 0 },
    ['compiler: its program is no file of at most 16 MiB'],
  ],
  ['crashes', sh('kill -SEGV $$'), { returnCode: 139 }, []],
])('a compiler that %s is told apart', async (_, runtime, end, notes) => {
  expect(await box.run('go', HELLO, { runtime })).toMatchObject({ reason: 'compile', compile: end, notes, out: '' });
});

it('a program that cannot be run ends as in a shell', async () => {
  const { reason, returnCode, err } = await box.run('go', HELLO, { runtime: sh('echo text >"$1"') });
  expect([reason, returnCode]).toEqual(['exit_code', 126]);
  expect(err).toBe('/tmp/.program/program: Exec format error\n');
});

it('a program of 16 MiB is run', async () => {
  const script = `{ printf '#!/bin/sh\\nwc -c <"$0"; exit 0\\n'; head -c 16M /dev/zero; } | head -c 16M >"$1"; chmod +x "$1"`;
  expect(await box.run('go', HELLO, { runtime: sh(script) })).toMatchObject({ out: `${16 << 20}\n`, returnCode: 0 });
});

it('a compiler reads neither the input of the program, nor its arguments', async () => {
  const cat = 'package main\nimport ("io"; "os")\nfunc main() { io.Copy(os.Stdout, os.Stdin) }';
  expect(await go(cat, { input: { stdin: Buffer.from('all of it') } })).toMatchObject({ out: 'all of it' });
  const runtime = sh(`{ cat; echo $#; } >&2; printf '#!/bin/sh\\n' >"$1"; chmod +x "$1"`);
  const { compile } = await box.run('go', HELLO, { runtime, input: { stdin: Buffer.from('no'), args: ['a'] } });
  expect(compile).toMatchObject({ stderr: { content: Buffer.from('1\n') } });
});

it('compiler and program share nothing but the program', async () => {
  const leave = `echo left >/tmp/left; echo left >left; (setsid sleep 60 &); printf '#!/bin/sh\\nls -A . /tmp; set -- /proc/[0-9]*; echo $#' >"$1"`;
  const { out } = await box.run('go', HELLO, { runtime: sh(`${leave}; chmod +x "$1"`) });
  expect(out).toBe('.:\nmain.go\n\n/tmp:\n.program\nwork\n1\n');
});

it('a program cannot change itself', async () => {
  const script = `package main
import ("fmt"; "os")
func main() {
  path := os.Args[0]
  fmt.Println(os.WriteFile(path, nil, 0o755) != nil, os.Remove(path) != nil, os.Chmod(path, 0o777) != nil)
  fmt.Println(os.Rename("/tmp/.program", "/tmp/x") != nil, os.WriteFile("/tmp/.program/y", nil, 0o755) != nil)
}`;
  expect(await go(script)).toMatchObject({ out: 'true true true\ntrue true\n', err: '' });
});

it('a compiler is cancelled with its run', async () => {
  const cancel = new AbortController();
  const running = box.run('go', LARGE, {}, cancel.signal);
  cancel.abort();
  expect(await running).toMatchObject({ reason: 'cancelled', compile: null });
  const later = new AbortController();
  const slow = box.run('go', HELLO, { runtime: withCompiler({ command: ['sleep', '60'] }) }, later.signal);
  await eventually(() => expect(box.sandbox.figures.busy).toBe(1));
  later.abort();
  expect(await slow).toMatchObject({ reason: 'cancelled', compile: null });
  expect(await go(HELLO)).toMatchObject({ reason: 'exit_code', err: 'hi\n' });
});
