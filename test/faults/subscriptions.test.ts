import { ORCHESTRATOR, PROJECTOR } from '../../src/composition/postgres-options.js';
import { projectorProjections } from '../../src/composition/projections.js';
import { createSubscription } from '../../src/composition/subscriptions.js';
import { ProjectionHandler } from '../../src/event-sourcing/projection/projection-handler.js';
import type { SubscriptionHandler } from '../../src/event-sourcing/subscription/subscription-handler.js';
import { EffectRunner } from '../../src/orchestrator/effect-runner.js';
import { Orchestrator } from '../../src/orchestrator/orchestrator.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { leaderOf, startProcess } from '../support/faults-process.js';
import { CommandLoad, expectHealed, expectUndisturbed, historyOf, QUICK, startRuns } from '../support/faults.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let client: ApiClient;

beforeAll(async () => {
  service = await startTestService({ ...QUICK, VOIDRUNNER_ROLES: 'api,relay,worker,sealer' });
  client = await ApiClient.register(() => service.url);
});

afterAll(() => service.close());

const infra = () => service.processes[0]!.infra;
const projector = () => new ProjectionHandler(infra().pool, projectorProjections, () => undefined);
const orchestrator = () => new Orchestrator(infra().pool, new EffectRunner(infra().queue));

const checkpointOf = async (subscription: string): Promise<bigint> => {
  const sql = 'select position from read.checkpoints where subscription = $1';
  return (await infra().pool.query<{ position: bigint }>(sql, [subscription])).rows[0]?.position ?? 0n;
};
const head = async (): Promise<bigint> => (await infra().store.head()).position;
const rows = async (table: string): Promise<number> =>
  (await infra().pool.query<{ rows: number }>(`select count(*)::int as rows from read.${table}`)).rows[0]!.rows;

/**
 * Runs the real handler until the given step has been done once for events that reach `upTo`, and ends there like a
 * crash: with the effect of that step, and nothing after it.
 */
async function crashAfter(
  step: 'runEffects' | 'change' | 'committed',
  name: string,
  handler: SubscriptionHandler,
  upTo: bigint,
): Promise<void> {
  const crash = new AbortController();
  const crashAt = (position: bigint | undefined): void => {
    if (position === undefined || position < upTo) return;
    crash.abort();
    throw new Error('crash');
  };
  const crashing: SubscriptionHandler = {
    async runEffects(deliveries, signal, ranUpTo) {
      await handler.runEffects?.(deliveries, signal, ranUpTo);
      if (step === 'runEffects') crashAt(deliveries.at(-1)?.event.position);
    },
    async change(events) {
      const changes = await handler.change!(events);
      if (step === 'change') crashAt(events.at(-1)?.position);
      return changes;
    },
    committed(position) {
      handler.committed?.(position);
      if (step === 'committed') crashAt(position);
    },
  };
  await createSubscription(infra(), name, crashing)
    .lead(crash.signal)
    .catch((error: Error) => expect(error.message).toBe('crash'));
  expect(crash.signal.aborted).toBe(true);
}

/** Without read models no client waits to read its own write. */
const respondAsync = { prefer: 'respond-async' };

async function request<Body>(path: string, body?: unknown): Promise<Body> {
  const answer = await client.request<Body>('POST', path, body, respondAsync);
  expect(answer.status).toBe(201);
  return answer.body;
}

test('crashes between effect, checkpoint, view and acknowledgement: each event is applied once', async () => {
  const task = await request<{ id: string }>('/tasks', {
    name: 'crash',
    script_type: 'bash',
    script_content: 'echo once',
  });
  const { id } = await request<{ id: string }>(`/tasks/${task.id}/executions`);
  const history = () => infra().store.readStream({ type: 'execution', id });
  // Not the head: events of accounts come at any time, and would be awaited in another batch.
  const requested = (await history())[0]!.position;

  // The job is in the queue, but the checkpoint has not moved. It runs to its end before another process takes over.
  await crashAfter('runEffects', ORCHESTRATOR, orchestrator(), requested);
  expect(await checkpointOf(ORCHESTRATOR)).toBeLessThan(requested);
  expect(await rows('active_executions')).toBe(0);
  await eventually(async () => expect((await history()).at(-1)?.type).toBe('ExecutionSucceeded'));

  // The changes of the views were lost with the process.
  await crashAfter('change', PROJECTOR, projector(), requested);
  expect(await checkpointOf(PROJECTOR)).toBeLessThan(requested);
  expect(await rows('executions')).toBe(0);

  // Committed, but not acknowledged: redelivered, and dropped.
  await crashAfter('committed', PROJECTOR, projector(), requested);
  expect(await checkpointOf(PROJECTOR)).toBeGreaterThanOrEqual(requested);
  expect(await rows('executions')).toBe(1);

  // The effects happen a second time: a job of an ended execution, dropped by the worker that reserves it.
  const others = await service.start({ VOIDRUNNER_ROLES: 'projector,orchestrator' });
  expect(await client.follow(id)).toMatchObject({ status: 'completed', attempt: 1, stdout: 'once\n' });
  await eventually(async () => expect(await checkpointOf(ORCHESTRATOR)).toBe(await head()));
  await expectHealed(service);
  expect((await historyOf(client, id)).map(({ type }) => type)).toEqual([
    'ExecutionRequested',
    'ExecutionAttemptStarted',
    'ExecutionSucceeded',
  ]);
  await service.stop(others);
});

test('processes killed under load, one after the other: a standby takes over each time', async () => {
  const roles = { VOIDRUNNER_ROLES: 'projector,orchestrator' };
  const processes = await Promise.all([1, 2, 3].map(() => startProcess(service, roles)));
  try {
    const runs = await startRuns(client, 4, { seconds: 0 });
    const load = new CommandLoad(client);
    await load.more(30);
    await (await leaderOf(processes, PROJECTOR)).kill();
    await load.more(30);
    await (await leaderOf(processes, ORCHESTRATOR)).kill();
    await load.more(30);
    await load.stop();

    expect(load.refusals).toEqual([]);
    await expectUndisturbed(client, runs);
    await expectHealed(service);
  } finally {
    await Promise.all(processes.filter(({ alive }) => alive).map((each) => each.terminate()));
  }
});
