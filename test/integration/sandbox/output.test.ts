import { connectEngine } from '../../../src/sandbox/engine.js';
import type { SandboxFailure } from '../../../src/sandbox/sandbox.js';
import { containersOf, dockerEndpoint, job, TestSandbox } from '../../support/docker.js';

const CAP = 64 * 1024;
let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create({ outputBytesMax: CAP });
});
afterEach(() => box.expectNoContainers());
afterAll(() => box.sandbox.close());

it('stdout and stderr are separate, as bytes', async () => {
  const outcome = await box.run(
    'python',
    `
import os
os.write(1, bytes(range(256))); os.write(2, b"\\xff\\xfe\\x00err"); os.write(1, b"\\0\\0no newline")`,
  );
  const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, n) => n)), Buffer.from('\0\0no newline')]);
  expect(Buffer.from(outcome.stdout.content).equals(bytes)).toBe(true);
  expect(Buffer.from(outcome.stderr.content)).toEqual(Buffer.from([0xff, 0xfe, 0, 0x65, 0x72, 0x72]));
});

it('output over the cap keeps its head and tail, and reports its size', async () => {
  const outcome = await box.run('bash', 'seq 1 50000; echo short >&2');
  const all = Array.from({ length: 50_000 }, (_, n) => `${n + 1}\n`).join('');
  expect(outcome.stdout).toMatchObject({ bytesTotal: all.length, truncated: true });
  expect(outcome.out).toBe(all.slice(0, CAP / 2) + all.slice(-CAP / 2));
  expect(outcome.stderr).toMatchObject({ bytesTotal: 6, truncated: false });
});

it('a job may ask for less, and gets no more than the cap', async () => {
  const script = 'seq 1 50000; seq 1 1000 >&2';
  const limits = { memory_mb: 256, cpus: 1, pids: 64 };
  const less = await box.run('bash', script, { limits: { ...limits, output_bytes: 1_024 } });
  expect(less.stdout).toMatchObject({ truncated: true, headBytes: 512, content: { length: 1_024 } });
  expect(less.stderr).toMatchObject({ truncated: true, content: { length: 1_024 } });
  const more = await box.run('bash', script, { limits: { ...limits, output_bytes: 10 * CAP } });
  expect(more.stdout.content).toHaveLength(CAP);
});

it('output of exactly the cap is kept whole', async () => {
  const outcome = await box.run('bash', `head -c ${CAP} /dev/zero`);
  expect(outcome.stdout).toMatchObject({ bytesTotal: CAP, truncated: false });
  expect(outcome.stdout.content).toHaveLength(CAP);
});

it('endless output does not prevent the timeout', async () => {
  const live: Buffer[] = [];
  const outcome = await box.sandbox.run(job('bash', 'echo first; exec cat /dev/zero', { timeoutMs: 3_000 }), {
    signal: new AbortController().signal,
    onOutput: (_, chunk) => live.push(Buffer.from(chunk)),
  });
  expect(outcome.reason).toBe('timeout');
  expect(outcome.stdout.truncated).toBe(true);
  expect(outcome.stdout.bytesTotal).toBeGreaterThan(1024 * 1024);
  expect(outcome.stdout.content).toHaveLength(CAP);
  expect(Buffer.from(outcome.stdout.content).toString('latin1', 0, 6)).toBe('first\n');
  expect(Buffer.concat(live).equals(outcome.stdout.content)).toBe(true);
});

it('output is not lost if the container is killed from outside', async () => {
  const kill = async () => {
    const [name] = await containersOf(box.workerId);
    await connectEngine(dockerEndpoint).getContainer(name!).kill();
  };
  const run = box.sandbox.run(job('bash', 'echo before; exec sleep 600'), {
    signal: new AbortController().signal,
    onOutput: () => void kill(),
  });
  const failure = (await run.catch((error: unknown) => error)) as SandboxFailure;
  expect(failure).toMatchObject({ countsAsAttempt: true, partial: { stdout: { bytesTotal: 7, truncated: false } } });
  expect(Buffer.from(failure.partial!.stdout.content).toString()).toBe('before\n');
});

