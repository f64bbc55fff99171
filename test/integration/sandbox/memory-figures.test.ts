import type { ScriptType } from '../../support/declared-runtimes.js';
import { TestSandbox } from '../../support/docker.js';

/** As in `npm run bench -- memory-figures`, compared with docker run. */
const DEVIATION_MAX = 0.1;
const MIB = 1024 * 1024;

const expectWithin = (figure: number | null, expected: number): void => {
  expect(figure).toBeGreaterThan(expected * (1 - DEVIATION_MAX));
  expect(figure).toBeLessThan(expected * (1 + DEVIATION_MAX));
};

const LANGUAGES: Readonly<Record<'python' | 'javascript' | 'bash', { hello: string; large: string }>> = {
  python: { hello: 'print("hi")', large: 'x = bytearray(60 << 20)' },
  javascript: { hello: 'console.log("hi")', large: 'console.log(Buffer.alloc(60 << 20, 1).length)' },
  bash: { hello: 'echo hi', large: "x=$(printf '%*s' 20000000 x); echo ${#x}" },
};

let box: TestSandbox;
beforeAll(async () => {
  box = await TestSandbox.create();
});
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
});

const python = (script: string, userId: string) => box.run('python', script, { userId });

it.each(Object.entries(LANGUAGES))(
  '%s: the same program has the same memory figure, whatever ran before it',
  async (language, { hello, large }) => {
    const userId = crypto.randomUUID();
    const run = (script: string) => box.run(language as ScriptType, script, { userId });
    const figures: number[] = [];
    for (let n = 0; n < 3; n += 1) figures.push((await run(hello)).memoryPeakBytes!);
    expect((await run(large)).returnCode).toBe(0);
    for (let n = 0; n < 3; n += 1) figures.push((await run(hello)).memoryPeakBytes!);
    for (const figure of figures) expectWithin(figure, figures[0]!);
  },
);

it('node’s figure equals what node itself reports', async () => {
  const outcome = await box.run('javascript', 'console.log(process.resourceUsage().maxRSS)');
  expectWithin(outcome.memoryPeakBytes, Number(outcome.out) * 1024);
});

describe('beyond python’s own memory', () => {
  const userId = crypto.randomUUID();
  let own = 0;
  beforeAll(async () => {
    own = (await python('import mmap, os, time', userId)).memoryPeakBytes!;
  });

  it.each([
    ['an allocation that is freed at once', 'x = b"x" * (60 << 20); del x', 60],
    ['a child that ends at once', 'import os\nif os.fork() == 0: x = b"x" * (60 << 20); os._exit(0)\nos.wait()', 60],
    // A page that a fork shares with its parent is one page.
    [
      'forks of a large process',
      'import os, time\nx = b"x" * (60 << 20)\nfor _ in range(4):\n  if os.fork() == 0: time.sleep(60)\ntime.sleep(0.5)',
      60 + 1,
    ],
    [
      'concurrent processes',
      `import os, time
ready, tell = os.pipe()
for _ in range(3):
  if os.fork() == 0: x = b"x" * (30 << 20); os.write(tell, b"1"); time.sleep(60)
for _ in range(3): os.read(ready, 1)
time.sleep(1)`,
      90,
    ],
    [
      'shared memory',
      'import mmap, os, time\nm = mmap.mmap(-1, 40 << 20); m.write(b"x" * (40 << 20))\nif os.fork() == 0: m.seek(0); m.read(); time.sleep(60)\ntime.sleep(0.3)',
      // Its source and target buffers.
      40 + 40,
    ],
    // The source buffer stays: both together for less than a check interval (10 ms) may be reported as the larger one
    // (ADR 28).
    ['a file in /tmp', 'import time\nx = b"x" * (40 << 20); open("/tmp/f", "wb").write(x)\ntime.sleep(0.3)', 80],
    [
      'a file in /dev/shm',
      'import time\nx = b"x" * (12 << 20); open("/dev/shm/f", "wb").write(x)\ntime.sleep(0.3)',
      24,
    ],
    [
      'an allocation beside a file',
      'import time\nf = open("/tmp/f", "wb")\nfor _ in range(40): f.write(bytes(1 << 20))\ntime.sleep(0.3); x = b"x" * (60 << 20); del x',
      100,
    ],
  ])('%s counts once', async (_, script, mib) => {
    const outcome = await python(script, userId);
    expect(outcome).toMatchObject({ returnCode: 0, err: '' });
    expectWithin(outcome.memoryPeakBytes, own + mib * MIB);
  });

  it('pages that are only read do not count', async () => {
    const script = `import os
for folder, _, names in os.walk("/usr/lib"):
    for path in (os.path.join(folder, name) for name in names):
        if os.path.isfile(path): open(path, "rb").read(1 << 16)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])`;
    const outcome = await python(script, userId);
    expectWithin(outcome.memoryPeakBytes, Number(outcome.out) * 1024);
  });

  it('a run that is killed has its figure', async () => {
    const outcome = await box.run('python', 'x = b"x" * (60 << 20)\nwhile True: pass', { userId, timeoutMs: 2_000 });
    expect(outcome.reason).toBe('timeout');
    expectWithin(outcome.memoryPeakBytes, own + 60 * MIB);
  });

  it('a program that hides from its own user counts', async () => {
    // PR_SET_DUMPABLE: its files in /proc belong to root. A child that nobody waits for leaves no usage record.
    const script = `import ctypes, os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
if os.fork() == 0:
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    x = b"x" * (60 << 20)
    time.sleep(0.3)
    os._exit(0)
time.sleep(0.6)`;
    const outcome = await python(script, userId);
    expect(outcome).toMatchObject({ returnCode: 0, err: '' });
    expect(outcome.memoryPeakBytes).toBeGreaterThan(own + 55 * MIB);
  });
});
