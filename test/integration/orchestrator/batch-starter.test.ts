import type { CommandBus, ICommand } from '@nestjs/cqrs';

import { newId } from '../../../src/kernel/uuid.js';
import { fold } from '../../../src/event-sourcing/core/decider.js';
import { eventsAs } from '../../../src/event-sourcing/core/event.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { type ActiveBatch, foldActiveBatch } from '../../../src/orchestrator/active-batch.js';
import { ActiveBatchesTable } from '../../../src/orchestrator/active-batches-table.js';
import { BatchStarter } from '../../../src/orchestrator/batch-starter.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { CancelBatch, CreateRerunBatch } from '../../../src/tasks/domain/batch-commands.js';
import { batchDecider } from '../../../src/tasks/domain/batch-decider.js';
import { BatchCancellationRequested, type BatchEvent } from '../../../src/tasks/domain/batch-events.js';
import { batchStream } from '../../../src/tasks/domain/batch-state.js';
import { GetBatch, GetBatchHandler } from '../../../src/tasks/queries/batch-queries.js';
import { CurrentStatuses } from '../../../src/tasks/queries/current-statuses.js';
import { PayloadDestruction } from '../../../src/platform/payloads/payload-destruction.js';
import { ApiClient, type Execution, ok, withId } from '../../support/api-client.js';
import { startTestService, type TestService } from '../../support/service.js';

let service: TestService;
let ada: ApiClient;
/** Rounds are this far apart: no batch rests any more. */
const ROUND_MS = 5_000;
let now = Date.now();

// Without an orchestrator: each test has its own starters.
beforeAll(async () => {
  service = await startTestService({ VOIDRUNNER_ROLES: 'api,relay,projector' });
});
beforeEach(async () => {
  ada = await ApiClient.register(() => service.url);
});
afterAll(() => service.close());

const infra = () => service.processes[0]!.infra;
const statuses = () => new CurrentStatuses(infra().pool, infra().store);
const metadata = { actor: 'system:test', correlation_id: 'test' } as const;

/** The orchestrator's table as it will be: from the log. */
class Table extends ActiveBatchesTable {
  constructor(private readonly batchId: string) {
    super(infra().pool);
  }

  override async page(afterId: string | null): Promise<readonly ActiveBatch[]> {
    if (afterId !== null) return [];
    const events = eventsAs<BatchEvent>(await infra().store.readStream(batchStream(this.batchId)));
    const row = fold({ evolve: foldActiveBatch as never }, null as ActiveBatch | null, events as never[]);
    return row === null ? [] : [row];
  }
}

function starterOf(batchId: string, commands: Pick<CommandBus, 'execute'> = service.processes[0]!.commands!) {
  const { store } = infra();
  const outcomes: string[] = [];
  const starter = new BatchStarter({
    ...{ batches: new Table(batchId), statuses: statuses(), store, commands, log: silentLog },
    onItem: (outcome) => outcomes.push(outcome),
  });
  const round = () => starter.round(new AbortController().signal, (now += ROUND_MS));
  /** Until there is nothing left to do. */
  const drain = async (): Promise<void> => {
    for (let rounds = 0; await round(); rounds += 1) if (rounds > 50) throw new Error('the batch is never over');
  };
  return { outcomes, round, drain };
}

/** Does what the bus does, and then no longer responds: the process was killed after its n-th start. */
function killedAfter(starts: number): Pick<CommandBus, 'execute'> {
  let left = starts;
  return {
    execute: async (command: ICommand) => {
      if (left === 0) throw new Unavailable('test', 'the process is gone');
      const decided: unknown = await service.processes[0]!.commands!.execute(command);
      left -= 1;
      if (left === 0) throw new Unavailable('test', 'the process was killed');
      return decided;
    },
  } as Pick<CommandBus, 'execute'>;
}

const task = (fields: object = {}) => ada.createTask({ script_type: 'bash', script_content: 'true', ...fields });
const report = (id: string) => ada.ok<Execution>('PUT', `/executions/${id}`, { status: 'completed', return_code: 0 });

async function ended(taskId: string, input: object = {}): Promise<string> {
  const { id } = await ada.start(taskId, { executor: 'external', input });
  return (await report(id)).id;
}

async function sourcesOfOneTask(count: number): Promise<string[]> {
  const { id } = await task();
  const sources: string[] = [];
  for (let no = 0; no < count; no += 1) sources.push(await ended(id));
  return sources;
}

async function create(sources: readonly string[]): Promise<string> {
  const batchId = newId();
  const settings = { definition: 'recorded', overrides: {} } as const;
  const command = new CreateRerunBatch(batchId, ada.user.id, sources, settings, metadata);
  await service.processes[0]!.commands!.execute(command);
  return batchId;
}

async function itemsOf(batchId: string) {
  const query = new GetBatch(batchId, 'system');
  return (await new GetBatchHandler(infra().store, statuses()).execute(query)).items;
}
const shown = async (batchId: string) => (await itemsOf(batchId)).map(({ status, code }) => code ?? status);
const typesOf = async (batchId: string) =>
  (await infra().store.readStream(batchStream(batchId))).map(({ type }) => type);
const active = async (batchId: string) =>
  (await itemsOf(batchId)).find(({ status }) => status === 'pending' || status === 'running');

/** How often each execution was repeated. */
async function repeatsOf(sources: readonly string[]): Promise<number[]> {
  const { rows } = await service.database.ownerPool.query<{ source: string; count: number }>(
    `select data ->> 'rerun_of' as source, count(*)::int as count from es.events
     where type = 'ExecutionRequested' and data ->> 'rerun_of' = any($1) group by 1`,
    [sources],
  );
  return sources.map((source) => rows.find((row) => row.source === source)?.count ?? 0);
}

