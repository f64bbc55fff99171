import { setTimeout as delay } from 'node:timers/promises';

import { DockerSandbox } from '../../src/platform/sandbox/docker-sandbox.js';
import { ApiClient, hasEnded } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { job, sandboxOptions } from '../../test/support/docker.js';
import { prepareTestService } from '../../test/support/service.js';

/**
 * The service's own overhead: from `POST …/executions` to the end visible over HTTP, less the container's own life.
 * The peer is the sandbox alone, in the same run, with the same program and limits: what a run costs without log,
 * queue and views. One run at a time, the two interleaved, so the machine is otherwise idle. The service is a process of
 * its own, as it is in production: in this one its work would wait behind the client's.
 */
const ROUNDS = 5;
const RUNS_PER_ROUND = 20;
const WARM_UP_RUNS = 5;
/** Between two looks at the run: a client that asks without a pause takes the CPU it is waiting for. */
const LOOK_INTERVAL_MS = 2;

const SCRIPT = 'true';

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

await build();
const installation = await prepareTestService();
const service = await startChildService(installation.env);
const sandbox = new DockerSandbox(await sandboxOptions());
try {
  const client = await ApiClient.register(() => service.url!);
  const { id } = await client.createTask({ script_type: 'bash', script_content: SCRIPT });
  const throughService = async () => {
    let execution = await client.start(id);
    while (!hasEnded(execution)) {
      await delay(LOOK_INTERVAL_MS);
      execution = await client.execution(execution.id);
    }
  };
  const alone = () => sandbox.run(job('bash', SCRIPT), { signal: new AbortController().signal });
  const rounds: { serviceMs: number; aloneMs: number }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const runs: { serviceMs: number; aloneMs: number }[] = [];
    for (let run = 0; run < (round === 0 ? WARM_UP_RUNS : RUNS_PER_ROUND); run += 1) {
      runs.push({ serviceMs: await timed(throughService), aloneMs: await timed(alone) });
    }
    const serviceMs = median(runs.map((run) => run.serviceMs));
    const aloneMs = median(runs.map((run) => run.aloneMs));
    if (round === 0) continue;
    rounds.push({ serviceMs, aloneMs });
    const figures = [serviceMs, aloneMs, serviceMs - aloneMs].map((ms) => ms.toFixed(1).padStart(6)).join(' ');
    process.stdout.write(`${figures}   ms: through the service, sandbox alone, overhead (p50 of ${RUNS_PER_ROUND})\n`);
  }
  const overheadMs = median(rounds.map(({ serviceMs, aloneMs }) => serviceMs - aloneMs));
  const ratio = median(rounds.map(({ serviceMs, aloneMs }) => serviceMs / aloneMs));
  process.stdout.write(`overhead ${overheadMs.toFixed(1)} ms (aim: at most 25), ratio ${ratio.toFixed(2)}x\n`);
} finally {
  await sandbox.close();
  await service.end();
  await installation.close();
}
