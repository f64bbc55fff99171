/**
 * Question: how long does a run take at the sandbox's boundary, against `docker run --rm` with the same image and
 * limits? Same engine, same machine, same run; rounds interleaved; medians. First submit to output, one at a time;
 * then jobs/s with four at a time, also against the bare interpreters, four at a time. `single` takes a new cell for
 * each run (so the creation of cells limits it), `nested` its user's; `exec` is `nested` without preloading.
 * Run: npm run bench -- sandbox   (ROUNDS=5 RUNS=8 by default)
 */
import { availableParallelism, loadavg } from 'node:os';

import { DockerSandbox } from '../../src/sandbox/docker-sandbox.js';
import { askEngine } from '../../src/sandbox/engine-findings.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import { dockerEndpoint, job, sandboxOptions } from '../../test/support/docker.js';
import { eventually } from '../../test/support/eventually.js';
import { bareRate, BASH, dockerRun, JAVASCRIPT, type Program, PYTHON } from '../docker-run.js';
import { median, timed } from '../figures.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const RUNS = Number(process.env.RUNS ?? 8);
const CONCURRENCY = 4;
const READY_TIMEOUT_MS = 60_000;
const USER = 'b0000000-0000-4000-8000-000000000000';

/** Maximum ratio to the time of `docker run`. */
const RATIOS_MAX = new Map<Program, number>([
  [PYTHON, 0.06],
  [BASH, 0.03],
  [JAVASCRIPT, 0.2],
]);
/** Minimum ratio to the jobs/s of `docker run`, and of `nested` to the bare interpreters. */
const RATE_MIN = { nested: 15, single: 1.6 } as const;
const BARE_MIN = new Map<Program, number>([
  [PYTHON, 2.5],
  [JAVASCRIPT, 3.5],
]);

const runIn =
  (sandbox: DockerSandbox) =>
  async ({ language, script }: Program): Promise<void> => {
    const outcome = await sandbox.run(job(language, script, { userId: USER }), {
      signal: new AbortController().signal,
    });
    const printed = Buffer.from(outcome.stdout.content).toString();
    if (printed !== '1\n') throw new Error(`${language} printed ${JSON.stringify(printed)}`);
  };

async function jobsPerSecond(run: () => Promise<void>, count: number): Promise<number> {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await run();
    }
  };
  const ms = await timed(() => Promise.all(Array.from({ length: CONCURRENCY }, worker)));
  return (count / ms) * 1_000;
}

const WAYS = ['docker', 'single', 'exec', 'nested'] as const;
type Four = [number, number, number, number];

const verdict = (what: string, ratio: number, minimum: number): string =>
  `${what} ${ratio.toFixed(2)}x (>= ${minimum}) ${ratio >= minimum ? 'met' : 'MISSED'}`;

const settings = { poolSize: 4, outputBytesMax: 1024 ** 2 };
const nested = new DockerSandbox(await sandboxOptions({ ...settings, poolSize: 1 }));
const exec = new DockerSandbox(await sandboxOptions({ ...settings, poolSize: 1, preload: false }));
const single = new DockerSandbox(await sandboxOptions({ ...settings, isolation: 'single' }));
/** Resolves when the pool is full, and no cell is being created or removed. */
const ready = () => eventually(() => void expectFull(), { timeoutMs: READY_TIMEOUT_MS });
const expectFull = () => {
  if (single.figures.ready < 16 || single.figures.refilling > 0) throw new Error('the pool is not full');
};

try {
  const { runtime, runtimeVersion, version } = await askEngine(connectEngine(dockerEndpoint), undefined);
  console.log(
    `Docker ${version}, ${runtime} ${runtimeVersion}; ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`,
  );
  single.start();
  const met: boolean[] = [];
  const ways = { docker: dockerRun, single: runIn(single), nested: runIn(nested), exec: runIn(exec) };
  console.log(
    `\nms from submit to output, medians of ${ROUNDS} x ${RUNS}\n            docker run   single     exec   nested   nested/docker`,
  );
  for (const [program, ratioMax] of RATIOS_MAX) {
    const times: Record<keyof typeof ways, number[]> = { docker: [], single: [], nested: [], exec: [] };
    await ways.nested(program);
    await ways.exec(program);
    for (let round = 0; round < ROUNDS * RUNS; round += 1) {
      for (const way of WAYS) {
        // Before the other contenders too: refilling takes CPU time that they need.
        await ready();
        times[way].push(await timed(() => ways[way](program)));
      }
    }
    const [docker, one, own, inner] = [times.docker, times.single, times.exec, times.nested].map(median) as Four;
    const ratio = inner / docker;
    met.push(ratio <= ratioMax);
    const cells = [docker, one, own, inner].map((ms) => ms.toFixed(1).padStart(8)).join(' ');
    console.log(
      `${program.language.padEnd(12)}  ${cells}     ${ratio.toFixed(3)} (<= ${ratioMax}) ${met.at(-1) ? 'met' : 'MISSED'}`,
    );
  }
  console.log(
    `\njobs/s with ${CONCURRENCY} at a time, medians of ${ROUNDS}\n            docker run   single     exec   nested     bare`,
  );
  for (const program of RATIOS_MAX.keys()) {
    const rates: Record<keyof typeof ways, number[]> = { docker: [], single: [], exec: [], nested: [] };
    const bareRates: number[] = [];
    const counts = { docker: RUNS * 2, single: RUNS * 4, exec: RUNS * 15, nested: RUNS * 25 };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const way of WAYS) {
        await ready();
        // Creates the user's cells first, as the pool of `single` is full: only `single` measures cell creation.
        const run = () => ways[way](program);
        if (way === 'nested' || way === 'exec') await jobsPerSecond(run, CONCURRENCY);
        rates[way].push(await jobsPerSecond(run, counts[way]));
      }
      bareRates.push(await bareRate(program, RUNS * 10));
    }
    const [docker, one, own, inner] = [rates.docker, rates.single, rates.exec, rates.nested].map(median) as Four;
    const bare = median(bareRates);
    const cells = [docker, one, own, inner, bare].map((rate) => rate.toFixed(1).padStart(8)).join(' ');
    const verdicts = [
      verdict('single', one / docker, RATE_MIN.single),
      // Without preloading, the start of node limits it.
      ...(program === JAVASCRIPT ? [] : [verdict('nested', inner / docker, RATE_MIN.nested)]),
      ...(BARE_MIN.has(program) ? [verdict('nested/bare', inner / bare, BARE_MIN.get(program)!)] : []),
    ];
    console.log(
      `${program.language.padEnd(12)}  ${cells}     ${verdicts.join(', ')}; exec/bare ${(own / bare).toFixed(2)}`,
    );
    met.push(verdicts.every((each) => each.endsWith('met')));
  }
  process.exitCode = met.every(Boolean) ? 0 : 1;
} finally {
  await Promise.all([nested.close(), exec.close(), single.close()]);
}
