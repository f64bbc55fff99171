import { readFileSync } from 'node:fs';

import type { TestSuite } from '../../../src/tasks/domain/test-suite.js';
import { CHECKER_BOUNDS } from '../../../src/worker/judging/checker.js';
import { SuiteRun } from '../../../src/worker/judging/suite-run.js';
import { aSuite, aTest, io } from '../../support/builders/suites.js';
import { declaredRuntimes } from '../../support/declared-runtimes.js';
import { job, type JobParts, TestSandbox } from '../../support/docker.js';
import { SUITE_CASES, type SuiteCase } from '../../support/hostile/suites.js';
import { RUNTIMES } from '../../support/runtimes.js';
import { withoutCall } from '../../support/seccomp.js';

const run = (box: TestSandbox, runtime: string, script: string, suite: TestSuite, parts: JobParts = {}) =>
  new SuiteRun(job(runtime, script, parts), suite, {
    sandbox: box.sandbox,
    runtimes: declaredRuntimes,
    timeoutMs: 60_000,
    checkerBounds: { ...CHECKER_BOUNDS, timeoutMs: 5_000 },
    signal: new AbortController().signal,
    onResult: () => undefined,
  }).run();

async function hasItsVerdicts(box: TestSandbox, { runtime, script, tests, judge, verdicts }: SuiteCase): Promise<void> {
  const { reason, suite } = await run(box, runtime, script, aSuite(tests, judge));
  expect([suite.results.map(({ verdict }) => verdict), reason]).toEqual([verdicts, 'exit_code']);
}

describe.each(RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;

  beforeAll(async () => {
    box = await TestSandbox.create({ runtime });
  });
  afterEach(() => box.expectNoContainers());
  afterAll(() => box.sandbox.close());

  it.each(Object.entries(SUITE_CASES))('%s', (_, suiteCase) => hasItsVerdicts(box, suiteCase));
});

describe('on a host that refuses namespaces', () => {
  let box: TestSandbox;

  beforeAll(async () => {
    box = await TestSandbox.create({ seccompProfile: withoutCall('mount') });
  });
  afterAll(() => box.sandbox.close());

  it.each(Object.entries(SUITE_CASES))('%s', (_, suiteCase) => hasItsVerdicts(box, suiteCase));
});

describe('the cell', () => {
  let box: TestSandbox;

  beforeAll(async () => {
    box = await TestSandbox.create();
  });
  afterEach(() => box.expectNoContainers());
  afterAll(() => box.sandbox.close());

  it('is used for all tests of a suite, and the program is compiled once', async () => {
    const script = `package main
import ("fmt"; "os")
func main() { var a, b int; fmt.Scan(&a, &b); fmt.Println(a + b); os.Remove(os.Args[0]) }`;
    const before = box.sandbox.figures.coldStarts;
    const sums = Array.from({ length: 20 }, (_, n) => io(`${n} 1`, String(n + 1)));
    const { suite, compile, memoryPeakBytes } = await run(box, 'go', script, aSuite(sums), {
      limits: { memory_mb: 32, cpus: 1, pids: 32 },
    });
    expect(suite).toMatchObject({ verdict: 'accepted', score: 20 });
    expect(compile).toMatchObject({ returnCode: 0 });
    expect(memoryPeakBytes).toBeLessThan(8 << 20);
    // One for the compiler, with its own limits, and one for the program.
    expect(box.sandbox.figures.coldStarts - before).toBe(2);
  });

  it('of a test with other limits is another one', async () => {
    const limits = { memory_mb: 64 };
    const script = 'cat /sys/fs/cgroup/memory.max';
    const tests = [io('', String(256 << 20)), io('', String(64 << 20), { limits }), io('', String(256 << 20))];
    const { suite } = await run(box, 'bash', script, aSuite(tests));
    expect(suite).toMatchObject({ verdict: 'accepted' });
  });

  it('that is lost is replaced: a test that takes all memory of its cell does not end the suite', async () => {
    const hungry = 'import sys\nn = int(input())\nx = [bytearray(1 << 20) for _ in range(n)]\nprint(len(x))';
    const limits = { memory_mb: 32, cpus: 1, pids: 32 };
    const { suite } = await run(box, 'python', hungry, aSuite([io('1', '1'), io('500', '500'), io('2', '2')]), {
      limits,
    });
    expect(suite.results.map(({ verdict }) => verdict)).toEqual(['accepted', 'memory_limit', 'accepted']);
  });

  it('has the files of the input for all tests, whatever one of them does with them', async () => {
    const input = { files: [{ path: 'shared/data', content: Buffer.alloc(300_000, 'x') }], env: { MODE: 'm' } };
    const script = 'wc -c <shared/data; echo $MODE; cat own 2>/dev/null; rm -r shared';
    const own = { files: [{ path: 'own', content: Buffer.from('o') }] };
    const { suite } = await run(
      box,
      'bash',
      script,
      aSuite([io('', '300000\nm'), io('', '300000\nm\no', own), io('', '300000\nm')]),
      { input },
    );
    expect(suite).toMatchObject({ verdict: 'accepted' });
  });
});

it('docs/test-suites.md lists these programs', () => {
  const rows = Object.entries(SUITE_CASES).map(
    ([name, { judge, verdicts }]) => `| ${name} | ${judge?.compare ?? 'trimmed'} | ${verdicts.join(', ')} |`,
  );
  const docs = readFileSync('docs/test-suites.md', 'utf8').replaceAll(/ +/g, ' ').split('\n');
  expect(docs.slice(docs.indexOf(rows[0]!)).filter((line) => line.startsWith('|'))).toEqual(rows);
});

it('a container of one job runs a suite', async () => {
  const box = await TestSandbox.create({ isolation: 'single' });
  try {
    const { suite } = await run(box, 'bash', 'cat', aSuite([io('a', 'a'), io('b', 'b'), aTest()]));
    expect(suite).toMatchObject({ verdict: 'accepted', score: 3 });
  } finally {
    await box.sandbox.close();
  }
});
