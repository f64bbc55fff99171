import { createHash, randomUUID } from 'node:crypto';

import type { ScriptType } from '../../support/declared-runtimes.js';
import { TestSandbox } from '../../support/docker.js';
import { ECHO, LIBRARY, LONG_SCRIPTS, MODULES } from '../../support/language-programs.js';
import { RUNTIMES } from '../../support/runtimes.js';

const LANGUAGES: readonly ScriptType[] = ['python', 'javascript', 'typescript', 'bash', 'go'];

const INPUT = {
  stdin: Buffer.from('grüße\nzwei\n'),
  args: ['one', 'two words', '', '$(id) "quoted" \\'],
  env: { GREETING: 'héllo = wörld', EMPTY: '' },
  files: [
    { path: 'data.txt', content: Buffer.from('file ünïcode') },
    { path: 'deep/er/data.bin', content: Buffer.from([0, 255, 10, 13]) },
  ],
};

const TEXT = 'Grüße an die Welt,\ndie Welt grüßt: 世界 die Ñandúes!\n';
const WORDS = '3 die\n2 welt\n1 an\n1 grüße\n1 grüßt\n1 ñandúes\n1 世界\n';
const SHA_256 = createHash('sha256').update(TEXT).digest('hex');

const MISTAKES: Readonly<Record<ScriptType, readonly [script: string, message: RegExp]>> = {
  python: ['x = 1\ndef f(:\n', /File ".*main\.py", line 2[\s\S]*SyntaxError/],
  javascript: ['let x;\nlet = = 1', /main\.js:2[\s\S]*SyntaxError/],
  typescript: ['let x;\nconst y: number = = 1', /main\.ts:2[\s\S]*SyntaxError/],
  bash: ['x=1\nif true; then', /main\.sh: line \d+: syntax error/],
  go: ['package main\nfunc main() { undefinedName() }', /main\.go:2:\d+: undefined: undefinedName/],
};

/** One user, so that one cell of each image runs all tests. */
const userId = randomUUID();

describe.each(RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;

  beforeAll(async () => {
    box = await TestSandbox.create({ runtime });
  });
  afterAll(async () => {
    await box.expectNoContainers();
    await box.sandbox.close();
  });

  it('finds its interpreter whatever PATH the user sets, and uses the image’s PATH by default', async () => {
    const script = 'import os, shutil\nprint(os.environ["PATH"], shutil.which("bash"))';
    const nowhere = await box.run('python', script, { input: { env: { PATH: '/nowhere' } } });
    expect(nowhere).toMatchObject({ out: '/nowhere None\n', returnCode: 0 });
    const usual = await box.run('python', script);
    expect(usual.out).toMatch(/^\S*\/usr\/bin\S* \S*\/bin\/bash\n$/);
  });

  describe.each(LANGUAGES)('%s', (language) => {
    it('gets stdin, args, env and files, uses threads and subprocesses, and returns output and exit code', async () => {
      const outcome = await box.run(language, ECHO[language], { userId, input: INPUT });
      expect(outcome.err).toBe('to stderr: ✓\n');
      expect(JSON.parse(outcome.out)).toEqual({
        stdin: 'grüße\nzwei\n',
        args: INPUT.args,
        greeting: 'héllo = wörld',
        empty: '',
        text: 'file ünïcode',
        bytes: [0, 255, 10, 13],
        threads: 1,
        child: 'file ünïcode',
      });
      expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 7, signal: null });
      expect(outcome.stdout).toMatchObject({ truncated: false, bytesTotal: Buffer.byteLength(outcome.out) });
      expect(outcome.cpuTimeMs).toBeGreaterThan(0);
      expect(outcome.memoryPeakBytes).toBeGreaterThan(1024 * 1024);
    });

    it('has its standard library', async () => {
      const outcome = await box.run(language, LIBRARY[language], { userId, input: { stdin: Buffer.from(TEXT) } });
      expect(outcome).toMatchObject({ out: `${WORDS}${SHA_256}\n`, err: '', returnCode: 0 });
    });

    it('runs a program of several source files', async () => {
      const { script, path, content } = MODULES[language];
      const outcome = await box.run(language, script, {
        userId,
        input: { files: [{ path, content: Buffer.from(content) }] },
      });
      expect(outcome).toMatchObject({ out: '42\n', err: '', returnCode: 0 });
    });

    it('runs a script of 60,000 characters', async () => {
      const { script, statements } = LONG_SCRIPTS[language];
      expect(script).toHaveLength(60_000);
      expect(await box.run(language, script, { userId })).toMatchObject({
        out: `${statements}\n`,
        err: '',
        returnCode: 0,
      });
    });

    it('reports an error in the script on stderr, with its line', async () => {
      const [script, message] = MISTAKES[language];
      const outcome = await box.run(language, script, { userId });
      const isCompiled = language === 'go';
      expect(isCompiled ? outcome.fromCompiler : outcome.err).toMatch(message);
      expect(outcome).toMatchObject({ reason: isCompiled ? 'compile' : 'exit_code', out: '' });
      expect((outcome.compile ?? outcome).returnCode).toBeGreaterThan(0);
    });
  });
});
