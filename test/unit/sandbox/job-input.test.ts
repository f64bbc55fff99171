import { DomainError } from '../../../src/kernel/errors.js';
import { baseOf, compilerJob, programJob, repeatedJob } from '../../../src/sandbox/cell-job.js';
import { type Isolation, kindFor } from '../../../src/sandbox/cell-kind.js';
import { FILES_MAX } from '../../../src/sandbox/collected-files.js';
import { encodeJob } from '../../../src/sandbox/job-bundle.js';
import { checkJob, INPUT_BYTES_MAX } from '../../../src/sandbox/job-input.js';
import type { SandboxInput, SandboxJob } from '../../../src/sandbox/sandbox.js';
import { runtimeOf } from '../../support/declared-runtimes.js';

const job = (input: SandboxInput = {}, parts: Partial<SandboxJob> = {}): SandboxJob => ({
  executionId: 'e',
  attempt: 1,
  userId: 'u',
  runtime: runtimeOf('python'),
  imageDigest: null,
  script: Buffer.from('print(1)'),
  input,
  limits: { memory_mb: 256, cpus: 1, pids: 64 },
  timeoutMs: 1_000,
  ...parts,
});

const files = (...paths: string[]): SandboxInput => ({
  files: paths.map((path) => ({ path, content: Buffer.from('x') })),
});

const refusalOf = (candidate: SandboxJob): DomainError => {
  try {
    checkJob(candidate);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('was not refused');
};

it.each<[string, SandboxInput]>([
  ['nothing', {}],
  ['args of all kinds', { args: ['', '-x', '--', 'ünïcode', 'new\nline', '$(id)'] }],
  ['variables of all kinds', { env: { A: '', 'with-dash': 'a=b', PATH: '/nowhere', ü: '✓' } }],
  ['files in folders', files('a', 'b/c', 'b/d/e', '..hidden', 'a..b/c', 'with space')],
  ['64 args', { args: Array.from({ length: 64 }, () => 'x') }],
])('accepts %s', (_, input) => {
  expect(() => checkJob(job(input))).not.toThrow();
});

it.each<[string, SandboxInput, string]>([
  ['NUL in an arg', { args: ['a\0b'] }, 'args'],
  ['NUL in a value', { env: { A: 'a\0b' } }, 'env'],
  ['NUL in a name', { env: { 'A\0': 'b' } }, 'env'],
  ['"=" in a name', { env: { 'A=B': 'c' } }, 'env'],
  ['an empty name', { env: { '': 'c' } }, 'env'],
  ['65 args', { args: Array.from({ length: 65 }, () => 'x') }, 'args'],
  ['an arg the kernel would refuse', { args: ['x'.repeat(128 * 1024)] }, 'args'],
  ['args that are too large in total', { args: Array.from({ length: 30 }, () => 'x'.repeat(60_000)) }, 'args'],
  ['65 variables', { env: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`V${n}`, ''])) }, 'env'],
  ['an absolute path', files('/etc/passwd'), 'files'],
  ['a path out of the folder', files('../x'), 'files'],
  ['a path that leaves the folder later', files('a/../../x'), 'files'],
  ['a path of dots', files('./a'), 'files'],
  ['an empty path', files(''), 'files'],
  ['a folder', files('a/'), 'files'],
  ['NUL in a path', files('a\0b'), 'files'],
  ['a path too long', files('x'.repeat(256)), 'files'],
  ['the same path twice', files('a', 'a'), 'files'],
  ['the script’s own path', files('main.py'), 'files'],
  ['a file that is also a folder', files('a', 'a/b'), 'files'],
  ['input over the total limit', { stdin: Buffer.alloc(INPUT_BYTES_MAX) }, 'files'],
])('refuses %s', (_, input, field) => {
  expect(refusalOf(job(input))).toMatchObject({ code: 'invalid_sandbox_input', kind: 'invalid', details: { field } });
});

it('refuses nonsensical limits and times', () => {
  expect(refusalOf(job({}, { limits: { memory_mb: Number.NaN, cpus: 1, pids: 1 } })).details).toEqual({
    field: 'limits',
  });
  expect(refusalOf(job({}, { timeoutMs: 0 })).details).toEqual({ field: 'timeout_ms' });
});

