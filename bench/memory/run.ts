import { delay } from '../../src/platform/async/delay.js';
import type { ExecutionView } from '../../src/tasks/api/execution-schemas.js';
import { ApiClient } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { prepareTestService } from '../../test/support/service.js';
import { residentMib } from '../figures.js';

/**
 * Whether a worker's memory stays flat under programs that never stop printing. Measured: the peak resident memory of
 * the worker's process while 16 such programs run, minus its memory after 16 programs that print a line and exit (so
 * that code, pools and cells exist). This baseline, before the first writers, is strict: their buffers count in full.
 */
const WRITERS = 16;
const ROUNDS = 3;
const TIMEOUT_SECONDS = 10;
const SAMPLE_INTERVAL_MS = 20;
const GROWTH_MIB_MAX = 64;

/** Writes to both streams as fast as they are read. */
const ENDLESS = 'yes "this goes on and on" >&2 & exec yes "and so does this"';
const SHORT = 'echo done';
const LIMITS = { memory_mb: 64, cpus: 1, pids: 64 };

async function peakDuring(pid: number, work: Promise<unknown>): Promise<number> {
  let over = false;
  const done = work.finally(() => (over = true));
  let peak = 0;
  while (!over) {
    peak = Math.max(peak, await residentMib(pid));
    await delay(SAMPLE_INTERVAL_MS);
  }
  await done;
  return peak;
}

/** The number that had started before the first one ended. */
function together(runs: readonly ExecutionView[]): number {
  const firstEnd = runs.map((run) => run.completed_at!).toSorted()[0]!;
  return runs.filter((run) => run.started_at! < firstEnd).length;
}

await build();
const installation = await prepareTestService({
  WORKER_POOL_SIZE: String(WRITERS),
  WORKER_MAX_USER_CONCURRENT_TASKS: String(WRITERS),
  EXECUTOR_CELL_REST: '60s',
});
// The worker has its own process, because the API reads outputs too, and its memory is not the question here.
const service = await startChildService({ ...installation.env, VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator' });
const worker = await startChildService({ ...installation.env, VOIDRUNNER_ROLES: 'worker' });
try {
  const client = await ApiClient.register(() => service.url!);
  // One task each: sixteen simultaneous starts of one task would contend for its stream.
  const tasksOf = (script_content: string) =>
    Promise.all(
      Array.from({ length: WRITERS }, () =>
        client.createTask({ script_type: 'bash', script_content, timeout_seconds: TIMEOUT_SECONDS, limits: LIMITS }),
      ),
    );
  const atOnce = async (tasks: readonly { id: string }[], status: string) => {
    const started = await Promise.all(tasks.map(({ id }) => client.start(id)));
    const runs: ExecutionView[] = [];
    for (const { id } of started) runs.push(await client.follow(id));
    const other = runs.find((run) => run.status !== status);
    if (other) throw new Error(`ended as ${JSON.stringify({ ...other, stdout: '', stderr: '' })}`);
    return runs;
  };
  const [short, endless] = [await tasksOf(SHORT), await tasksOf(ENDLESS)];
  for (let round = 0; round < ROUNDS; round += 1) await atOnce(short, 'completed');
  const before = await residentMib(worker.pid);
  console.log(`${WRITERS} short runs at once, ${ROUNDS} times: ${before.toFixed(1)} MiB`);
  let growth = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const writers = atOnce(endless, 'timeout');
    const peak = await peakDuring(worker.pid, writers);
    growth = Math.max(growth, peak - before);
    const runs = await writers;
    const gib = runs.reduce((sum, run) => sum + run.stdout_bytes + run.stderr_bytes, 0) / 1024 ** 3;
    console.log(
      `round ${round}: ${together(runs)} endless writers at once, ${gib.toFixed(1)} GiB written, ` +
        `peak ${peak.toFixed(1)} MiB, +${(peak - before).toFixed(1)}`,
    );
  }
  const met = growth < GROWTH_MIB_MAX;
  console.log(`growth ${growth.toFixed(1)} MiB (target: below ${GROWTH_MIB_MAX}, ${met ? 'met' : 'MISSED'})`);
  process.exitCode = met ? 0 : 1;
} finally {
  await worker.end();
  await service.end();
  await installation.close();
}
