import { readFile } from 'node:fs/promises';

import { delay } from '../../src/platform/async/delay.js';
import { ApiClient } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { EventReader } from '../../test/support/event-reader.js';
import { prepareTestService } from '../../test/support/service.js';
import { median, residentMib } from '../figures.js';

/**
 * The cost of 1,000 open event streams for the process that serves them: memory, and, while nothing happens, CPU time
 * and transactions in Postgres, compared with the same process without followers. Then the time that an event takes to
 * reach its follower while all the others are open.
 */
const FOLLOWERS = 1_000;
const RUNS_PER_TASK = 100;
const QUIET_MS = 10_000;
const EVENTS = 100;
const MEMORY_MIB_MAX = 200;
const OPENED_AT_ONCE = 50;

interface Cost {
  readonly residentMib: number;
  readonly cpuMs: number;
  readonly transactions: number;
}

await build();
const installation = await prepareTestService();
const service = await startChildService({
  ...installation.env,
  VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator',
  SERVER_CONNECTIONS_PER_ADDRESS: '8192',
  RATE_LIMIT_CONCURRENT: String(2 * FOLLOWERS),
});

/** User and system time, counted in the kernel's ticks of 10 ms (proc(5)). */
async function cpuMs(): Promise<number> {
  const fields = (await readFile(`/proc/${service.pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function transactions(): Promise<number> {
  const { rows } = await installation.database.ownerPool.query<{ count: number }>(
    `select (xact_commit + xact_rollback)::float8 as count from pg_stat_database where datname = current_database()`,
  );
  return rows[0]!.count;
}

async function quietly(): Promise<Cost> {
  const [cpu, count] = [await cpuMs(), await transactions()];
  await delay(QUIET_MS);
  return {
    residentMib: await residentMib(service.pid),
    cpuMs: (await cpuMs()) - cpu,
    transactions: (await transactions()) - count,
  };
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let first = 0; first < items.length; first += OPENED_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(first, first + OPENED_AT_ONCE).map(work))));
  }
  return results;
}

async function runs(client: ApiClient, count: number): Promise<string[]> {
  const script = { script_type: 'bash', script_content: ':', max_parallel: RUNS_PER_TASK } as const;
  const ids: string[] = [];
  while (ids.length < count) {
    const { id: taskId } = await client.createTask(script);
    // One at a time: all starts of a task append to its stream.
    for (let run = 0; run < RUNS_PER_TASK; run += 1)
      ids.push((await client.start(taskId, { executor: 'external' })).id);
  }
  return ids;
}

try {
  const client = await ApiClient.register(() => service.url!);
  const open = async (id: string) => {
    const url = `${service.url}/api/v1/executions/${id}/events`;
    const events = await EventReader.of(url, { authorization: `Bearer ${client.accessToken}` });
    await events.next();
    return events;
  };
  const ids = await runs(client, FOLLOWERS);
  // Warm-up: memory that the first followers allocate permanently does not count.
  for (const events of await inBatches(ids.slice(0, OPENED_AT_ONCE), open)) events.leave();
  const alone = await quietly();
  const followers = await inBatches(ids, open);
  const followed = await quietly();

  const latencies: number[] = [];
  for (let index = 0; index < EVENTS; index += 1) {
    const startedAt = performance.now();
    const received = followers[index]!.next().then(() => performance.now() - startedAt);
    await client.ok('PUT', `/executions/${ids[index]!}`, { status: 'running' });
    latencies.push(await received);
  }
  for (const events of followers) events.leave();

  const growth = followed.residentMib - alone.residentMib;
  const perSecond = (value: number) => (value / (QUIET_MS / 1_000)).toFixed(1);
  const met = growth < MEMORY_MIB_MAX;
  console.log(
    `memory: ${alone.residentMib.toFixed(0)} MiB, ${followed.residentMib.toFixed(0)} with ${FOLLOWERS} followers: ` +
      `+${growth.toFixed(1)} (target: below ${MEMORY_MIB_MAX}, ${met ? 'met' : 'MISSED'})`,
  );
  console.log(`idle, CPU ms/s: ${perSecond(alone.cpuMs)} without followers, ${perSecond(followed.cpuMs)} with them`);
  console.log(
    `idle, transactions/s: ${perSecond(alone.transactions)} without, ${perSecond(followed.transactions)} with them`,
  );
  console.log(
    `from the request that reports an event to the follower: p50 ${median(latencies).toFixed(1)} ms of ${EVENTS}`,
  );
  process.exitCode = met ? 0 : 1;
} finally {
  await service.end();
  await installation.close();
}
