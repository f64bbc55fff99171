import type { ICommand } from '@nestjs/cqrs';

import { EventCatalog } from '../../../src/event-sourcing/core/event-catalog.js';
import { newId } from '../../../src/kernel/uuid.js';
import { DomainError, Unavailable } from '../../../src/kernel/errors.js';
import type { ActiveBatch } from '../../../src/orchestrator/active-batch.js';
import { type ActiveBatches, BatchStarter } from '../../../src/orchestrator/batch-starter.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import {
  CompleteBatchCancellation,
  CompleteBatchStarts,
  RefuseBatchItems,
} from '../../../src/tasks/domain/batch-commands.js';
import {
  BatchCancellationRequested,
  type BatchEvent,
  batchEvents,
  RerunBatchCreated,
} from '../../../src/tasks/domain/batch-events.js';
import { batchStream } from '../../../src/tasks/domain/batch-state.js';
import { CancelExecution, RerunExecution } from '../../../src/tasks/domain/execution-commands.js';
import type { Status } from '../../../src/tasks/domain/execution-shape.js';
import { OWNER_ID } from '../../support/builders/people.js';
import { StagedEventStore } from '../../support/staged-event-store.js';

const AT = Date.parse('2026-01-01T00:00:00Z');
const sources = (count: number): string[] => Array.from({ length: count }, newId);

/** A starter whose commands answer as the test says; what it starts exists from then on. */
class World {
  readonly store = new StagedEventStore(new EventCatalog(Object.values(batchEvents)));
  readonly rows: ActiveBatch[] = [];
  readonly statuses = new Map<string, Status>();
  readonly sent: ICommand[] = [];
  readonly outcomes: string[] = [];
  /** By the id of the source; default: none is busy, and each has its own task. */
  taskOf = (sourceId: string): string => sourceId;
  answer: (command: RerunExecution) => void = () => undefined;
  now = AT;

  readonly starter = new BatchStarter({
    batches: this.table(),
    statuses: {
      of: async (ids) => new Map(ids.flatMap((id) => (this.statuses.has(id) ? [[id, this.statuses.get(id)!]] : []))),
    },
    store: this.store,
    commands: { execute: ((command: ICommand) => this.execute(command)) as never },
    log: silentLog,
    onItem: (outcome) => this.outcomes.push(outcome),
  });

  async add(sourceIds: string[], owner_id = OWNER_ID): Promise<string> {
    const batch_id = newId();
    const settings = { definition: 'current', overrides: { priority: 7 } } as const;
    await this.record(batch_id, RerunBatchCreated({ batch_id, owner_id, ...settings, source_ids: sourceIds }));
    this.rows.push({ batch_id, status: 'starting', requested_at: new Date(AT), traceparent: null });
    return batch_id;
  }

  record(batchId: string, ...events: BatchEvent[]): Promise<unknown> {
    return this.store.add(batchStream(batchId), ...events);
  }

  round(afterMs = 200, signal = new AbortController().signal): Promise<boolean> {
    this.now += afterMs;
    return this.starter.round(signal, this.now);
  }

  of<Command>(type: abstract new (...args: never[]) => Command): Command[] {
    return this.sent.filter((command): command is Command & ICommand => command instanceof type);
  }

  started(): string[] {
    return this.of(RerunExecution).map(({ sourceId }) => sourceId);
  }

  private async execute(command: ICommand): Promise<void> {
    this.sent.push(command);
    if (command instanceof RerunExecution) {
      this.answer(command);
      this.statuses.set(command.executionId, 'pending');
    }
    if (command instanceof RefuseBatchItems) {
      await this.record(command.batchId, batchEvents.BatchItemsRefused({ items: [...command.items] }));
    }
    if (command instanceof CompleteBatchStarts || command instanceof CompleteBatchCancellation) {
      this.rows.splice(
        this.rows.findIndex(({ batch_id }) => batch_id === command.batchId),
        1,
      );
    }
  }

  private table(): ActiveBatches {
    return {
      page: async (afterId, limit) =>
        this.rows.filter(({ batch_id }) => !afterId || batch_id > afterId).slice(0, limit),
      tasksOf: async (ids) => new Map(ids.map((id) => [id, this.taskOf(id)])),
    };
  }
}

const busy = () => new DomainError('task_running', 'Task is already running');

test('a user gets two starts per round, oldest batch first, and another user as well', async () => {
  const world = new World();
  const [ones, others, foreign] = [sources(3), sources(2), sources(3)] as [string[], string[], string[]];
  await world.add(ones);
  await world.add(others);
  await world.add(foreign, '018f0000-0000-7000-8000-0000000000ff');
  expect(await world.round()).toBe(true);
  expect(world.started()).toEqual([ones[0], ones[1], foreign[0], foreign[1]]);
  await world.round();
  expect(world.started().slice(4)).toEqual([ones[2], others[0], foreign[2]]);
  expect(world.of(CompleteBatchStarts)).toHaveLength(2);
  const [first] = world.of(RerunExecution);
  expect(first).toMatchObject({
    ...{ requester: { userId: OWNER_ID, isAdmin: false }, definition: 'current', overrides: { priority: 7 } },
    metadata: { actor: 'system:test', correlation_id: first!.executionId, causation_id: expect.any(String) },
  });
});

