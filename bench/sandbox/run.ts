/**
 * Question: how long does a run take at the sandbox's boundary, against `docker run --rm` with the same image and
 * limits? Same engine, same machine, same run; rounds interleaved; medians. First submit to output, one at a time;
 * then jobs/s with four at a time. `single` takes a new cell for each run (so the creation of cells limits it),
 * `nested` its user's.
 * Run: npm run bench -- sandbox   (ROUNDS=5 RUNS=8 by default)
 */
import { availableParallelism, loadavg } from 'node:os';

import { DockerSandbox } from '../../src/sandbox/docker-sandbox.js';
import { askEngine } from '../../src/sandbox/engine-findings.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import { dockerEndpoint, job, sandboxOptions } from '../../test/support/docker.js';
import { eventually } from '../../test/support/eventually.js';
import { BASH, dockerRun, JAVASCRIPT, mustPrintOne, type Program, PYTHON } from '../docker-run.js';
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
/** Minimum ratio to the jobs/s of `docker run`. */
const RATE_MIN = { nested: 15, single: 1.6 } as const;

const runIn =
  (sandbox: DockerSandbox) =>
  async ({ language, script }: Program): Promise<void> => {
    const outcome = await sandbox.run(job(language, script, { userId: USER }), {
      signal: new AbortController().signal,
    });
    const printed = Buffer.from(outcome.stdout.content).toString();
    if (printed !== '1\n') throw new Error(`${language} printed ${JSON.stringify(printed)}`);
  };

/** The upper bound for every sandbox that starts node for each run: node alone, with the same concurrency. */
const bareNode = () => mustPrintOne(process.execPath, ['-e', JAVASCRIPT.script]);

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

const settings = { poolSize: 4, outputBytesMax: 1024 ** 2 };
const nested = new DockerSandbox(await sandboxOptions({ ...settings, poolSize: 1 }));
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
  const ways = { docker: dockerRun, single: runIn(single), nested: runIn(nested) };
  console.log(
    `\nms from submit to output, medians of ${ROUNDS} x ${RUNS}\n            docker run   single   nested   nested/docker`,
  );
  for (const [program, ratioMax] of RATIOS_MAX) {
    const times: Record<keyof typeof ways, number[]> = { docker: [], single: [], nested: [] };
    await ways.nested(program);
    for (let round = 0; round < ROUNDS * RUNS; round += 1) {
      for (const way of ['docker', 'single', 'nested'] as const) {
        // Before the other contenders too: refilling takes CPU time that they need.
        await ready();
        times[way].push(await timed(() => ways[way](program)));
      }
    }
    const [docker, one, inner] = [median(times.docker), median(times.single), median(times.nested)];
    const ratio = inner / docker;
    met.push(ratio <= ratioMax);
    const cells = [docker, one, inner].map((ms) => ms.toFixed(1).padStart(8)).join(' ');
    console.log(
      `${program.language.padEnd(12)}  ${cells}     ${ratio.toFixed(3)} (<= ${ratioMax}) ${met.at(-1) ? 'met' : 'MISSED'}`,
    );
  }
  console.log(`\njobs/s with ${CONCURRENCY} at a time, medians of ${ROUNDS}\n            docker run   single   nested`);
  for (const program of RATIOS_MAX.keys()) {
    const rates: Record<keyof typeof ways, number[]> = { docker: [], single: [], nested: [] };
    const bareRates: number[] = [];
    const counts = { docker: RUNS * 2, single: RUNS * 4, nested: RUNS * 25 };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const way of ['docker', 'single', 'nested'] as const) {
        await ready();
        // Creates the user's cells first, as the pool of `single` is full: only `single` measures cell creation.
        const run = () => ways[way](program);
        if (way === 'nested') await jobsPerSecond(run, CONCURRENCY);
        rates[way].push(await jobsPerSecond(run, counts[way]));
      }
      if (program === JAVASCRIPT) bareRates.push(await jobsPerSecond(bareNode, RUNS * 4));
    }
    const [docker, one, inner] = [median(rates.docker), median(rates.single), median(rates.nested)];
    const cells = [docker, one, inner].map((rate) => rate.toFixed(1).padStart(8)).join(' ');
    const verdicts = [
      `single ${(one / docker).toFixed(1)}x (>= ${RATE_MIN.single}) ${one / docker >= RATE_MIN.single ? 'met' : 'MISSED'}`,
      `nested ${(inner / docker).toFixed(1)}x (>= ${RATE_MIN.nested}) ${inner / docker >= RATE_MIN.nested ? 'met' : 'MISSED'}`,
    ];
    console.log(`${program.language.padEnd(12)}  ${cells}     ${verdicts.join(', ')}`);
    if (program === JAVASCRIPT) {
      const bare = median(bareRates);
      console.log(`  node alone, without a sandbox: ${bare.toFixed(1)} ${(bare / docker).toFixed(1)}x`);
    } else met.push(verdicts.every((verdict) => verdict.endsWith('met')));
  }
  process.exitCode = met.every(Boolean) ? 0 : 1;
} finally {
  await Promise.all([nested.close(), single.close()]);
}