test('a task that allows one execution at a time gets one item after another', async () => {
  const sources = await sourcesOfOneTask(5);
  const batchId = await create(sources);
  const { round, outcomes } = starterOf(batchId);
  for (const index of sources.keys()) {
    await round();
    await round();
    const expected = sources.map((_, at) => (at < index ? 'completed' : at === index ? 'pending' : 'waiting'));
    expect(await shown(batchId)).toEqual(expected);
    await report((await active(batchId))!.executionId);
  }
  expect(await round()).toBe(false);
  expect(await repeatsOf(sources)).toEqual([1, 1, 1, 1, 1]);
  expect(await typesOf(batchId)).toEqual(['RerunBatchCreated', 'BatchStartsCompleted']);
  expect(outcomes).toEqual(sources.map(() => 'started'));
});

test('a starter that is killed between two starts, and the next one, start each item once', async () => {
  const sources = [];
  for (let no = 0; no < 7; no += 1) sources.push(await ended((await task()).id));
  const batchId = await create(sources);
  for (const starts of [1, 2, 1]) {
    const killed = starterOf(batchId, killedAfter(starts));
    await expect(killed.round()).rejects.toThrow(Unavailable);
  }
  expect((await shown(batchId)).filter((status) => status === 'pending').length).toBeGreaterThanOrEqual(3);
  await starterOf(batchId).drain();
  expect(await shown(batchId)).toEqual(sources.map(() => 'pending'));
  expect(await repeatsOf(sources)).toEqual(sources.map(() => 1));
  expect(await typesOf(batchId)).toEqual(['RerunBatchCreated', 'BatchStartsCompleted']);
});

test('two starters at once start each item once, and record one end', async () => {
  const sources = [];
  for (let no = 0; no < 8; no += 1) sources.push(await ended((await task()).id, { args: ['x'] }));
  const batchId = await create(sources);
  await Promise.all([1, 2, 3].map(() => starterOf(batchId).drain()));
  expect(await shown(batchId)).toEqual(sources.map(() => 'pending'));
  expect(await repeatsOf(sources)).toEqual(sources.map(() => 1));
  expect(await typesOf(batchId)).toEqual(['RerunBatchCreated', 'BatchStartsCompleted']);
});

test('permanent refusals are recorded with their codes, also if they were recorded before a crash', async () => {
  const [fine, deleted, erased] = [await task(), await task(), await task()];
  const withInput = await ended(erased.id, { args: ['x'] });
  const sources = [await ended(fine.id), await ended(deleted.id), withInput, newId()];
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(deleted.id)));
  const { rows } = await service.database.ownerPool.query<{ id: string }>(
    `select data -> 'input' ->> 'payload_id' as id from es.events where stream_id = $1 and version = 1`,
    [withInput],
  );
  await new PayloadDestruction(infra().pool).destroy([rows[0]!.id]);
  const batchId = await create(sources);
  // After the start and the record of the refusals.
  await expect(starterOf(batchId, killedAfter(2)).round()).rejects.toThrow(Unavailable);
  const refused = ['task_not_found', 'input_erased', 'execution_not_found'];
  expect(await shown(batchId)).toEqual(['pending', ...refused]);
  const { round, outcomes } = starterOf(batchId);
  await round();
  expect(await shown(batchId)).toEqual(['pending', ...refused]);
  expect(await typesOf(batchId)).toEqual(['RerunBatchCreated', 'BatchItemsRefused', 'BatchStartsCompleted']);
  expect(outcomes).toEqual([]);
});

test('an erased account starts nothing that has content', async () => {
  const sources = [await ended((await task()).id, { args: ['x'] })];
  const batchId = await create(sources);
  await infra().payloads.destroyKey(ada.user.id);
  await starterOf(batchId).round();
  expect(await shown(batchId)).toEqual(['input_erased']);
});

test('a cancelled batch starts nothing more, and what a late starter has started is cancelled', async () => {
  const sources = await sourcesOfOneTask(3);
  const batchId = await create(sources);
  const { commands } = service.processes[0]!;
  let isCancelled = false;
  const late = starterOf(batchId, {
    execute: async (command: ICommand) => {
      // The cancellation comes between the look at the batch and the start.
      if (!isCancelled) await commands!.execute(new CancelBatch(batchId, 'system', metadata));
      isCancelled = true;
      return await commands!.execute(command);
    },
  } as Pick<CommandBus, 'execute'>);
  await late.round();
  expect(await shown(batchId)).toEqual(['pending', 'cancelled', 'cancelled']);
  const { round, drain } = starterOf(batchId);
  await round();
  expect(await shown(batchId)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  await drain();
  expect((await typesOf(batchId)).at(-1)).toBe('BatchCancelled');
  expect(await repeatsOf(sources)).toEqual([1, 0, 0]);
});

test('the cancellation of new tasks is completed if the request was interrupted', async () => {
  const body = { items: Array.from({ length: 3 }, () => ({ name: 'x', script_type: 'bash', script_content: 'true' })) };
  const { id } = await ada.ok<{ id: string }>('POST', '/batches', body);
  await infra().decisions.run(metadata, async (streams) => {
    (await streams.load(batchStream(id), batchDecider)).record([BatchCancellationRequested({})]);
  });
  expect(await shown(id)).toEqual(['pending', 'pending', 'pending']);
  await starterOf(id).drain();
  expect(await shown(id)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  expect(await typesOf(id)).toEqual(['BatchCreated', 'BatchCancellationRequested', 'BatchCancelled']);
});