test('a busy task holds up its own items only, and a batch of busy tasks rests longer and longer', async () => {
  const world = new World();
  const [a0, a1, b0] = sources(3) as [string, string, string];
  world.taskOf = (id) => (id === b0 ? 'b' : 'a');
  world.answer = ({ sourceId }) => {
    if (sourceId !== b0) throw busy();
  };
  await world.add([a0, a1, b0]);
  await world.round();
  expect(world.started()).toEqual([a0, b0]);
  const attempts: number[] = [];
  for (let no = 0; no < 60; no += 1) {
    const before = world.started().length;
    await world.round(100);
    if (world.started().length > before) attempts.push(no);
  }
  expect(new Set(world.started().slice(2))).toEqual(new Set([a0]));
  const gaps = attempts.slice(1).map((at, index) => at - attempts[index]!);
  expect(gaps).toEqual(gaps.toSorted((one, other) => one - other));
  expect(gaps.at(-1)).toBe(20);
});

test('a round sends a limited number of commands, and the next one goes on behind it', async () => {
  const world = new World();
  const batches = [];
  for (let no = 0; no < 4; no += 1) batches.push(await world.add(sources(30), newId()));
  world.answer = () => {
    throw busy();
  };
  await world.round();
  expect(world.sent).toHaveLength(40);
  await world.round();
  expect(world.sent).toHaveLength(80);
  expect(new Set(world.of(RerunExecution).map(({ requester }) => JSON.stringify(requester))).size).toBe(4);
});

test('refusals are recorded together; a quota only delays', async () => {
  const world = new World();
  const [gone, lost, last] = sources(3) as [string, string, string];
  let isFull = true;
  world.answer = ({ sourceId }) => {
    if (sourceId !== last) throw new DomainError('task_not_found', 'Task not found', 'not_found');
    if (isFull) throw new DomainError('quota_exceeded', 'Storage quota exceeded', 'too_many');
  };
  const batchId = await world.add([gone, lost, last]);
  await world.round();
  const items = [0, 1].map((index) => ({ index, code: 'task_not_found' }));
  expect(world.of(RefuseBatchItems)).toMatchObject([{ batchId, items }]);
  expect(world.outcomes).toEqual(['refused', 'refused']);
  await world.round(9_000);
  expect(world.started()).toHaveLength(3);
  isFull = false;
  await world.round(2_000);
  expect(world.started().at(-1)).toBe(last);
  expect(world.of(CompleteBatchStarts)).toHaveLength(1);
});

test('an outage ends the round, and the item is tried again', async () => {
  const world = new World();
  const ids = sources(2);
  let isDown = true;
  world.answer = ({ sourceId }) => {
    if (sourceId === ids[1] && isDown) throw new Unavailable('test', 'down');
  };
  await world.add(ids);
  await expect(world.round()).rejects.toThrow(Unavailable);
  isDown = false;
  // The batches behind it come first.
  await world.round();
  await world.round();
  expect(world.started()).toEqual([ids[0], ids[1], ids[1]]);
});

test('a refusal that could not be recorded is recorded in the next round', async () => {
  const world = new World();
  const ids = sources(2);
  world.answer = ({ sourceId }) => {
    if (sourceId === ids[0]) throw new DomainError('input_erased', 'erased');
    throw new Unavailable('test', 'down');
  };
  await world.add(ids);
  await expect(world.round()).rejects.toThrow(Unavailable);
  expect(world.of(RefuseBatchItems)).toEqual([]);
  world.answer = () => undefined;
  await world.round();
  await world.round();
  expect(world.of(RefuseBatchItems)).toMatchObject([{ items: [{ index: 0, code: 'input_erased' }] }]);
  expect(world.started().slice(2)).toEqual([ids[1]]);
});

test('an item that fails by a bug is refused after five attempts, and others go on', async () => {
  const world = new World();
  const [bad, good] = sources(2) as [string, string];
  world.answer = ({ sourceId }) => {
    if (sourceId === bad) throw new Error('a bug');
  };
  await world.add([bad, good]);
  for (let no = 0; no < 8; no += 1) await world.round(5_000);
  expect(world.started().filter((id) => id === bad)).toHaveLength(5);
  expect(world.of(RefuseBatchItems)).toMatchObject([{ items: [{ index: 0, code: 'internal_error' }] }]);
  expect(world.started()).toContain(good);
});

test('a batch that cannot be read does not stop the others', async () => {
  const world = new World();
  world.rows.push({ batch_id: newId(), status: 'starting', requested_at: new Date(AT), traceparent: null });
  const ids = sources(1);
  await world.add(ids);
  await world.round();
  expect(world.started()).toEqual(ids);
});

test('a stop ends between two starts', async () => {
  const world = new World();
  await world.add(sources(2));
  const stopping = new AbortController();
  world.answer = () => stopping.abort();
  await world.round(200, stopping.signal);
  expect(world.started()).toHaveLength(1);
  expect(world.of(CompleteBatchStarts)).toEqual([]);
});

test('a cancellation is seen at once, cancels what runs once, and is complete when late starts have ended', async () => {
  const world = new World();
  const ids = sources(4);
  const batchId = await world.add(ids);
  await world.round();
  await world.record(batchId, BatchCancellationRequested({}));
  // The table still says that it is starting.
  await world.round();
  expect(world.started()).toHaveLength(2);
  const running = world.of(RerunExecution).map(({ executionId }) => executionId);
  expect(world.of(CancelExecution).map(({ executionId }) => executionId)).toEqual(running);
  world.rows[0] = { ...world.rows[0]!, status: 'cancelling' };
  await world.round(5_000);
  expect([world.of(CancelExecution).length, world.of(CompleteBatchCancellation).length]).toEqual([2, 0]);
  await world.round(6_000);
  expect([world.of(CancelExecution).length, world.of(CompleteBatchCancellation).length]).toEqual([2, 1]);
});

test('a process that leads again knows nothing from before', async () => {
  const world = new World();
  const ids = sources(3);
  await world.add(ids);
  await world.round();
  world.starter.forget();
  await world.round();
  expect(world.started()).toEqual(ids);
});
