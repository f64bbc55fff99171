import { TestSandbox } from '../../support/docker.js';
import { declaredRuntimes, runtimeOf } from '../../support/declared-runtimes.js';
import { withEnoughTime } from '../../support/hostile/program.js';
import { HOSTILE_PROGRAMS } from '../../support/hostile/programs.js';
import { COMPILED } from '../../support/runtime-programs/compiled.js';
import { INTERPRETED } from '../../support/runtime-programs/interpreted.js';
import { HELLO, type RuntimePrograms } from '../../support/runtime-programs/programs.js';
import { RUNTIMES as OCI_RUNTIMES } from '../../support/runtimes.js';

/** `make test` builds the images of these; `make test-runtimes` builds all. */
const BY_DEFAULT = ['python', 'python-data', 'javascript', 'typescript', 'bash', 'go', 'c', 'cpp'];
const PROGRAMS: Readonly<Record<string, RuntimePrograms>> = { ...INTERPRETED, ...COMPILED };

test('every declared runtime has its programs', () => {
  expect(Object.keys(PROGRAMS).toSorted()).toEqual(declaredRuntimes.names);
  expect(declaredRuntimes.names).toEqual(expect.arrayContaining(BY_DEFAULT));
});

const areAllTested = process.env['TEST_RUNTIMES'] === 'all';
const tested = areAllTested ? declaredRuntimes.names : BY_DEFAULT;
const LIMITS = { memory_mb: 256, cpus: 1, pids: 64 };
/** A compiler may need more than a program that is tested at a low limit. */
const LESS = { ...LIMITS, memory_mb: 200 };

describe.each(OCI_RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;
  beforeAll(async () => {
    box = await TestSandbox.create({ runtime, reportGraceMs: 20_000 });
  });
  afterAll(async () => {
    await box.expectNoContainers();
    await box.sandbox.close();
  });

  describe.each(tested)('%s', (name) => {
    const { hello, echo, faulty, hog, loop, recursion, threads } = PROGRAMS[name]!;
    const isCompiled = declaredRuntimes.find(name)!.compile !== undefined;
    const userId = crypto.randomUUID();

    it('runs its smoke program', async () => {
      const { script, stdout } = declaredRuntimes.find(name)!.smoke;
      expect(await box.run(name, script, { userId })).toMatchObject({ returnCode: 0, out: stdout, err: '' });
    });

    it('prints Unicode', async () => {
      expect(await box.run(name, hello, { userId })).toMatchObject({ returnCode: 0, out: HELLO, err: '' });
    });

    it('gets standard input, arguments, environment and files, and returns its exit code', async () => {
      const input = {
        stdin: Buffer.from('grüße\nzwei\n'),
        // The argument of a SQL script is its database.
        args: name === 'sqlite' ? [] : ['one', 'two words', 'ü'],
        env: { GREETING: 'héllo = wörld' },
        files: [{ path: 'data.txt', content: Buffer.from('file ünïcode\n') }],
      };
      const outcome = await box.run(name, echo, { userId, input });
      const words = input.args.map((word) => `${word}\n`).join('');
      expect(outcome).toMatchObject({
        ...{ reason: 'exit_code', returnCode: 7, err: 'to stderr\n' },
        out: `grüße\nzwei\n${words}héllo = wörld\nfile ünïcode\n`,
      });
    });

    it('names the line of a fault', async () => {
      const outcome = await box.run(name, faulty.script, { userId });
      expect(isCompiled ? outcome.fromCompiler : outcome.err).toMatch(faulty.message);
      expect(outcome.reason).toBe(isCompiled ? 'compile' : 'exit_code');
      expect((outcome.compile ?? outcome).returnCode).toBeGreaterThan(0);
    });

    it('ends as out_of_memory if it uses too much', async () => {
      const outcome = await box.run(name, hog, { limits: LESS, timeoutMs: 120_000 });
      expect(outcome).toMatchObject({ reason: 'out_of_memory', returnCode: 137, signal: 'SIGKILL' });
      expect(outcome.out + outcome.err).toContain('before\n');
    });

    it('ends at its timeout', async () => {
      const outcome = await box.run(name, loop, { userId, timeoutMs: 3_000 });
      expect(outcome).toMatchObject({ reason: 'timeout', returnCode: null });
      expect(outcome.out + outcome.err).toContain('before\n');
    });

    it('ends by itself if it recurses without end', async () => {
      const outcome = await box.run(name, recursion.script, { userId, timeoutMs: 120_000 });
      expect(outcome.returnCode).not.toBe(0);
      expect(['exit_code', 'signal', 'out_of_memory']).toContain(outcome.reason);
      expect(outcome.err).toMatch(recursion.message);
    });

    if (threads !== undefined)
      it('has threads', async () => {
        expect(await box.run(name, threads, { userId })).toMatchObject({ returnCode: 0, out: '10\n', err: '' });
      });
  });

  /** hostile.test.ts has the other images. */
  const images = tested.filter((name) => runtimeOf(name).keep_ready === false && name !== 'cpp');
  const hostile = HOSTILE_PROGRAMS.flatMap(({ wants, scripts: { bash }, begun, everywhere, ...bounds }) =>
    bash !== undefined && (areAllTested || everywhere === 'bash') ? [{ wants, script: bash, begun, ...bounds }] : [],
  );

  describe.each(images)('a shell in the image of %s', (name) => {
    // What the image has is there for any program: it must not help one out of the sandbox.
    const { preload: _, compile: __, ...image } = runtimeOf(name);
    const runtime = { ...image, file_name: 'main.sh', run: ['bash', 'main.sh'] };

    it.each(hostile)('$wants meets its limit', async ({ script, begun, limits, expected }) => {
      const parts = { runtime, limits: { ...LIMITS, memory_mb: 128, ...limits } };
      const outcome = await withEnoughTime({ begun }, (timeoutMs) => box.run('bash', script, { ...parts, timeoutMs }));
      expect(outcome).toMatchObject(expected);
    });
  });
});
