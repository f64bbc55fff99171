import { job, type JobParts, TestSandbox } from '../../support/docker.js';
import { RUNTIMES } from '../../support/runtimes.js';

const LIMITS = { memory_mb: 128, cpus: 1, pids: 20 };

/** gVisor has no counter of refused processes, and its tmpfs no inodes. */
const COUNTS = RUNTIMES.filter((runtime) => runtime !== 'runsc');

describe.each(COUNTS)('on %s', (runtime) => {
  let box: TestSandbox;
  const userId = 'a0000000-0000-4000-8000-000000000000';
  beforeAll(async () => {
    // Waits for reports, which have the notes, however busy the machine is.
    box = await TestSandbox.create({ runtime, reportGraceMs: 20_000 });
  });
  afterAll(async () => {
    await box.expectNoContainers();
    await box.sandbox.close();
  });
  const python = (script: string, parts: JobParts = {}) => box.run('python', script, { limits: LIMITS, ...parts });

  // One process runs, and the limit allows 19 more: of 25 the last 6 are refused.
  const FORKS_25 = `
import os, signal
refused = 0
for _ in range(25):
    try:
        if os.fork() == 0: signal.pause()
    except BlockingIOError: refused += 1
print(refused)`;

  it('counts the refused processes of this run only', async () => {
    const notes = ['the limit of 20 processes was reached (6 times)'];
    expect(await python(FORKS_25, { userId })).toMatchObject({ out: '6\n', returnCode: 0, notes });
    expect(await python('print(1)', { userId })).toMatchObject({ out: '1\n', notes: [] });
    expect(await python(FORKS_25, { userId })).toMatchObject({ out: '6\n', notes });
  });

  it('allows as many file locks as programs need, and an SQLite database', async () => {
    const script = `
import fcntl, sqlite3, struct
file = open("/tmp/locked", "w+b")
for at in range(4_000): fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 10_000 - 2 * at, 1, 0))
database = sqlite3.connect("/tmp/data.sqlite")
database.execute("create table t (n)").execute("insert into t values (7)")
print(database.execute("select n from t").fetchone()[0])
import time; time.sleep(0.05)`;
    expect(await python(script)).toMatchObject({ out: '7\n', err: '', notes: [] });
  });

  it('has the same limit if jobs are not nested', async () => {
    const plain = await TestSandbox.create({ runtime, isolation: 'single' });
    const { notes } = await plain.run('python', FORKS_25, { limits: LIMITS });
    expect(notes).toEqual([expect.stringMatching(/^the limit of 20 processes was reached \(.+\)$/)]);
    await plain.sandbox.close();
  });

  it('distinguishes a child that the kernel killed for lack of memory from one that failed by itself', async () => {
    const script = `
import subprocess, sys
child = lambda text: subprocess.run([sys.executable, "-c", text]).returncode
print(child("x = bytearray(300 << 20)"), child("import os; os.kill(os.getpid(), 9)"))`;
    expect(await python(script)).toMatchObject({
      reason: 'exit_code',
      returnCode: 0,
      out: '-9 -9\n',
      notes: ['the limit of 128 MiB of memory was reached (1 process was killed)'],
    });
    const alone = await python('import os; os.kill(os.getpid(), 9)');
    expect(alone).toMatchObject({ reason: 'signal', signal: 'SIGKILL', notes: [] });
  });

  it('reports that /tmp was full', async () => {
    const script = 'dd if=/dev/zero of=/tmp/file bs=1M 2>/dev/null; sleep 0.1; rm /tmp/file';
    const { notes } = await box.run('bash', script, { limits: LIMITS });
    expect(notes).toEqual(['the limit of 64 MiB in /tmp was reached']);
  });

  it('explains the bus error of a program that maps a file too large for /tmp', async () => {
    const script = `
import mmap, os
file = os.open("/tmp/file", os.O_RDWR | os.O_CREAT)
os.ftruncate(file, 80 << 20)
memory = mmap.mmap(file, 80 << 20)
for at in range(0, 80 << 20, 4096): memory[at] = 1`;
    expect(await python(script)).toMatchObject({
      reason: 'signal',
      signal: 'SIGBUS',
      notes: ['the limit of 64 MiB in /tmp was reached'],
    });
  });

  it('reports that /tmp had no file left, also if the run was killed', async () => {
    const script = `
import time
try:
    for n in range(20_000): open(f"/tmp/{n}", "w").close()
except OSError as error: time.sleep(1); print(error.errno, flush=True)
time.sleep(600)`;
    const cancel = new AbortController();
    const outcome = await box.sandbox.run(job('python', script, { timeoutMs: 60_000 }), {
      signal: cancel.signal,
      onOutput: () => cancel.abort(),
    });
    expect(Buffer.from(outcome.stdout.content).toString()).toBe('28\n');
    expect(outcome).toMatchObject({
      reason: 'cancelled',
      notes: ['the limit of 16,384 files in /tmp was reached'],
    });
  });

  it('has a note for output over its cap', async () => {
    const { notes } = await box.run('bash', 'head -c 100000 /dev/zero');
    expect(notes).toEqual(['the limit of 65,536 bytes of stdout was reached (34,464 bytes left out)']);
  });
});
