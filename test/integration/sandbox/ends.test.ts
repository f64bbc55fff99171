import { job, TestSandbox } from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';
import { RUNTIMES } from '../../support/runtimes.js';

describe.each(RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;

  beforeAll(async () => {
    // Waits for reports, however busy the machine is.
    box = await TestSandbox.create({ runtime, reportGraceMs: 20_000 });
  });
  afterEach(() => box.expectNoContainers());
  afterAll(() => box.sandbox.close());

  it.each([
    ['bash', 'exit 255', 255],
    ['bash', 'exit 137', 137],
    ['python', 'import os; os._exit(139)', 139],
    ['javascript', 'process.exit(3)', 3],
    ['typescript', 'process.exit(4 as number)', 4],
    ['go', 'package main\nimport "os"\nfunc main() { os.Exit(5) }', 5],
  ] as const)('%s: %j ends with its exit code and no signal', async (language, script, returnCode) => {
    expect(await box.run(language, script)).toMatchObject({ reason: 'exit_code', returnCode, signal: null });
  });

  it.each([
    ['python', 'import ctypes; ctypes.string_at(0)', 139, 'SIGSEGV'],
    ['python', 'import os; os.abort()', 134, 'SIGABRT'],
    ['bash', 'kill -TERM $$', 143, 'SIGTERM'],
    ['bash', 'kill -KILL $$', 137, 'SIGKILL'],
    ['bash', 'kill -40 $$', 168, 'SIGRTMIN+6'],
    ['javascript', 'process.kill(process.pid, "SIGUSR2"); setTimeout(() => {}, 5_000)', 140, 'SIGUSR2'],
  ] as const)('%s: %j is killed by its signal', async (language, script, returnCode, signal) => {
    expect(await box.run(language, script)).toMatchObject({ reason: 'signal', returnCode, signal });
  });

  it.each([
    ['python', 'import sys\nprint("before")\nx = []\nwhile True: x.append(bytearray(1 << 20))'],
    ['javascript', 'console.log("before"); const x = []; for (;;) x.push(new Array(100_000).fill(Math.random()))'],
    // The shell's child is killed; the shell exits with 137.
    ['bash', 'echo before; x=$(tail /dev/zero)'],
  ] as const)('%s that uses too much memory ends as out_of_memory, with its output', async (language, script) => {
    const outcome = await box.run(language, script, { limits: { memory_mb: 64, cpus: 1, pids: 64 } });
    expect(outcome).toMatchObject({ reason: 'out_of_memory', returnCode: 137, signal: 'SIGKILL', out: 'before\n' });
    expect(outcome.memoryPeakBytes).toBeGreaterThan(60 * 1024 * 1024);
  });

  it('the largest input is unpacked within the smallest memory', async () => {
    const input = { stdin: Buffer.alloc(1 << 20), files: [{ path: 'a', content: Buffer.alloc(6 << 20) }] };
    const outcome = await box.run('bash', 'wc -c a -', { input, limits: { memory_mb: 16, cpus: 1, pids: 16 } });
    expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 0 });
  });

  it('an exit code is the program’s own if only a child ran out of memory', async () => {
    const script = `
import subprocess, sys
child = subprocess.run([sys.executable, "-c", "x = bytearray(300 << 20)"])
print(child.returncode)`;
    const outcome = await box.run('python', script, { limits: { memory_mb: 64, cpus: 1, pids: 64 } });
    expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 0, out: '-9\n' });
  });

  it('the figures cover the whole run, including children nobody waited for', async () => {
    const script = `
import os, time
reader, writer = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        x = bytearray(80 << 20); until = time.process_time() + 0.3
        while time.process_time() < until: pass
        os.write(writer, b"x")
    os._exit(0)
os.read(reader, 1)`;
    const outcome = await box.run('python', script);
    expect(outcome.cpuTimeMs).toBeGreaterThan(300);
    expect(outcome.memoryPeakBytes).toBeGreaterThan(80 * 1024 * 1024);
    expect(outcome.wallTimeMs).toBeGreaterThan(200);
  });

  describe('the timeout', () => {
    it.each([
      ['python', 'import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint("before")\nwhile True: time.sleep(9)'],
      ['bash', 'trap "" TERM INT; echo before; (setsid sleep 600 &); kill -STOP $$'],
      ['javascript', 'console.log("before"); for (;;);'],
    ] as const)('ends %s in any state, and keeps its output', async (language, script) => {
      const outcome = await box.run(language, script, { timeoutMs: 5_000 });
      expect(outcome).toMatchObject({ reason: 'timeout', returnCode: null, signal: null, out: 'before\n' });
      // Milliseconds are rounded.
      expect(outcome.wallTimeMs).toBeGreaterThanOrEqual(4_999);
      expect(outcome.cpuTimeMs).not.toBeNull();
    });

    it('is not needed for a daemon: the run ends with its program', async () => {
      const outcome = await box.run('bash', 'setsid bash -c "exec sleep 600" & echo done');
      expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 0, out: 'done\n' });
    });
  });

  describe('the limit of CPU time', () => {
    const limits = { memory_mb: 256, cpus: 1, pids: 64, cpu_time_seconds: 0.5 };

    it.each([
      ['python', 'print("before")\nwhile True: pass'],
      ['javascript', 'console.log("before"); for (;;);'],
      ['bash', 'trap "" TERM XCPU; echo before; while :; do :; done & while :; do :; done'],
      [
        'go',
        'package main\nfunc main() { println("before"); for i := 0; i < 4; i++ { go func() { for {} }() }; for {} }',
      ],
    ] as const)('ends %s, counts every process, and keeps the output', async (language, script) => {
      const outcome = await box.run(language, script, { limits, timeoutMs: 60_000 });
      expect(outcome).toMatchObject({ reason: 'cpu_time', returnCode: null, signal: null });
      expect(outcome.out + outcome.err).toBe('before\n');
      expect(outcome.notes).toContain('the limit of CPU time was reached');
      expect(outcome.cpuTimeMs).toBeGreaterThanOrEqual(500);
    });

    it('is not reached by waiting, nor by a compiler', async () => {
      const waits = await box.run('bash', 'sleep 1; echo done', { limits });
      expect(waits).toMatchObject({ reason: 'exit_code', returnCode: 0, out: 'done\n', notes: [] });
      const compiled = 'package main\nimport ("fmt"; "net/http")\nfunc main() { fmt.Println(http.StatusOK) }';
      const go = await box.run('go', compiled, { limits: { ...limits, cpu_time_seconds: 0.1 } });
      expect(go).toMatchObject({ reason: 'exit_code', returnCode: 0, out: '200\n' });
    });
  });

  describe('cancelling', () => {
    it('during the run kills every process and keeps the output', async () => {
      const cancel = new AbortController();
      let askedAt = 0;
      const outcome = await box.sandbox.run(job('bash', 'trap "" TERM; echo on; sleep 600 & wait; sleep 600'), {
        signal: cancel.signal,
        onOutput: () => {
          askedAt = performance.now();
          cancel.abort();
        },
      });
      expect(outcome).toMatchObject({ reason: 'cancelled', returnCode: null, signal: null });
      expect(Buffer.from(outcome.stdout.content).toString()).toBe('on\n');
      expect(askedAt).toBeGreaterThan(0);
    });

    it('before the run creates no container', async () => {
      const outcome = await box.sandbox.run(job('bash', 'echo on'), { signal: AbortSignal.abort() });
      expect(outcome).toMatchObject({ reason: 'cancelled', returnCode: null, stdout: { bytesTotal: 0 } });
    });

    it('while the container is created ends as cancelled, too', async () => {
      const cancel = new AbortController();
      const run = box.sandbox.run(job('bash', 'sleep 600'), { signal: cancel.signal });
      await eventually(async () => expect(await box.containers()).toHaveLength(1), { intervalMs: 1 });
      cancel.abort();
      expect(await run).toMatchObject({ reason: 'cancelled' });
    });

    it('after the program’s own end changes nothing', async () => {
      const cancel = new AbortController();
      const outcome = await box.sandbox.run(job('bash', 'exit 3'), { signal: cancel.signal });
      cancel.abort();
      expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 3 });
    });
  });
});
