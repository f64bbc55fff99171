/**
 * Questions about test suites and large runtimes, over HTTP, with one user and warm cells; medians.
 *  - How long do 100 tests of one line take as one execution, against one run of the same program?
 *  - How many tests/s do four suites at once run, against the bare interpreter, four at a time?
 *  - How long do 100 tests of a Go program take, compiler included, against one run with its compiler?
 *  - By how much does the worker's memory grow with a suite of 500 tests that print as much as they may?
 *  - How long does a run take that imports pandas?
 *  - How long does a run take that copies a file of 16 MiB, against `cp` in a container, and how much memory the worker?
 * Run: npm run bench -- suite   (ROUNDS=5 by default)
 */
import assert from 'node:assert/strict';

import { delay } from '../../src/platform/async/delay.js';
import { ApiClient, type CreateTask } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { prepareTestService } from '../../test/support/service.js';
import { bareRate, PYTHON } from '../docker-run.js';
import { median, quantile, residentMib, timed } from '../figures.js';
import { measureLargeFiles } from './large-files.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const TESTS = 100;
const SUITES_AT_ONCE = 4;
const BARE_RUNS = 80;
const PANDAS_RUNS = 20;
const MANY_TESTS = 500;
const SAMPLE_INTERVAL_MS = 20;

const GO = (version: number) => `package main
import "fmt"
func main() { var a, b int; fmt.Scan(&a, &b); fmt.Println(a + b) } // ${version}`;
const PANDAS = 'import pandas as pd; print(pd.DataFrame({"a":[1]}))';

const sums = Array.from({ length: TESTS }, (_, n) => ({ stdin: `${n} 1`, expected_stdout: String(n + 1) }));
const ones = Array.from({ length: TESTS }, () => ({ expected_stdout: '1' }));

await build();
const installation = await prepareTestService({
  WORKER_POOL_SIZE: String(SUITES_AT_ONCE),
  WORKER_MAX_USER_CONCURRENT_TASKS: String(SUITES_AT_ONCE),
  EXECUTOR_CELL_REST: '600s',
});
const service = await startChildService({ ...installation.env, VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator' });
const worker = await startChildService({ ...installation.env, VOIDRUNNER_ROLES: 'worker' });
const met: boolean[] = [];

function report(what: string, value: number, target: string, isMet: boolean): void {
  met.push(isMet);
  console.log(`${what.padEnd(58)} ${value.toFixed(2).padStart(8)} (${target}) ${isMet ? 'met' : 'MISSED'}`);
}

try {
  const client = await ApiClient.register(() => service.url!);
  const taskOf = async (task: Omit<CreateTask, 'name'>) =>
    (await client.createTask({ max_parallel: SUITES_AT_ONCE, ...task })).id;
  const run = (id: string) =>
    client.ok<{ status: string; verdict: string | null }>('POST', `/tasks/${id}/executions?wait=60`);
  const completed = async (id: string): Promise<void> => assert.equal((await run(id)).status, 'completed');
  const accepted = async (id: string): Promise<void> => assert.equal((await run(id)).verdict, 'accepted');

  const one = await taskOf({ script_type: 'python', script_content: PYTHON.script });
  const suite = await taskOf({ script_type: 'python', script_content: PYTHON.script, tests: ones });
  // A cell for each of those at once, with its interpreter preloaded.
  for (let round = 0; round < 2; round += 1)
    await Promise.all(Array.from({ length: SUITES_AT_ONCE }, () => accepted(suite)));

  const times = { one: [] as number[], suite: [] as number[], tests: [] as number[], bare: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.one.push(await timed(() => completed(one)), await timed(() => completed(one)));
    times.suite.push(await timed(() => accepted(suite)));
    const ms = await timed(() => Promise.all(Array.from({ length: SUITES_AT_ONCE }, () => accepted(suite))));
    times.tests.push((SUITES_AT_ONCE * TESTS * 1_000) / ms);
    times.bare.push(await bareRate(PYTHON, BARE_RUNS));
  }
  console.log(`one python run ${median(times.one).toFixed(0)} ms, ${TESTS} tests ${median(times.suite).toFixed(0)} ms`);
  const ofOne = median(times.suite) / median(times.one);
  report(`${TESTS} python tests ÷ one execution`, ofOne, '<= 25', ofOne <= 25);
  console.log(`tests/s ${median(times.tests).toFixed(1)}, bare ${median(times.bare).toFixed(1)}`);
  const ofBare = median(times.tests) / median(times.bare);
  report(`python tests/s of ${SUITES_AT_ONCE} suites ÷ bare at 4`, ofBare, '>= 2.5', ofBare >= 2.5);

  let version = 0;
  const go = async (tests?: CreateTask['tests']): Promise<number> => {
    const id = await taskOf({ script_type: 'go', script_content: GO((version += 1)), ...(tests && { tests }) });
    return timed(() => (tests ? accepted(id) : completed(id)));
  };
  await go(sums);
  const goTimes = { one: [] as number[], suite: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    goTimes.one.push(await go());
    goTimes.suite.push(await go(sums));
  }
  console.log(`one go run ${median(goTimes.one).toFixed(0)} ms, ${TESTS} tests ${median(goTimes.suite).toFixed(0)} ms`);
  const ofGo = median(goTimes.suite) / median(goTimes.one);
  report(`${TESTS} go tests ÷ one go run, both compiled`, ofGo, '<= 3', ofGo <= 3);

  const printer = 'head -c 1000000 /dev/zero | tr "\\0" x';
  const wrong = Array.from({ length: MANY_TESTS }, () => ({ expected_stdout: 'y'.repeat(1_000) }));
  const many = await taskOf({ script_type: 'bash', script_content: printer, tests: wrong });
  const few = await taskOf({ script_type: 'bash', script_content: printer, tests: wrong.slice(0, 5) });
  await completed(few);
  const before = await residentMib(worker.pid);
  let peak = before;
  let over = false;
  const ended = client.follow((await client.start(many)).id).finally(() => (over = true));
  for (; !over; await delay(SAMPLE_INTERVAL_MS)) peak = Math.max(peak, await residentMib(worker.pid));
  assert.equal((await ended).verdict, 'wrong_answer');
  const growth = peak - before;
  report(`MiB that the worker grows with ${MANY_TESTS} tests of 1 MB`, growth, '< 32', growth < 32);

  const pandas = await taskOf({ script_type: 'python-data', script_content: PANDAS });
  for (let warmUp = 0; warmUp < 4; warmUp += 1) await completed(pandas);
  const imports: number[] = [];
  for (let count = 0; count < PANDAS_RUNS; count += 1) imports.push((await timed(() => completed(pandas))) / 1_000);
  const p95 = quantile(imports, 0.95);
  console.log(`import pandas: p50 ${median(imports).toFixed(3)} s`);
  report('seconds of a run that imports pandas, p95', p95, '<= 0.25', p95 <= 0.25);

  const { oursMs, cpMs, beforeMib, peakMib } = await measureLargeFiles(client, worker.pid, ROUNDS);
  console.log(`16 MiB in and out: ${oursMs.toFixed(0)} ms, in a container ${cpMs.toFixed(0)} ms`);
  console.log(`16 MiB in and out ÷ cp in a container                      ${(oursMs / cpMs).toFixed(2)}`);
  console.log(`memory of the worker meanwhile: ${beforeMib.toFixed(0)} MiB, at most ${peakMib.toFixed(0)}`);
  process.exitCode = met.every(Boolean) ? 0 : 1;
} finally {
  await worker.end();
  await service.end();
  await installation.close();
}
