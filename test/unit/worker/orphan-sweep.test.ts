import { Unavailable } from '../../../src/kernel/errors.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { OrphanSweep } from '../../../src/worker/orphan-sweep.js';
import { InMemoryJobQueue } from '../../support/in-memory-job-queue.js';
import { ScriptedSandbox } from '../../support/scripted-sandbox.js';
import { InMemoryWorkerSessions } from '../../support/worker-sessions.js';

const GRACE_MS = 15_000;
const TTL_MS = 3_600_000;

let queue: InMemoryJobQueue;
let sandbox: ScriptedSandbox;
let sessions: InMemoryWorkerSessions;
let orphans: OrphanSweep;

beforeEach(() => {
  queue = new InMemoryJobQueue({ userConcurrencyMax: 1, ageingIntervalMs: TTL_MS });
  sandbox = new ScriptedSandbox();
  sessions = new InMemoryWorkerSessions();
  sandbox.owners = ['alive', 'dead'];
  orphans = new OrphanSweep(sandbox, queue, sessions, silentLog, GRACE_MS);
});

const beat = (workerId: string) => queue.workerHeartbeat({ workerId, running: [] }, TTL_MS);

test('removes containers of workers that were missing for the whole grace period', async () => {
  await beat('alive');
  await orphans.sweep(0);
  await orphans.sweep(GRACE_MS - 1);
  expect(sandbox.owners).toEqual(['alive', 'dead']);
  await orphans.sweep(GRACE_MS);
  expect(sandbox.owners).toEqual(['alive']);
});

test('removes containers of a worker whose session has ended long before that', async () => {
  await beat('alive');
  sessions.ids = new Set(['alive']);
  await orphans.sweep(0);
  await orphans.sweep(1);
  expect(sandbox.owners).toEqual(['alive', 'dead']);
  await orphans.sweep(GRACE_MS / 2);
  expect(sandbox.owners).toEqual(['alive']);
});

test('spares workers with an open session that a flush forgot', async () => {
  sessions.ids = new Set(['alive', 'dead']);
  await orphans.sweep(0);
  await orphans.sweep(GRACE_MS - 1);
  expect(sandbox.owners).toEqual(['alive', 'dead']);
});

test('spares workers that a flush forgot for a moment', async () => {
  await beat('alive');
  queue.flush();
  await orphans.sweep(0);
  await beat('alive');
  await orphans.sweep(1);
  queue.flush();
  await orphans.sweep(GRACE_MS);
  expect(sandbox.owners).toContain('alive');
});

test('removes nothing during an outage of Redis, and restarts the grace period after it', async () => {
  await orphans.sweep(0);
  const { workers } = queue;
  queue.workers = () => Promise.reject(new Unavailable('redis', 'away'));
  await expect(orphans.sweep(GRACE_MS)).rejects.toThrow('away');
  queue.workers = workers;
  await orphans.sweep(2 * GRACE_MS);
  expect(sandbox.owners).toEqual(['alive', 'dead']);
  await orphans.sweep(3 * GRACE_MS);
  expect(sandbox.owners).toEqual([]);
});

test('does nothing if the engine is unavailable', async () => {
  sandbox.healthy = false;
  await orphans.sweep(0);
  await orphans.sweep(GRACE_MS);
  expect(sandbox.owners).toEqual(['alive', 'dead']);
});
