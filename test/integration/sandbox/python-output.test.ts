import { randomUUID } from 'node:crypto';

import { TestSandbox } from '../../support/docker.js';

/** More prints than are written individually: the rest is buffered. */
const MANY = 'for n in range(20000): print(n)\n';
const LINES = Array.from({ length: 20_000 }, (_, n) => `${n}\n`).join('');

/** One user, so that one cell runs all tests. */
const userId = randomUUID();

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create({ outputBytesMax: 1024 * 1024 });
});
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
});

const python = (script: string, more: Parameters<TestSandbox['run']>[2] = {}) =>
  box.run('python', script, { userId, ...more });

/** Each ends the program right after its last print. */
it.each([
  ['its end', 'pass', {}],
  ['os._exit', 'import os; os._exit(3)', { returnCode: 3 }],
  ['os._exit of posix', 'from posix import _exit; _exit(4)', { returnCode: 4 }],
  ['SIGKILL to itself', 'import os; os.kill(os.getpid(), 9)', { signal: 'SIGKILL' }],
  ['raise_signal', 'import signal; signal.raise_signal(15)', { signal: 'SIGTERM' }],
  ['abort', 'import os; os.abort()', { signal: 'SIGABRT' }],
  ['a segmentation fault', 'import ctypes; ctypes.string_at(0)', { signal: 'SIGSEGV' }],
  ['the same under faulthandler', 'import faulthandler, ctypes; faulthandler.enable(); ctypes.string_at(0)', {}],
  ['an exception', 'raise SystemExit(5)', { returnCode: 5 }],
  ['an exec of another program', 'import os; os.execvp("true", ["true"])', { returnCode: 0 }],
  ['sys.stdout is replaced', 'import io, sys; sys.stdout = io.StringIO()', { returnCode: 0 }],
  ['using all memory', 'x = bytearray(1 << 40)', { returnCode: 1 }],
])('output printed before %s is kept', async (_what, end, expected) => {
  expect(await python(MANY + end)).toMatchObject({ out: LINES, ...expected });
});

it.each([
  ['a sleep', 'import time; time.sleep(60)'],
  ['an endless computation', '9 ** 9 ** 9'],
  ['a stop', 'import os; os.kill(os.getpid(), 19)'],
])('output printed before %s is kept if the timeout ends the program', async (_what, wait) => {
  expect(await python(MANY + wait, { timeoutMs: 3_000 })).toMatchObject({ out: LINES, reason: 'timeout' });
});

it('output of the program and its children keeps its order', async () => {
  const script = `
import os, subprocess, sys, multiprocessing
for n in range(2000): print("a")
subprocess.run(["echo", "b"])
for n in range(2000): print("c")
os.system("echo d")
for n in range(2000): print("e")
os.write(1, b"f\\n")
for n in range(2000): print("g")
os.waitpid(os.posix_spawn("/bin/echo", ["echo", "h"], {}), 0)
for n in range(2000): sys.stdout.buffer.write(b"i\\n")
if os.fork() == 0:
    for n in range(2000): print("j")
    os._exit(0)
os.wait()
print("k")
`;
  const parts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'];
  const once = new Set(['b', 'd', 'f', 'h', 'k']);
  const expected = parts.map((part) => `${part}\n`.repeat(once.has(part) ? 1 : 2_000)).join('');
  expect(await python(script)).toMatchObject({ out: expected, err: '', returnCode: 0 });
});

it('a fork prints no warning, doubles no line and shows no extra thread', async () => {
  const script = `
import os, threading, multiprocessing, warnings
warnings.simplefilter("error")
def work(n):
    for _ in range(1000): print("child")
${MANY}
assert threading.active_count() == 1
for _ in range(20):
    for n in range(500): print("parent")
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)
process = multiprocessing.get_context("fork").Process(target=work, args=(1,))
process.start(); process.join()
with multiprocessing.get_context("fork").Pool(2) as pool: print(pool.map(abs, [-1, -2]))
`;
  const outcome = await python(script, { limits: { memory_mb: 256, cpus: 1, pids: 64 } });
  expect({ ...outcome, out: '' }).toMatchObject({ err: '', returnCode: 0 });
  expect(outcome.out).toBe(`${LINES}${'parent\n'.repeat(10_000)}${'child\n'.repeat(1_000)}[1, 2]\n`);
});

it('no byte is lost when many threads and copied descriptors print', async () => {
  const script = `
import os, sys, threading
def work():
    for _ in range(2000): print("0123456789", end="")
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
copy = os.dup(1)
os.dup2(2, 1)
for _ in range(2000): print("to stderr")
os.dup2(copy, 1)
print("back")
`;
  const { out, err } = await python(script);
  expect(out.length).toBe(8 * 2_000 * 10 + 'back\n'.length);
  expect(err).toBe('to stderr\n'.repeat(2_000));
});

it('the streams behave as Python’s own', async () => {
  const script = `
import io, sys
out = sys.stdout
assert type(out) is io.TextIOWrapper and type(out.buffer) is io.BufferedWriter and out.fileno() == 1 and not out.isatty()
assert out.encoding == "utf-8" and out.writable() and sys.__stdout__ is out
assert out.write("grüße\\n") == 6 and out.buffer.write(memoryview(b"bytes\\n")) == 6
out.writelines(["one\\n", "two\\n"])
print("\\udcff", end="\\n")
out.reconfigure(encoding="latin-1", newline="\\r\\n"); print("é")
out.reconfigure(encoding="utf-8", errors="replace", newline="\\n", line_buffering=True); print("é \\ud800")
for wrong in (1, b"x", None):
    try: out.write(wrong)
    except TypeError as error: print(str(error)[:20])
print("to stderr", file=sys.stderr, end="")
out.close()
for use in (lambda: print("x"), lambda: out.write("x"), lambda: out.buffer.write(b"x"), lambda: out.flush()):
    try: use()
    except ValueError as error: print(type(error).__name__, file=sys.stderr, end=" ")
`;
  const outcome = await python(script);
  const [before, after] = [
    Buffer.from('grüße\nbytes\none\ntwo\n'),
    Buffer.from(`é ?\n${'write() argument mus\n'.repeat(3)}`),
  ];
  const expected = Buffer.concat([before, Buffer.from([0xff, 10, 0xe9, 13, 10]), after]);
  expect(Buffer.from(outcome.stdout.content)).toEqual(expected);
  expect(outcome).toMatchObject({ err: 'to stderrValueError ValueError ValueError ValueError ', returnCode: 0 });
});

it('with PYTHONUNBUFFERED set, the streams are Python’s unbuffered ones', async () => {
  const script = 'import sys; print(type(sys.stdout.buffer).__name__, "Output" in repr(sys.stdout.write))';
  expect(await python(script, { input: { env: { PYTHONUNBUFFERED: '1' } } })).toMatchObject({ out: 'FileIO False\n' });
});

it('output is printed even if no thread can be started', async () => {
  const script = `
import threading, time
def wait(): time.sleep(60)
try:
    while True: threading.Thread(target=wait, daemon=True).start()
except RuntimeError: pass
${MANY}
import os; os._exit(0)`;
  expect(await python(script)).toMatchObject({ out: LINES, returnCode: 0 });
});
