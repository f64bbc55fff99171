/**
 * Question: what does the service send for one execution? Statements, messages, commands, engine calls and socket
 * writes per execution, with 1 and 16 in flight: `POST …/executions?wait` of a bash program, one user, warm cells,
 * one process with all roles; and per second without work. Counts vary less between machines than times.
 * Run: npm run bench -- counts   (ROUND_MS=10000 by default)
 */
import { delay } from '../../src/platform/async/delay.js';
import { ApiClient } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { prepareTestService } from '../../test/support/service.js';
import { BASH } from '../docker-run.js';

const ROUND_MS = Number(process.env.ROUND_MS ?? 10_000);
const IN_FLIGHT = [1, 16];
const IN_FLIGHT_MAX = String(Math.max(...IN_FLIGHT));

type Counts = Readonly<Record<string, number>>;

await build();
const installation = await prepareTestService({
  WORKER_POOL_SIZE: IN_FLIGHT_MAX,
  WORKER_MAX_USER_CONCURRENT_TASKS: IN_FLIGHT_MAX,
  EXECUTOR_CELL_REST: '60s',
});
let onCounts: (counts: Counts) => void = () => undefined;
const service = await startChildService(installation.env, {
  imports: ['./bench/counts/count-writes.mjs'],
  onLine: (line) => line.startsWith('{"counts"') && onCounts((JSON.parse(line) as { counts: Counts }).counts),
});

/** Also the transactions, as Postgres counts them. */
async function countsNow(): Promise<Counts> {
  const sent = new Promise<Counts>((resolve) => (onCounts = resolve));
  process.kill(service.pid, 'SIGUSR2');
  const { rows } = await installation.database.ownerPool.query<{ committed: string }>(
    'select xact_commit as committed from pg_stat_database where datname = current_database()',
  );
  return { 'postgres transactions': Number(rows[0]!.committed), ...(await sent) };
}

try {
  const client = await ApiClient.register(() => service.url!);
  const max_parallel = Number(IN_FLIGHT_MAX);
  const task = await client.createTask({ script_type: BASH.language, script_content: BASH.script, max_parallel });
  /** What is sent during the work, divided by what the work returns. */
  const perUnit = async (work: () => Promise<number>): Promise<Counts> => {
    const before = await countsNow();
    const units = await work();
    const sent = Object.entries(await countsNow()).map(([name, n]) => [name, (n - (before[name] ?? 0)) / units]);
    return Object.fromEntries(sent) as Counts;
  };
  const execute = (inFlight: number) => async (): Promise<number> => {
    const startedAt = performance.now();
    let executions = 0;
    const caller = async () => {
      for (; performance.now() - startedAt < ROUND_MS; executions += 1) {
        await client.ok('POST', `/tasks/${task.id}/executions?wait=60`);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return executions;
  };
  const idle = async (): Promise<number> => {
    await delay(ROUND_MS);
    return ROUND_MS / 1_000;
  };

  const columns: Record<string, Counts> = {};
  for (const inFlight of IN_FLIGHT) {
    await execute(inFlight)(); // Creates the cells, and compiles the code.
    columns[`${inFlight} in flight`] = await perUnit(execute(inFlight));
  }
  columns['idle, per s'] = await perUnit(idle);
  const names = [...new Set(Object.values(columns).flatMap(Object.keys))].sort();
  const heads = Object.keys(columns).map((head) => head.padStart(14));
  console.log(`${'per execution'.padEnd(24)}${heads.join('')}`);
  for (const name of names) {
    const cells = Object.values(columns).map((column) => (column[name] ?? 0).toFixed(2).padStart(14));
    console.log(name.padEnd(24) + cells.join(''));
  }
} finally {
  await service.end();
  await installation.close();
}
