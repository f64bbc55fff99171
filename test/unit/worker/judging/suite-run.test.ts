import { SandboxFailure, type SandboxJob, type SandboxOutcome } from '../../../../src/sandbox/sandbox.js';
import type { TestSuite } from '../../../../src/tasks/domain/test-suite.js';
import { SuiteFailure, SuiteRun } from '../../../../src/worker/judging/suite-run.js';
import { aSuite, aTest, io } from '../../../support/builders/suites.js';
import { declaredRuntimes } from '../../../support/declared-runtimes.js';
import { job } from '../../../support/docker.js';
import { anOutcome, runsUntilKilled, ScriptedSandbox } from '../../../support/scripted-sandbox.js';

const printed = (text: string, more: Partial<SandboxOutcome> = {}): SandboxOutcome =>
  anOutcome({ stdout: { content: Buffer.from(text), bytesTotal: text.length, truncated: false }, ...more });

/** Prints its standard input. */
const echo = (asked: SandboxJob): Promise<SandboxOutcome> =>
  Promise.resolve(printed(Buffer.from(asked.input.stdin ?? []).toString()));

const suiteRun = (
  sandbox: ScriptedSandbox,
  suite: TestSuite,
  { signal = new AbortController().signal, timeoutMs = 60_000, asked = job('python', 'code') } = {},
  seen: string[] = [],
) =>
  new SuiteRun(asked, suite, {
    ...{ sandbox, runtimes: declaredRuntimes, timeoutMs, signal },
    onResult: ({ verdict }, index) => seen.push(`${index} ${verdict}`),
  }).run();

const verdictsOf = ({ suite }: Awaited<ReturnType<typeof suiteRun>>) => suite.results.map(({ verdict }) => verdict);

test('each test gets its own input, and the verdict is that of the first that failed', async () => {
  const seen: string[] = [];
  const suite = aSuite([io('a', 'a', { points: 2 }), io('b', 'x'), io('c', 'c', { points: 0.5 })]);
  const ran = await suiteRun(new ScriptedSandbox(echo), suite, {}, seen);
  expect(seen).toEqual(['0 accepted', '1 wrong_answer', '2 accepted']);
  expect(ran.suite).toMatchObject({ verdict: 'wrong_answer', score: 2.5 });
  expect(ran.suite.results[1]).toMatchObject({ message: 'line 1: expected "x", found "b"', points: 0 });
  expect(ran).toMatchObject({ reason: 'exit_code', returnCode: null, wallTimeMs: 60, cpuTimeMs: 30, oomKills: 0 });
});

test('all accepted', async () => {
  const { suite } = await suiteRun(new ScriptedSandbox(echo), aSuite([io('a', 'a'), io('', '')]));
  expect(suite).toMatchObject({ verdict: 'accepted', score: 2 });
});

test('a suite may stop at the first failure', async () => {
  const suite = aSuite([io('a', 'a'), io('b', 'x'), io('c', 'c')], { stop_on: 'first_failure' });
  expect(verdictsOf(await suiteRun(new ScriptedSandbox(echo), suite))).toEqual(['accepted', 'wrong_answer']);
});

test('a test has the input and the limits of the execution, unless it has its own', async () => {
  const sandbox = new ScriptedSandbox(echo);
  const files = (path: string) => [{ path, content: Buffer.from(path) }];
  const input = { stdin: Buffer.from('common'), args: ['-c'], env: { A: '1' }, files: files('shared') };
  const own = { args: ['-o'], files: files('own'), timeout_seconds: 1.5, limits: { memory_mb: 64 } };
  const limits = { memory_mb: 128, cpus: 1, pids: 32 };
  const asked = job('python', 'code', { input, limits, timeoutMs: 9_000 });
  await suiteRun(sandbox, aSuite([aTest(), io('mine', '', own)]), { asked });
  expect(sandbox.jobs).toMatchObject([
    { input, limits, timeoutMs: 9_000 },
    {
      input: {
        stdin: Buffer.from('mine'),
        args: ['-o'],
        env: { A: '1' },
        files: [{ path: 'shared' }, { path: 'own' }],
      },
      limits: { ...limits, memory_mb: 64 },
      timeoutMs: 1_500,
    },
  ]);
});

test('a cancellation ends the test under way, and keeps the results before it', async () => {
  const cancel = new AbortController();
  const sandbox = new ScriptedSandbox(echo);
  const seen: string[] = [];
  const ran = suiteRun(sandbox, aSuite([io('a', 'x'), io('b', 'b'), io('c', 'c')]), { signal: cancel.signal }, seen);
  sandbox.program = (asked, signal) => {
    if (sandbox.jobs.length === 1) return echo(asked);
    queueMicrotask(() => cancel.abort());
    return runsUntilKilled()(asked, signal);
  };
  expect(await ran).toMatchObject({ reason: 'cancelled', suite: { verdict: 'wrong_answer', score: 0 } });
  expect(seen).toEqual(['0 wrong_answer']);
});

test('the time for the whole suite is bounded', async () => {
  const ran = await suiteRun(new ScriptedSandbox(runsUntilKilled()), aSuite([io('a', 'a')]), { timeoutMs: 1 });
  expect(ran).toMatchObject({ reason: 'timeout', suite: { verdict: null, score: 0, results: [] } });
});

