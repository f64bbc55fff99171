/**
 * Question: how much slower is a well-behaved run while another user's hostile program runs on the same host?
 * The neighbour's time from submit to outcome, in its own warm cell: alone, then beside each program; rounds
 * interleaved, medians. Each may use one CPU. The hostile program is restarted whenever it ends.
 * Run: npm run bench -- neighbour   (ROUNDS=5 RUNS=10 by default)
 */
import { availableParallelism, loadavg } from 'node:os';

import { DockerSandbox } from '../../src/sandbox/docker-sandbox.js';
import type { ScriptType } from '../../test/support/declared-runtimes.js';
import { job, sandboxOptions } from '../../test/support/docker.js';
import { median, timed } from '../figures.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const RUNS = Number(process.env.RUNS ?? 10);
/** Maximum ratio to the median alone. On a host with a CPU for each of the two there is almost no difference. */
const RATIO_MAX = 3;
const HOSTILE_USER = 'a0000000-0000-4000-8000-000000000000';
const NEIGHBOUR_USER = 'b0000000-0000-4000-8000-000000000000';
const LIMITS = { memory_mb: 128, cpus: 1, pids: 64 };

interface Program {
  readonly wants: string;
  readonly language: ScriptType;
  readonly script: string;
}

const PROGRAMS: readonly Program[] = [
  { wants: 'to spin', language: 'python', script: 'print("on")\nwhile True: pass' },
  {
    wants: 'a fork bomb',
    language: 'python',
    script: 'import os\nprint("on")\nwhile True:\n  try: os.fork()\n  except OSError: pass',
  },
  {
    wants: 'all memory',
    language: 'python',
    script: 'print("on")\nx = []\nwhile True: x.append(bytearray(1 << 20))',
  },
  { wants: 'to print forever', language: 'bash', script: 'echo on; exec cat /dev/zero' },
  {
    wants: 'to fill /tmp',
    language: 'bash',
    script: 'echo on; while :; do head -c 1G /dev/zero >/tmp/big 2>/dev/null; rm /tmp/big; done',
  },
  {
    wants: 'the disk, by reads',
    language: 'python',
    // Bypasses the page cache where O_DIRECT is allowed; otherwise drops the pages it has read, as far as it can.
    script: `import os, mmap
print("on", flush=True)
files = [os.path.join(top, name) for top, _, names in os.walk("/usr") for name in names]
flags = [os.O_DIRECT, 0]
page = mmap.mmap(-1, 1 << 20)
while True:
  for path in files:
    for flag in flags:
      try: file = os.open(path, os.O_RDONLY | flag)
      except OSError: continue
      try:
        while os.readv(file, [page]) == 1 << 20: pass
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
      except OSError: pass
      os.close(file)
      break`,
  },
  {
    wants: 'the disk, by fsync',
    language: 'python',
    script: `import os
print("on", flush=True)
files = []
for path in ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/tmp/mine", "/usr/bin/env", "/usr"]:
  try: files.append(os.open(path, os.O_RDWR | os.O_CREAT))
  except OSError:
    try: files.append(os.open(path, os.O_RDONLY))
    except OSError: pass
while True:
  for file in files:
    try: os.fsync(file)
    except OSError: pass`,
  },
  {
    wants: 'terminals',
    language: 'python',
    script: `import os
print("on", flush=True)
while True:
  try:
    one, other = os.openpty()
    os.set_blocking(other, False)
    for _ in range(1_000):
      try: os.write(other, b"x" * 4096); os.read(one, 4096)
      except BlockingIOError: pass
    os.close(one); os.close(other)
  except OSError: pass`,
  },
  {
    wants: 'locks of files',
    language: 'python',
    script: `import fcntl, struct
print("on", flush=True)
file, at = open("/tmp/locked", "w+b"), 1 << 40
while True:
  at -= 2
  fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, at, 1, 0))`,
  },
  {
    wants: 'others’ pages out of the cache',
    language: 'python',
    script: `import ctypes, os
print("on", flush=True)
libc = ctypes.CDLL(None)
files = [os.path.join(top, name) for top, _, names in os.walk("/usr/lib") for name in names]
while True:
  for path in files:
    try: file = os.open(path, os.O_RDONLY)
    except OSError: continue
    try: os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError: pass
    libc.sync_file_range(file, 0, 0, 7)
    os.close(file)`,
  },
];

const sandbox = new DockerSandbox(await sandboxOptions());

async function neighbour(): Promise<void> {
  const run = job('python', 'print(sum(range(100_000)))', { userId: NEIGHBOUR_USER, limits: LIMITS });
  const outcome = await sandbox.run(run, { signal: new AbortController().signal });
  const printed = Buffer.from(outcome.stdout.content).toString();
  if (printed !== '4999950000\n') throw new Error(`the neighbour ended as ${outcome.reason}: ${printed}`);
}

/** Resolves when the program has started, to a function that ends it. */
async function beside({ language, script }: Program): Promise<() => Promise<void>> {
  const end = new AbortController();
  const begun = Promise.withResolvers<void>();
  const again = async () => {
    while (!end.signal.aborted) {
      const run = job(language, script, { userId: HOSTILE_USER, limits: LIMITS, timeoutMs: 600_000 });
      await sandbox.run(run, { signal: end.signal, onOutput: () => begun.resolve() });
    }
  };
  const running = again();
  await Promise.race([begun.promise, running]);
  return async () => {
    end.abort();
    await running;
  };
}

try {
  const alone: number[] = [];
  const times = new Map(PROGRAMS.map((program) => [program, [] as number[]]));
  await neighbour();
  console.log(`${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [program, besides] of times) {
      for (let run = 0; run < RUNS; run += 1) alone.push(await timed(neighbour));
      const end = await beside(program);
      for (let run = 0; run < RUNS; run += 1) besides.push(await timed(neighbour));
      await end();
    }
  }
  const usual = median(alone);
  console.log(
    `\na neighbour’s run, medians of ${ROUNDS} x ${RUNS}: ${usual.toFixed(1)} ms alone; beside one that wants`,
  );
  let met = true;
  for (const [{ wants }, besides] of times) {
    const ratio = median(besides) / usual;
    met &&= ratio <= RATIO_MAX;
    const verdict = `${ratio.toFixed(2)} times (<= ${RATIO_MAX}) ${ratio <= RATIO_MAX ? 'met' : 'MISSED'}`;
    console.log(`${wants.padEnd(30)} ${median(besides).toFixed(1).padStart(8)} ms   ${verdict}`);
  }
  process.exitCode = met ? 0 : 1;
} finally {
  await sandbox.close();
}
