import { randomUUID } from 'node:crypto';

import { connectEngine } from '../../../src/sandbox/engine.js';
import type { ScriptType } from '../../support/declared-runtimes.js';
import { readSeccompProfile } from '../../../src/sandbox/seccomp-profile.js';
import { dockerEndpoint, type JobParts, TestSandbox, type TextOutcome } from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';
import { PROGRAMS } from '../../support/preload-programs.js';
import { RUNTIMES } from '../../support/runtimes.js';

/** What Linux gives anew to each process: addresses, thread identifiers, times. */
const CHANGING = [/0x[0-9a-f]+/g, /\b1[34]\d{13}\b/g];

const seen = ({ reason, returnCode, signal, out, err }: TextOutcome) => ({
  reason,
  returnCode,
  signal,
  out: CHANGING.reduce((text, pattern) => text.replaceAll(pattern, '…'), out),
  err: CHANGING.reduce((text, pattern) => text.replaceAll(pattern, '…'), err),
});

const INPUT = { args: ['', 'b c', '--x=ü'], env: { X: 'y=z', EMPTY: '' }, stdin: Buffer.from('in\n') };

/** Warnings of the sandbox, such as that a preloaded interpreter died. */
class Warnings {
  readonly texts: string[] = [];
  readonly log = {
    ...console,
    debug: () => undefined,
    info: () => undefined,
    warn: (_: unknown, text: string) => void this.texts.push(text),
    error: (_: unknown, text: string) => void this.texts.push(text),
  };
}

