/**
 * Question: how long after an execution's end does a receiver have its webhook, and what does another user's dead
 * receiver change? 50 executions end per second, of five users with a webhook each; somebody else runs them, so that
 * nothing but the service is measured. Rounds alternate: nothing else waits, or 10,000 deliveries wait for a receiver
 * that accepts connections and never answers. From the time of the event in the log to the receipt, by one clock.
 * Run: npm run bench -- webhooks   (ROUNDS=3 SECONDS=20 by default)
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';

import { delay } from '../../src/platform/async/delay.js';
import { ApiClient } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { eventually } from '../../test/support/eventually.js';
import { prepareTestService } from '../../test/support/service.js';
import { median, quantile } from '../figures.js';

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 20);
const PER_SECOND = 50;
const USERS = 5;
const TASKS_PER_USER = 10;
const QUEUED = 10_000;
const BATCH = 200;
const P95_MS_MAX = 250;
/** Of the medians of p95: what two rounds of the same kind differ by. */
const RATIO_MAX = 1.25;

await build();
const installation = await prepareTestService();
const service = await startChildService({
  ...installation.env,
  VOIDRUNNER_ROLES: 'api,relay,projector,webhooks',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  RATE_LIMIT_ENABLED: 'false',
});
const closing: (() => Promise<unknown>)[] = [() => service.end(), () => installation.close()];

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.unshift(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Milliseconds from each event to its receipt. */
let latencies: number[] = [];
const receiver = createServer((request, response) => {
  const at = Date.now();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { time } = JSON.parse(Buffer.concat(chunks).toString()) as { time: string };
    latencies.push(at - Date.parse(time));
    response.writeHead(204).end();
  });
});
const dead = createServer(() => undefined);

const register = () => ApiClient.register(() => service.url!);

async function userWithTasks(url: string) {
  const user = await register();
  await user.ok('POST', '/webhooks', { url });
  const script = { script_type: 'bash', script_content: ':', max_parallel: 100 } as const;
  const tasks: string[] = [];
  while (tasks.length < TASKS_PER_USER) tasks.push((await user.createTask(script)).id);
  return { user, tasks };
}
type UserWithTasks = Awaited<ReturnType<typeof userWithTasks>>;

async function endOne({ user, tasks }: UserWithTasks, turn: number): Promise<void> {
  const { id } = await user.start(tasks[turn % tasks.length]!, { executor: 'external' });
  await user.ok('PUT', `/executions/${id}`, { status: 'completed', return_code: 0 });
}

/** @returns the latencies of a round */
async function round(users: readonly UserWithTasks[]): Promise<number[]> {
  latencies = [];
  const ends: Promise<void>[] = [];
  const count = SECONDS * PER_SECOND;
  const startedAt = performance.now();
  for (let turn = 0; turn < count; turn += 1) {
    await delay(Math.max(0, startedAt + (turn * 1_000) / PER_SECOND - performance.now()));
    ends.push(endOne(users[turn % users.length]!, Math.floor(turn / users.length)));
  }
  await Promise.all(ends);
  const received = async () => {
    if (latencies.length < count) throw new Error(`${latencies.length} of ${count} received`);
  };
  await eventually(received, { timeoutMs: 60_000 });
  return latencies;
}

const pendingFor = async (webhookId: string): Promise<number> => {
  const sql = `select count(*)::int as count from read.webhook_deliveries where status = 'pending' and webhook_id = $1`;
  return (await installation.database.ownerPool.query<{ count: number }>(sql, [webhookId])).rows[0]!.count;
};

/** Deliveries of this many events wait for the dead receiver. */
async function queueUp(user: ApiClient, url: string): Promise<string> {
  const { id } = await user.ok<{ id: string }>('POST', '/webhooks', { url, events: ['execution.created'] });
  const item = { name: 'never run', script_type: 'bash', script_content: ':' };
  for (let sent = 0; sent < QUEUED; sent += BATCH)
    await user.ok('POST', '/batches', { items: Array.from({ length: BATCH }, () => item) });
  await eventually(
    async () => {
      const count = await pendingFor(id);
      if (count < QUEUED) throw new Error(`${count} of ${QUEUED} wait`);
    },
    { timeoutMs: 120_000 },
  );
  return id;
}

/** Nothing waits any more. */
async function remove(user: ApiClient, id: string): Promise<void> {
  await user.ok('DELETE', `/webhooks/${id}`);
  await eventually(
    async () => {
      const count = await pendingFor(id);
      if (count > 0) throw new Error(`${count} still wait`);
    },
    { timeoutMs: 240_000 },
  );
}

try {
  const [url, deadUrl] = [await listen(receiver), await listen(dead)];
  const users: UserWithTasks[] = [];
  while (users.length < USERS) users.push(await userWithTasks(url));
  const unlucky = await register();
  await round(users);
  const p95 = { alone: [] as number[], beside: [] as number[] };
  const p50 = { alone: [] as number[], beside: [] as number[] };
  const measure = async (kind: 'alone' | 'beside') => {
    const measured = await round(users);
    p95[kind].push(quantile(measured, 0.95));
    p50[kind].push(median(measured));
  };
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    await measure('alone');
    const id = await queueUp(unlucky, deadUrl);
    await measure('beside');
    if ((await pendingFor(id)) < QUEUED * 0.99) throw new Error('the dead receiver answered');
    await remove(unlucky, id);
  }
  const [alone, beside] = [median(p95.alone), median(p95.beside)];
  const ratio = beside / alone;
  const isMet = alone <= P95_MS_MAX && beside <= P95_MS_MAX && ratio <= RATIO_MAX;
  const shown = (values: readonly number[]) => values.map((value) => value.toFixed(0)).join(', ');
  console.log(`${PER_SECOND} ends/s for ${SECONDS} s, ${ROUNDS} rounds each; load ${loadavg()[0]!.toFixed(1)}`);
  console.log(`end → received, p95 in ms, alone: ${shown(p95.alone)} (p50: ${shown(p50.alone)})`);
  console.log(`beside ${QUEUED} for a dead receiver: ${shown(p95.beside)} (p50: ${shown(p50.beside)})`);
  console.log(
    `medians of p95: ${alone.toFixed(0)} and ${beside.toFixed(0)} ms, ratio ${ratio.toFixed(2)} ` +
      `(target: at most ${P95_MS_MAX} ms and ${RATIO_MAX}, ${isMet ? 'met' : 'MISSED'})`,
  );
  process.exitCode = isMet ? 0 : 1;
} finally {
  for (const close of closing) await close();
}
