/**
 * Question: how long does an execution take end to end, over HTTP?
 * First the time from `POST …/executions?wait` to its response, one at a time, against `docker run --rm` with the same
 * image and limits, interleaved; medians. Then executions/s from POST to the end with 1, 4 and 16 in flight, and the
 * CPU time of each, by process; with 16 in flight also against the bare interpreters, four at a time. The service is
 * one process with all roles, as `make dev-up` starts it; one user, with a warm cell for each execution in flight.
 * Run: npm run bench -- service   (ROUNDS=5 RUNS=8 ROUND_MS=4000 by default; PROGRAMS=python,bash for some of them)
 */
import assert from 'node:assert/strict';
import { availableParallelism, loadavg } from 'node:os';

import { askEngine } from '../../src/sandbox/engine-findings.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import { ApiClient } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { dockerEndpoint } from '../../test/support/docker.js';
import { prepareTestService } from '../../test/support/service.js';
import { bareRate, BASH, dockerRun, JAVASCRIPT, type Program, PYTHON } from '../docker-run.js';
import { median, timed } from '../figures.js';
import { type CpuTime, cpuTime, cpuTimeBetween } from './cpu-time.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const RUNS = Number(process.env.RUNS ?? 8);
const ROUND_MS = Number(process.env.ROUND_MS ?? 4_000);
const IN_FLIGHT = [1, 4, 16];
const PROGRAMS = [PYTHON, BASH, JAVASCRIPT].filter(({ language }) =>
  (process.env.PROGRAMS ?? language).split(',').includes(language),
);
/** Programs that run until there is a cell for each of those in flight. */
const SLEEPS = new Map<Program, string>([
  [PYTHON, 'import time; time.sleep(12)'],
  [BASH, 'sleep 12'],
  [JAVASCRIPT, 'setTimeout(() => {}, 12_000)'],
]);
/** Maximum ratio to the time of `docker run`. */
const RATIO_MAX = new Map<Program, number>([
  [PYTHON, 0.07],
  [BASH, 0.06],
  [JAVASCRIPT, 0.08],
]);
/** Minimum ratio of executions/s, with most in flight, to the bare interpreter. */
const BARE_MIN = new Map<Program, number>([
  [PYTHON, 1.1],
  [BASH, 0.2],
  [JAVASCRIPT, 2.2],
]);
/** Interpreters that are started to measure how many there are per second. */
const BARE_RUNS = 80;
const IN_FLIGHT_MAX = String(Math.max(...IN_FLIGHT));

interface Throughput {
  readonly perSecond: number;
  /** CPU milliseconds per execution. */
  readonly cpuMs: CpuTime;
}

await build();
const installation = await prepareTestService({
  WORKER_POOL_SIZE: IN_FLIGHT_MAX,
  WORKER_MAX_USER_CONCURRENT_TASKS: IN_FLIGHT_MAX,
  EXECUTOR_CELL_REST: '600s',
});
const service = await startChildService(installation.env);
try {
  const client = await ApiClient.register(() => service.url!);
  const taskOf = async ({ language, script }: Program) =>
    (await client.createTask({ script_type: language, script_content: script, max_parallel: IN_FLIGHT.at(-1)! })).id;
  const tasks = new Map<Program, string>();
  for (const program of PROGRAMS) tasks.set(program, await taskOf(program));

  const execute = async (program: Program): Promise<void> => {
    const path = `/tasks/${tasks.get(program)}/executions?wait=60`;
    const { stdout } = await client.ok<{ stdout: string | null }>('POST', path);
    assert.equal(stdout, '1\n');
  };

  /** Starts a cell for each execution in flight: with all of them busy, none can be used twice. */
  const warmUp = async (program: Program): Promise<void> => {
    const task = await taskOf({ ...program, script: SLEEPS.get(program)! });
    const sleep = () => client.ok('POST', `/tasks/${task}/executions?wait=60`);
    await Promise.all(Array.from({ length: IN_FLIGHT.at(-1)! }, sleep));
  };

  const throughput = async (program: Program, inFlight: number): Promise<Throughput> => {
    const processes = { service: service.pid, client: process.pid };
    const before = cpuTime(processes);
    const startedAt = performance.now();
    let count = 0;
    const caller = async () => {
      for (; performance.now() - startedAt < ROUND_MS; count += 1) await execute(program);
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    const seconds = (performance.now() - startedAt) / 1_000;
    const used = cpuTimeBetween(before, cpuTime(processes));
    const cpuMs = Object.fromEntries(Object.entries(used).map(([group, cpu]) => [group, (cpu * 1_000) / count]));
    return { perSecond: count / seconds, cpuMs };
  };

  const { runtime, runtimeVersion, version } = await askEngine(connectEngine(dockerEndpoint), undefined);
  const load = loadavg()[0]?.toFixed(1);
  console.log(`Docker ${version}, ${runtime} ${runtimeVersion}; ${availableParallelism()} cores, load ${load}`);
  console.log(`\nms from POST to the response, medians of ${ROUNDS * RUNS}\n            docker run  service  ratio`);
  const met: boolean[] = [];
  for (const program of tasks.keys()) {
    const times: { docker: number[]; service: number[] } = { docker: [], service: [] };
    for (let warmUp = 0; warmUp < RUNS; warmUp += 1) await execute(program);
    for (let run = 0; run < ROUNDS * RUNS; run += 1) {
      times.docker.push(await timed(() => dockerRun(program)));
      times.service.push(await timed(() => execute(program)));
    }
    const [docker, ours] = [median(times.docker), median(times.service)];
    const ratioMax = RATIO_MAX.get(program)!;
    met.push(ours / docker <= ratioMax);
    const cells = [docker.toFixed(1).padStart(9), ours.toFixed(1).padStart(8), (ours / docker).toFixed(3).padStart(6)];
    console.log(program.language.padEnd(12), cells.join(' '), `(<= ${ratioMax}) ${met.at(-1) ? 'met' : 'MISSED'}`);
  }

  console.log(
    `\nexecutions/s from POST to the end, medians of ${ROUNDS} rounds of ${ROUND_MS} ms; CPU ms per execution`,
  );
  for (const program of tasks.keys()) {
    await warmUp(program);
    for (const inFlight of IN_FLIGHT) {
      await throughput(program, inFlight);
      const rounds: Throughput[] = [];
      const bare: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        rounds.push(await throughput(program, inFlight));
        if (inFlight === IN_FLIGHT.at(-1)) bare.push(await bareRate(program, BARE_RUNS));
      }
      const groups = Object.keys(rounds[0]!.cpuMs);
      const cpu = groups.map((group) => `${group} ${median(rounds.map(({ cpuMs }) => cpuMs[group]!)).toFixed(1)}`);
      const perSecond = median(rounds.map((round) => round.perSecond)).toFixed(1);
      const ratio = median(rounds.map((round) => round.perSecond)) / median(bare);
      const bareMin = BARE_MIN.get(program)!;
      if (bare.length > 0) met.push(ratio >= bareMin);
      const verdict = `  ${ratio.toFixed(2)} of bare (>= ${bareMin}) ${met.at(-1) ? 'met' : 'MISSED'}`;
      console.log(
        `${program.language.padEnd(7)} ${String(inFlight).padStart(2)} in flight  ${perSecond.padStart(6)}/s  ${cpu.join('  ')}${bare.length > 0 ? verdict : ''}`,
      );
    }
  }
  process.exitCode = met.every(Boolean) ? 0 : 1;
} finally {
  await service.end();
  await installation.close();
}