describe.each(RUNTIMES)('on %s', (runtime) => {
  const warnings = new Warnings();
  let preloaded: TestSandbox;
  let plain: TestSandbox;
  const userId = randomUUID();

  beforeAll(async () => {
    preloaded = await TestSandbox.create({ runtime, preload: true, reportGraceMs: 20_000, log: warnings.log as never });
    plain = await TestSandbox.create({ runtime, preload: false, reportGraceMs: 20_000 });
  });
  afterAll(async () => {
    for (const box of [preloaded, plain]) {
      await box.expectNoContainers();
      await box.sandbox.close();
    }
    expect(warnings.texts).toEqual([]);
  });

  it('works for each runtime that has a preloaded interpreter', async () => {
    const works = ['javascript', 'python', 'python-data', 'typescript'].map((runtime) => ({ runtime, state: 'works' }));
    expect(await preloaded.sandbox.preloads()).toEqual(works);
    expect(await plain.sandbox.preloads()).toEqual([]);
  });

  it.each(PROGRAMS)('%s: %s is as without preloading', async (language, _, script) => {
    const parts: JobParts = { userId, input: INPUT };
    const [one, other] = await Promise.all([
      plain.run(language, script, parts),
      preloaded.run(language, script, parts),
    ]);
    expect(seen(other)).toEqual(seen(one));
  });

  /** A child of a run's init, which has the pid 2 in its namespace. A preloaded program is not the file that was exec'ed. */
  it.each<[ScriptType, string, string]>([
    ['python', 'print(open("/proc/self/cmdline").read())', 'preload.py'],
    ['javascript', 'console.log(require("fs").readFileSync("/proc/self/cmdline", "utf8"))', 'preload.cjs'],
    ['typescript', 'console.log(require("fs").readFileSync("/proc/self/cmdline", "utf8") as string)', 'preload.cjs'],
  ])('%s is forked, unless its environment changes the interpreter, or it is small', async (language, script, name) => {
    const forked = async (parts: JobParts = {}) => (await preloaded.run(language, script, parts)).out.includes(name);
    expect(await forked()).toBe(true);
    expect(await forked({ input: { env: { TZ: 'Asia/Tokyo' } } })).toBe(false);
    expect(await forked({ limits: { memory_mb: 64, cpus: 1, pids: 64 } })).toBe(language === 'python');
    const large = Buffer.alloc(1024 ** 2);
    expect(await forked({ input: { files: [{ path: 'large', content: large }] } })).toBe(true);
    expect(await forked({ input: { stdin: large } })).toBe(false);
  });

  it.each<[ScriptType, string]>([
    ['python', 'import random, uuid, os; print(random.random(), uuid.uuid4(), os.urandom(8).hex())'],
    [
      'javascript',
      `const c = require("crypto");
       console.log(Math.random(), c.randomUUID(), c.randomBytes(8).toString("hex"), c.randomInt(2 ** 40))`,
    ],
  ])('%s: two programs of one cell draw different random numbers', async (language, script) => {
    const drawn = [];
    for (let run = 0; run < 4; run++)
      drawn.push(...(await preloaded.run(language, script, { userId })).out.trim().split(' '));
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  it.each<[ScriptType, string, string, string]>([
    [
      'python',
      'import os, sys; os.leak = b"secret"; sys.path.append("/leak"); open("/tmp/leak", "w").close(); print("planted")',
      'import os, sys; print(hasattr(os, "leak"), "/leak" in sys.path, os.listdir("/tmp"), os.listdir("/proc/self/fd"))',
      "False False ['work'] ['0', '1', '2', '3']\n",
    ],
    [
      'javascript',
      'Array.prototype.leak = globalThis.leak = require("fs").leak = "secret"; console.log("planted")',
      'console.log([].leak, globalThis.leak, require("fs").leak, require("fs").readdirSync("/tmp"))',
      "undefined undefined undefined [ 'work' ]\n",
    ],
  ])('%s: a program finds nothing of an earlier one of its cell', async (language, plant, look, expected) => {
    const user = randomUUID();
    expect((await preloaded.run(language, plant, { userId: user })).out).toBe('planted\n');
    expect((await preloaded.run(language, look, { userId: user })).out).toBe(expected);
  });

  it('a program sees only its own processes, and neither reads, signals nor traces the interpreter it came from', async () => {
    const script = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(sorted(name for name in os.listdir("/proc") if name.isdigit()))
def attempt(what):
    try: return what()
    except OSError as error: return error.strerror
print([attempt(lambda: os.kill(pid, 0)) for pid in range(3, 400)].count("No such process"))
print(attempt(lambda: open("/proc/1/mem")), attempt(lambda: os.listdir("/proc/1/fd")))
libc.ptrace(16, 1, 0, 0); print(os.strerror(ctypes.get_errno()))
print([line for line in open("/proc/self/maps") if "memfd:room" in line or " rw-s " in line])`;
    const { out, err } = await preloaded.run('python', script, { userId });
    expect({ out, err }).toEqual({
      out: "['2']\n397\nNo such file or directory No such file or directory\nOperation not permitted\n[]\n",
      err: '',
    });
  });

  it('the memory that programs share with their interpreter is a file that nobody can write', async () => {
    const script = `
import os
shared = [line.split()[0] for line in open("/proc/self/maps") if "memfd:preload" in line]
print(len(shared) > 0)
try: os.open("/proc/self/map_files/" + "-".join(end.lstrip("0") for end in shared[0].split("-")), os.O_RDWR)
except OSError as error: print(error.strerror)`;
    const { out, err } = await preloaded.run('python', script, { userId });
    expect({ out, err }).toEqual({ out: 'True\nOperation not permitted\n', err: '' });
  });

  it.each<[ScriptType, string]>([
    [
      'python',
      'import os\nfor fd in range(3, 256):\n  try: print(os.readlink(f"/proc/self/fd/{fd}"))\n  except OSError: pass',
    ],
    [
      'javascript',
      `const fs = require("fs");
       for (const fd of fs.readdirSync("/proc/self/fd"))
         try { if (fd > 2) console.log(fs.readlinkSync("/proc/self/fd/" + fd)); } catch {}`,
    ],
  ])('%s: two programs of one cell share no pipe, socket or file', async (language, script) => {
    const user = randomUUID();
    const open = async () => (await preloaded.run(language, script, { userId: user })).out.split('\n');
    const isObject = (name: string) => name !== '' && !name.startsWith('anon_inode:') && name !== '/dev/null';
    const [one, other] = [await open(), await open()].map((names) => names.filter(isObject)) as [string[], string[]];
    expect(one.filter((name) => other.includes(name))).toEqual([]);
    // Node's own: its signal pipes. Python has none.
    expect([one, other].flat().filter((name) => !name.startsWith('pipe:'))).toEqual([]);
    expect(one.length > 0).toBe(language === 'javascript');
  });

  it('javascript: the clocks of a program start with it, not with its cell', async () => {
    const script =
      'console.log(process.uptime(), performance.now() / 1000, (Date.now() - performance.timeOrigin) / 1000)';
    const user = randomUUID();
    const startedAt = performance.now();
    await preloaded.run('javascript', 'setTimeout(() => undefined, 3000)', { userId: user });
    const { out } = await preloaded.run('javascript', script, { userId: user });
    const age = (performance.now() - startedAt) / 1_000;
    for (const seconds of out.split(' ').map(Number)) expect(seconds).toBeLessThan(age - 3);
  });

  it('has the memory of a program that starts its own interpreter, within a few MiB', async () => {
    for (const [language, script] of [
      ['python', 'x = bytearray(50 << 20); print(len(x))'],
      ['javascript', 'const x = Buffer.alloc(50 << 20, 1); console.log(x.length)'],
    ] as const) {
      const own = (await plain.run(language, script, { userId })).memoryPeakBytes!;
      const forked = (await preloaded.run(language, script, { userId })).memoryPeakBytes!;
      expect(Math.abs(own - forked)).toBeLessThan(16 << 20);
    }
  });
});

it('a cell that is made for a run starts its interpreter after its second job', async () => {
  const box = await TestSandbox.create({ preload: true, preloadAfterJobs: 2 });
  const userId = randomUUID();
  const forked = [];
  for (let job = 0; job < 4; job++) {
    const { out } = await box.run('python', 'print(open("/proc/self/cmdline").read())', { userId });
    forked.push(out.includes('preload.py'));
  }
  expect(forked).toEqual([false, false, true, true]);
  expect(await box.containers()).toHaveLength(1);
  await box.sandbox.close();
});

it('a cell that was made ready has its interpreter before its first job', async () => {
  const box = await TestSandbox.create({ preload: true, preloadAfterJobs: 2, poolSize: 1 });
  box.sandbox.start();
  await eventually(() => expect(box.sandbox.figures.ready).toBe(4), { timeoutMs: 60_000 });
  const { out } = await box.run('python', 'print(open("/proc/self/cmdline").read())');
  expect(out).toContain('preload.py');
  await box.sandbox.close();
});

describe('an interpreter that is lost', () => {
  const docker = connectEngine(dockerEndpoint);
  let warnings: Warnings;
  let box: TestSandbox;
  const userId = randomUUID();

  beforeEach(async () => {
    warnings = new Warnings();
    box = await TestSandbox.create({ preload: true, log: warnings.log as never });
  });
  afterEach(async () => {
    await box.expectNoContainers();
    await box.sandbox.close();
  });

  /** The pid, as the engine's host sees it, of the preloaded interpreter of the only cell. */
  async function interpreter(name: string): Promise<number> {
    const [cell] = await box.containers();
    const { Titles, Processes } = (await docker.getContainer(cell!).top({ ps_args: '-eo pid,args' })) as {
      Titles: string[];
      Processes: string[][];
    };
    const found = Processes.find((row) => row.at(-1)!.includes(name) && !row.at(-1)!.includes('launcher'));
    return Number(found![Titles.indexOf('PID')]);
  }

  it.each([
    ['python', 'print("ran")', 'preload.py', 'SIGKILL'],
    ['python', 'print("ran")', 'preload.py', 'SIGSTOP'],
    ['javascript', 'console.log("ran")', 'preload.cjs', 'SIGKILL'],
  ] as const)('%s: the program runs all the same, after %s %s %s', async (language, script, name, signal) => {
    expect(await box.run(language, script, { userId })).toMatchObject({ out: 'ran\n' });
    const [cell] = await box.containers();
    process.kill(await interpreter(name), signal);
    expect(await box.run(language, script, { userId })).toMatchObject({ out: 'ran\n', err: '', returnCode: 0 });
    expect(warnings.texts).toEqual(['the preloaded interpreter died; programs start their own']);
    // Its cell is not used again.
    expect(await box.run(language, script, { userId })).toMatchObject({ out: 'ran\n' });
    expect(await box.containers()).not.toContain(cell);
  });

  it('that does not start: programs run, and the log and doctor say so', async () => {
    const seccompProfile = await withoutDoFork();
    const broken = await TestSandbox.create({ preload: true, log: warnings.log as never, seccompProfile });
    expect(await broken.run('javascript', 'console.log("ran")', { userId })).toMatchObject({
      out: 'ran\n',
      returnCode: 0,
    });
    expect(warnings.texts).toEqual(['the preloaded interpreter did not start; programs start their own']);
    expect(await broken.sandbox.preloads()).toContainEqual({ runtime: 'javascript', state: 'failed' });
    await broken.sandbox.close();
    await broken.expectNoContainers();
  });
});

/** The profile of cells, without the advice that lets a fork have V8's heap (madvise(2)). */
async function withoutDoFork(): Promise<string> {
  const MADV_DOFORK = 11;
  const profile = JSON.parse(await readSeccompProfile('seccomp/cell.json')) as { syscalls: { names: string[] }[] };
  const others = profile.syscalls.map((rule) => ({ ...rule, names: rule.names.filter((name) => name !== 'madvise') }));
  const args = [{ index: 2, value: MADV_DOFORK, op: 'SCMP_CMP_NE' }];
  return JSON.stringify({ ...profile, syscalls: [...others, { names: ['madvise'], action: 'SCMP_ACT_ALLOW', args }] });
}
