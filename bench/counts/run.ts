/**
 * Question: what does the service send for one execution? Statements, messages, commands, engine calls and socket
 * writes per execution, with 1 and 16 in flight: `POST …/executions?wait` of a bash program, one user, warm cells,
 * one process with all roles. Counts vary less between machines than times.
 * Run: npm run bench -- counts   (ROUND_MS=10000 by default)
 */
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
  const perExecution = async (inFlight: number): Promise<Counts> => {
    const before = await countsNow();
    const startedAt = performance.now();
    let executions = 0;
    const caller = async () => {
      for (; performance.now() - startedAt < ROUND_MS; executions += 1) {
        await client.ok('POST', `/tasks/${task.id}/executions?wait=60`);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    const sent = Object.entries(await countsNow()).map(([name, n]) => [name, (n - (before[name] ?? 0)) / executions]);
    return { executions, ...Object.fromEntries(sent) } as Counts;
  };

  const columns: Counts[] = [];
  for (const inFlight of IN_FLIGHT) {
    await perExecution(inFlight); // Creates the cells, and compiles the code.
    columns.push(await perExecution(inFlight));
  }
  const names = [...new Set(columns.flatMap(Object.keys))].sort();
  console.log(`${'per execution'.padEnd(24)}${IN_FLIGHT.map((n) => `${n} in flight`.padStart(14)).join('')}`);
  for (const name of names) {
    console.log(name.padEnd(24) + columns.map((column) => (column[name] ?? 0).toFixed(2).padStart(14)).join(''));
  }
} finally {
  await service.end();
  await installation.close();
}