/** Reads it as the launcher does. */
const decode = (bundle: Buffer) => {
  let at = 0;
  const number = () => bundle.readUInt32BE((at += 4) - 4);
  const field = () => {
    const length = number();
    return bundle.toString('utf8', at, (at += length));
  };
  const list = () => Array.from({ length: number() }, field);
  const decoded = {
    number: number(),
    isolation: bundle.readUInt8((at += 1) - 1),
    preload: bundle.readUInt8((at += 1) - 1),
    base: bundle.readUInt8((at += 1) - 1),
    interactive: bundle.readUInt8((at += 1) - 1),
    timeoutMs: number(),
    cpuTimeMsMax: number(),
    headBytesMax: number(),
    tailBytesMax: number(),
    tmpSizeKib: number(),
    tmpInodesMax: number(),
    shmSizeKib: number(),
    memoryMb: number(),
    cpusMilli: number(),
    pids: number(),
    cpuFirst: number(),
    folder: field(),
    argv: list(),
    env: list(),
    files: Array.from({ length: number() }, () => [field(), field()]),
    stdin: field(),
    outputs: list(),
    outputsExcept: field(),
    filesMax: { count: number(), fileBytes: number(), bytes: number() },
  };
  expect(at).toBe(bundle.length);
  return decoded;
};

const bundle = (
  candidate: SandboxJob,
  isolation: Isolation = 'nested',
  outputBytesMax = 1_001,
  program: Uint8Array | null = null,
  isInteractive = false,
) => {
  const kind = kindFor(candidate.runtime, 'sha256:i', candidate.limits, { isolation, cpus: 2 });
  const bounds = { outputBytesMax, filesMax: FILES_MAX, isInteractive };
  return decode(Buffer.concat(encodeJob(programJob(candidate, program), { number: 7, kind, ...bounds, cpuFirst: 1 })));
};