test('a program that does not compile has no tests', async () => {
  const sandbox = new ScriptedSandbox();
  sandbox.preparation = { kind: 'ended', outcome: anOutcome({ reason: 'compile', returnCode: null }) };
  const ran = await suiteRun(sandbox, aSuite([io('a', 'a')]));
  expect(ran).toMatchObject({ reason: 'compile', suite: { verdict: 'compile_error', score: 0, results: [] } });
});

test('of long outputs the first 4 KiB are kept, without a part of a character', async () => {
  const sandbox = new ScriptedSandbox(() => Promise.resolve(printed(`x${'ä'.repeat(5_000)}`)));
  const [result] = (await suiteRun(sandbox, aSuite([aTest()]))).suite.results;
  expect(result!.stdout.toString()).toBe(`x${'ä'.repeat(2_047)}`);
});

describe('a checker', () => {
  const judge = { compare: 'checker', checker: { script_type: 'bash', script_content: 'check' } } as const;
  const checkedBy = (outcome: SandboxOutcome) =>
    new ScriptedSandbox((asked) => (asked.runtime.name === 'bash' ? Promise.resolve(outcome) : echo(asked)));

  test.each<[what: string, outcome: SandboxOutcome, verdict: string, message: string | null]>([
    ['accepts', printed('well done\nrest'), 'accepted', 'well done'],
    ['accepts silently', printed(''), 'accepted', null],
    ['refuses', printed('sum is odd', { returnCode: 1 }), 'wrong_answer', 'sum is odd'],
    ['fails', printed('oops', { returnCode: 2 }), 'checker_failed', 'the checker failed: return code 2: oops'],
    [
      'crashes',
      printed('', { reason: 'signal', signal: 'SIGSEGV', returnCode: 139 }),
      'checker_failed',
      'the checker failed: ended by SIGSEGV',
    ],
    ['loops', printed('', { reason: 'timeout', returnCode: null }), 'checker_failed', 'the checker failed: timeout'],
  ])('that %s', async (_, outcome, verdict, message) => {
    const { suite } = await suiteRun(checkedBy(outcome), aSuite([io('a', 'b')], judge));
    expect(suite.results[0]).toMatchObject({ verdict, message });
  });

  test('gets input, expected and output as files, and a line of at most 200 characters counts', async () => {
    const sandbox = checkedBy(printed('x'.repeat(500)));
    const { suite } = await suiteRun(sandbox, aSuite([io('in', 'expected')], judge));
    expect(suite.results[0]!.message).toHaveLength(200);
    expect(sandbox.jobs[1]!.input.files).toEqual([
      { path: 'input', content: Buffer.from('in') },
      { path: 'expected', content: Buffer.from('expected') },
      { path: 'output', content: expect.anything() },
    ]);
  });

  test('is not asked about a run that failed by itself', async () => {
    const sandbox = new ScriptedSandbox(() => Promise.resolve(printed('', { returnCode: 1 })));
    const { suite } = await suiteRun(sandbox, aSuite([io('a', 'a')], judge));
    expect([suite.verdict, sandbox.jobs.length]).toEqual(['runtime_error', 1]);
  });

  test('of a runtime that the worker lacks releases the attempt', async () => {
    const unknown = { ...judge, checker: { ...judge.checker, script_type: 'cobol' } };
    await expect(suiteRun(new ScriptedSandbox(echo), aSuite([io('a', 'a')], unknown))).rejects.toMatchObject({
      countsAsAttempt: false,
    });
  });
});

test('a fault of the sandbox keeps the results before it, and no output of the run under way', async () => {
  const sandbox = new ScriptedSandbox(echo);
  const partial = { stdout: printed('hidden').stdout, stderr: printed('').stderr, wallTimeMs: 5 };
  sandbox.program = (asked) =>
    sandbox.jobs.length < 2 ? echo(asked) : Promise.reject(new SandboxFailure('lost', true, { partial }));
  const failure = await suiteRun(sandbox, aSuite([io('a', 'x'), io('b', 'b')])).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(SuiteFailure);
  expect(failure).toMatchObject({ message: 'lost', countsAsAttempt: true, partial: null });
  expect((failure as SuiteFailure).suite).toMatchObject({ verdict: 'wrong_answer', results: [{ name: null }] });
});

test('a run that is cancelled before it has a container leaves the figures of those before it', async () => {
  const cancel = new AbortController();
  const sandbox = new ScriptedSandbox(echo);
  sandbox.program = async (asked) => {
    if (sandbox.jobs.length === 1) return echo(asked);
    cancel.abort();
    return anOutcome({ reason: 'cancelled', returnCode: null, imageDigest: null, cpuTimeMs: null, wallTimeMs: 0 });
  };
  const ran = await suiteRun(sandbox, aSuite([io('a', 'a'), io('b', 'b')]), { signal: cancel.signal });
  expect(ran).toMatchObject({ reason: 'cancelled', cpuTimeMs: 10, wallTimeMs: 20, suite: { score: 1 } });
});