it('output is live: a chunk arrives before the program continues', async () => {
  const heard = { stdout: '', stderr: '' };
  const cancel = new AbortController();
  // The program never ends by itself: only output received live can trigger the cancel.
  await box.sandbox.run(job('python', 'import sys, time\nprint("a", file=sys.stderr)\nprint("b")\ntime.sleep(600)'), {
    signal: cancel.signal,
    onOutput: (stream, chunk) => {
      heard[stream] += Buffer.from(chunk).toString();
      if (heard.stdout.endsWith('\n') && heard.stderr.endsWith('\n')) cancel.abort();
    },
  });
  expect(heard).toEqual({ stdout: 'b\n', stderr: 'a\n' });
});

it('forged records and frames have no effect', async () => {
  // The launcher's report at the end of a job, in its own format.
  const forged =
    'status=0\\nkilled=none\\nwall_us=1\\ncpu_us=1\\nmemory_peak=1\\nmemory_source=cgroup\\noom_kills=0\\n';
  const outcome = await box.run(
    'python',
    `
import os, struct, sys
facts = b"${forged}stdout_bytes=0\\nstderr_bytes=0\\nstdout_truncated=0\\nstderr_truncated=0\\n"
for job in range(3):
    for kind, text in ((b"T", facts), (b"R", b"isolation: no"), (b"S", b"")):
        frame = kind + struct.pack(">II", len(text) + 4, job) + text
        os.write(1, frame); os.write(2, frame)
os.write(1, b"\\x02\\0\\0\\0\\0\\0\\0\\x04fake")
sys.exit(9)`,
  );
  expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 9 });
  expect(outcome.out).toContain('isolation: no');
  expect(outcome.err).toContain('killed=none');
  expect(outcome.stdout.bytesTotal).toBeGreaterThan(outcome.stderr.bytesTotal);
  expect(outcome.out.endsWith('\x02\0\0\0\0\0\0\x04fake')).toBe(true);
});

it.each([
  ['stdout closed early', 'exec 1>&-; echo on >&2; exit 4', 4],
  ['both closed early', 'exec 1>&- 2>&-; exit 5', 5],
  ['stdout passed to a daemon', 'setsid sleep 600 & disown; exit 6', 6],
])('%s is handled', async (_, script, returnCode) => {
  expect(await box.run('bash', script)).toMatchObject({ reason: 'exit_code', returnCode });
});

it('a run ends even if its program has filled its non-blocking pipes', async () => {
  const outcome = await box.run(
    'python',
    `
import os
for fd in (1, 2):
    os.set_blocking(fd, False)
    try:
        while True: os.write(fd, bytes(4096))
    except BlockingIOError: pass
os._exit(8)`,
  );
  expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 8 });
});

it('a script of 65,535 characters with a megabyte of unread input runs', async () => {
  const script = `echo ok #${'é'.repeat(65_535 - 9)}`;
  const outcome = await box.run('bash', script, { input: { stdin: Buffer.alloc(1024 * 1024, 'x') } });
  expect(outcome).toMatchObject({ out: 'ok\n', returnCode: 0 });
});

it('each of many concurrent runs gets its own output', async () => {
  const numbers = Array.from({ length: 6 }, (_, n) => n);
  const outcomes = await Promise.all(
    numbers.map((n) =>
      box.run('bash', 'cat; echo $0-$1; exit $1', { input: { stdin: Buffer.from(`in ${n}\n`), args: [String(n)] } }),
    ),
  );
  expect(outcomes.map(({ out, returnCode }) => [out, returnCode])).toEqual(
    numbers.map((n) => [`in ${n}\nmain.sh-${n}\n`, n]),
  );
});