describe('the bundle', () => {
  it('contains everything, with lengths in bytes', () => {
    const outputs = ['out/**', 'é*'];
    const input = { stdin: Buffer.from('ünï'), args: ['', 'ü'], env: { A: 'b=c' }, ...files('data/ü'), outputs };
    expect(bundle(job(input))).toEqual({
      number: 7,
      isolation: 1,
      preload: 1,
      base: 0,
      interactive: 0,
      timeoutMs: 1_000,
      cpuTimeMsMax: 0,
      headBytesMax: 501,
      tailBytesMax: 500,
      tmpSizeKib: 64 * 1024,
      tmpInodesMax: 16_384,
      shmSizeKib: (256 + 3) * 1024,
      memoryMb: 256,
      cpusMilli: 1_000,
      pids: 64,
      cpuFirst: 1,
      folder: '/tmp/work',
      argv: ['python3', 'main.py', '', 'ü'],
      env: ['HOME=/tmp', 'USER=runner', 'LOGNAME=runner', 'LANG=C.UTF-8', 'PYTHONDONTWRITEBYTECODE=1', 'A=b=c'],
      files: [
        ['main.py', 'print(1)'],
        ['data/ü', 'x'],
      ],
      stdin: 'ünï',
      outputs: ['out/**', 'é*'],
      outputsExcept: 'main.py',
      filesMax: { count: 64, fileBytes: 16 * 1024 ** 2, bytes: 16 * 1024 ** 2 },
    });
  });

  it('says whether the job gets its own namespaces', () => {
    expect(bundle(job(), 'nested').isolation).toBe(1);
    expect(bundle(job(), 'plain').isolation).toBe(0);
  });

  it('says whether standard input is added while it runs', () => {
    expect(bundle(job(), 'nested', 1_001, null, true).interactive).toBe(1);
  });

  it('does not preload an interpreter that the environment would change', () => {
    const preload = (env: Record<string, string>, name = 'python') =>
      bundle(job({ env }, { runtime: runtimeOf(name) })).preload;
    expect(preload({ A: '1', USER: 'ada', MYPYTHON: 'x' })).toBe(1);
    for (const name of [
      'PYTHONPATH',
      'PYTHONHASHSEED',
      'PATH',
      'HOME',
      'LANG',
      'LC_ALL',
      'TZ',
      'LD_PRELOAD',
      'MALLOC_ARENA_MAX',
    ])
      expect([name, preload({ [name]: 'x' })]).toEqual([name, 0]);
    for (const name of [
      'NODE_OPTIONS',
      'NODE_PATH',
      'HOME',
      'TZ',
      'UV_THREADPOOL_SIZE',
      'SSL_CERT_FILE',
      'LD_LIBRARY_PATH',
    ])
      expect([name, preload({ [name]: 'x' }, 'typescript')]).toEqual([name, 0]);
    // What its modules read when they were imported.
    expect(preload({ OPENBLAS_NUM_THREADS: '2' }, 'python-data')).toBe(0);
    expect(preload({ OPENBLAS_NUM_THREADS: '2' })).toBe(1);
    expect(preload({ PATH: '/bin', PYTHONPATH: 'x', FORCE_COLOR: '1' }, 'javascript')).toBe(1);
  });

  it('gives a language the /tmp size that its tools need', () => {
    expect(bundle(job({}, { runtime: runtimeOf('go') })).tmpSizeKib).toBe(192 * 1024);
  });

  it('of a compiled language has the program, and all files, in a base that is used once', () => {
    const go = job({ args: ['a'], ...files('b') }, { runtime: runtimeOf('go') });
    const { argv, base, files: own } = bundle(go, 'nested', 2, Buffer.from('made'));
    expect([argv, base, own]).toEqual([['/tmp/.program/program', 'a'], 2, []]);
    expect(programJob(go, Buffer.from('made')).base!.content).toMatchObject({
      files: [{ path: 'main.go' }, { path: 'b' }],
      program: { path: '/tmp/.program/program', content: Buffer.from('made') },
    });
  });

  it('has large files in a base as well', () => {
    const large = { path: 'large', content: Buffer.alloc(256 * 1024) };
    const { base, files: own } = programJob(job({ files: [large] }));
    expect([base!.use, base!.content.files[1], own]).toEqual(['last', large, []]);
  });

  it('of a repeated run has what it shares with others in a base that is kept, and its own beside', () => {
    const shared = job({ args: ['x'], stdin: Buffer.from('x'), outputs: ['*'], env: { A: 'b' }, ...files('a') });
    const base = baseOf(shared, null);
    const run = { args: ['1'], ...files('own'), limits: { memory_mb: 32, cpus: 1, pids: 16 }, timeoutMs: 5 };
    expect(repeatedJob(shared, base, run)).toMatchObject({
      base: { content: base, use: 'kept' },
      argv: ['python3', 'main.py', '1'],
      env: { A: 'b' },
      stdin: new Uint8Array(),
      files: [{ path: 'own' }],
      outputs: [],
      ...{ limits: run.limits, timeoutMs: 5 },
    });
    expect(base).toMatchObject({ files: [{ path: 'main.py' }, { path: 'a' }], program: null });
  });

  it('of a compiler has neither the arguments nor the input of the program, and the limits of the compiler', () => {
    const runtime = runtimeOf('cpp');
    const input = { args: ['a'], stdin: Buffer.from('in'), env: { A: 'b' }, outputs: ['*'], ...files('b.cpp') };
    const compiler = compilerJob(
      job(input, { runtime, limits: { memory_mb: 16, cpus: 3, pids: 16 } }),
      runtime.compile!,
    );
    expect(compiler).toMatchObject({
      role: 'compiler',
      argv: ['sh', '-c', expect.any(String), 'sh', '/tmp/work/.voidrunner.program'],
      env: { A: 'b' },
      files: [{ path: 'main.cpp' }, { path: 'b.cpp' }],
      stdin: new Uint8Array(),
      base: null,
      outputs: ['.voidrunner.program'],
      limits: { memory_mb: 512, cpus: 1, pids: 64 },
      timeoutMs: 60_000,
    });
  });

  it('contains the enforced limits, which are the cell kind’s, with CPUs in thousandths', () => {
    const limits = { memory_mb: 100, cpus: 0.25, pids: 20 };
    expect(bundle(job({}, { limits }))).toMatchObject({ memoryMb: 100, cpusMilli: 250, pids: 20 });
    const many = bundle(job({}, { limits: { ...limits, cpus: 64 }, runtime: runtimeOf('go') }));
    expect(many).toMatchObject({ cpusMilli: 2_000, pids: 20 });
  });

  it('contains the limit of CPU time in milliseconds, rounded up', () => {
    const bundleOf = (cpu_time_seconds: number | null) =>
      bundle(job({}, { limits: { memory_mb: 64, cpus: 1, pids: 16, cpu_time_seconds } })).cpuTimeMsMax;
    expect([null, 0.1, 1.0001, 3_600].map(bundleOf)).toEqual([0, 100, 1_001, 3_600_000]);
  });

  it('makes /dev/shm as large as the memory, so that the memory limit is reached first', () => {
    expect(bundle(job({}, { limits: { memory_mb: 2_048, cpus: 1, pids: 64 } })).shmSizeKib).toBe((2_048 + 3) * 1024);
  });

  it('keeps as much output as requested, in two halves, also for odd numbers', () => {
    for (const outputBytesMax of [0, 1, 2, 65_537, 64 << 20]) {
      const { headBytesMax, tailBytesMax } = bundle(job(), 'nested', outputBytesMax);
      expect(headBytesMax + tailBytesMax).toBe(outputBytesMax);
      // The cell's smallest memory holds two of them.
      expect(tailBytesMax).toBeLessThanOrEqual(1 << 20);
    }
  });

  it('lets the user’s variables override ours', () => {
    const { env } = bundle(job({ env: { HOME: '/tmp/mine', USER: 'ada' } }));
    const own = env.filter((variable) => /^(HOME|USER|LOGNAME)=/.test(variable));
    expect(own).toEqual(['HOME=/tmp/mine', 'USER=ada', 'LOGNAME=runner']);
  });

  it('a variable named __proto__ does no harm', () => {
    const env = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
    expect(bundle(job({ env })).env).toContain('__proto__=x');
  });
});
