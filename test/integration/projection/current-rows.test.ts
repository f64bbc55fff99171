import fc from 'fast-check';

import { createEventCatalog } from '../../../src/composition/event-catalog.js';
import type { DomainEvent, NewEvent, RecordedEvent, StreamRef } from '../../../src/event-sourcing/core/event.js';
import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { ProjectionTable } from '../../../src/event-sourcing/projection/projection-table.js';
import { DomainError } from '../../../src/kernel/errors.js';
import type { JsonObject } from '../../../src/kernel/json.js';
import { newId } from '../../../src/kernel/uuid.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import type { TaskCommand } from '../../../src/tasks/domain/task-commands.js';
import { taskDecider, type TaskState } from '../../../src/tasks/domain/task-decider.js';
import type { TaskEvent } from '../../../src/tasks/domain/task-events.js';
import { currentExecutions } from '../../../src/tasks/queries/current-executions.js';
import { executionProjection } from '../../../src/tasks/queries/execution-projection.js';
import { taskProjection } from '../../../src/tasks/queries/task-projection.js';
import { GetTask, GetTaskHandler } from '../../../src/tasks/queries/task-queries.js';
import * as command from '../../support/builders/execution-commands.js';
import { metadata, owner, stranger } from '../../support/builders/people.js';
import { RandomExecution, spec, step } from '../../support/builders/random-executions.js';
import * as task from '../../support/builders/tasks.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

/** Each reads a row a dozen times. */
const HISTORIES = 40;

const catalog = createEventCatalog();
let database: TestDatabase;
let store: PostgresEventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = new PostgresEventStore({ postgres: database.app, pool: database.appPool, catalog, log: silentLog });
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

const newEvent = ({ type, data }: DomainEvent, schemaVersion?: number): NewEvent => ({
  eventId: newId(),
  type,
  schemaVersion: schemaVersion ?? catalog.schemaVersionOf({ type, data }),
  data: data as JsonObject,
});

async function append(stream: StreamRef, events: readonly NewEvent[], expectedVersion = 0): Promise<void> {
  if (events.length > 0) await store.append([{ stream, expectedVersion, events }], metadata);
}

const executions = () => currentExecutions(database.appPool, store);
const tasks = () => {
  const handler = new GetTaskHandler(database.appPool, store);
  return {
    find: (id: string, requester = owner) =>
      handler.execute(new GetTask(id, requester)).catch((error: unknown) => {
        if (error instanceof DomainError && error.code === 'task_not_found') return null;
        throw error;
      }),
  };
};

const viewOf = { task: new ProjectionTable(taskProjection), execution: new ProjectionTable(executionProjection) };

/** Applies one event to the view, as the projector does. */
const project = (event: RecordedEvent): Promise<number> =>
  viewOf[event.stream.type as 'task' | 'execution'].apply(database.ownerPool as never, [event]);

/** Times are dates in the view and ISO 8601 in events; clients see the same. */
const plain = (row: unknown): unknown => JSON.parse(JSON.stringify(row));

/** The result with the view at every position behind the log, from empty to the head. */
async function answersAsTheViewFollows(stream: StreamRef, find: (id: string) => Promise<unknown>): Promise<unknown[]> {
  const answers = [plain(await find(stream.id))];
  for (const event of await store.readStream(stream)) {
    await project(event);
    answers.push(plain(await find(stream.id)));
  }
  return answers;
}

const everyTime = (answers: readonly unknown[]): unknown[] => answers.map(() => answers.at(-1));

describe('however far the view lags, the result equals that of an up-to-date view', () => {
  it('for executions in any reachable state', async () => {
    const histories = fc.tuple(spec, fc.array(step, { maxLength: 15 }));
    await fc.assert(
      fc.asyncProperty(histories, async ([changes, steps]) => {
        const id = newId();
        const run = new RandomExecution();
        run.take(command.request({ ...changes, execution_id: id }));
        for (const next of steps) run.take(next(run.attempt));
        const stream = { type: 'execution', id } as const;
        await append(
          stream,
          run.history.map((event) => newEvent(event)),
        );
        const answers = await answersAsTheViewFollows(stream, (wanted) => executions().find(wanted));
        expect(answers.at(-1)).toMatchObject({ id, version: run.history.length });
        expect(answers).toEqual(everyTime(answers));
      }),
      { numRuns: HISTORIES },
    );
  });

  it('for tasks, also deleted ones', async () => {
    const runId = fc.constantFrom(task.EXECUTION_ID, task.OTHER_EXECUTION_ID);
    const taken: fc.Arbitrary<TaskCommand> = fc.oneof(
      fc.string({ maxLength: 5, unit: 'grapheme-ascii' }).map((name) => task.updateTask({ name })),
      { weight: 2, arbitrary: runId.map((id) => task.beginExecution(id)) },
      { weight: 2, arbitrary: runId.map((id) => task.finishExecution('failed', id)) },
      runId.map((id) => task.finishExecution('cancelled', id)),
      fc.constant(task.deleteTask()),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(taken, { maxLength: 15 }), async (commands) => {
        const id = newId();
        const history = taskHistory(id, commands);
        const stream = { type: 'task', id } as const;
        await append(
          stream,
          history.map((event) => newEvent(event)),
        );
        const answers = await answersAsTheViewFollows(stream, (wanted) => tasks().find(wanted));
        expect(answers).toEqual(everyTime(answers));
        expect(answers.at(-1) === null).toBe(history.at(-1)!.type === 'TaskDeleted');
      }),
      { numRuns: HISTORIES },
    );
  });
});

function taskHistory(id: string, commands: readonly TaskCommand[]): TaskEvent[] {
  const created = task.taskCreated({ max_parallel: 2 });
  const history: TaskEvent[] = [{ ...created, data: { ...created.data, task_id: id } }];
  let state: TaskState = taskDecider.evolve(taskDecider.initialState, history[0]!);
  for (const next of commands) {
    for (const event of decided(next, state)) {
      history.push(event);
      state = taskDecider.evolve(state, event);
    }
  }
  return history;
}

function decided(next: TaskCommand, state: TaskState): readonly TaskEvent[] {
  try {
    return taskDecider.decide(next, state);
  } catch (error) {
    if (error instanceof DomainError) return [];
    throw error;
  }
}

describe('the log is read only if the view lags', () => {
  const reads: StreamRef[] = [];
  const counting = () =>
    currentExecutions(database.appPool, {
      readStream: (stream, options) => {
        reads.push(stream);
        return store.readStream(stream, options);
      },
    });

  it('not for a current row, an unknown id or a deleted task', async () => {
    const id = newId();
    const stream = { type: 'execution', id } as const;
    await append(stream, [newEvent(requestedOf(id))]);
    const [current] = await answersAsTheViewFollows(stream, (wanted) => executions().find(wanted));
    expect(plain(await counting().find(id))).toEqual(current);
    expect(await counting().find(newId())).toBeNull();
    expect(reads).toEqual([]);

    const deleted = { type: 'task', id: newId() } as const;
    await append(
      deleted,
      taskHistory(deleted.id, [task.deleteTask()]).map((event) => newEvent(event)),
    );
    const unread = new GetTaskHandler(database.appPool, {
      readStream: () => Promise.reject(new Error('nothing to read')),
    } as never);
    await expect(unread.execute(new GetTask(deleted.id, owner))).rejects.toMatchObject({ code: 'task_not_found' });
  });

  it('many ids at once each get their own row', async () => {
    const ids = [newId(), newId(), newId()];
    for (const id of ids) await append({ type: 'execution', id }, [newEvent(requestedOf(id))]);
    const current = executions();
    const asked = [...ids, newId(), ids[0]!.toUpperCase()];
    const rows = await Promise.all(asked.map((id) => current.find(id)));
    expect(rows.map((row) => row?.id ?? null)).toEqual([...ids, null, ids[0]]);
  });
});

const requestedOf = (id: string) => {
  const run = new RandomExecution();
  run.take(command.request({ execution_id: id }));
  return run.history[0]!;
};

describe('objects that do not exist, or belong to another user', () => {
  it('have the same result from the log as from the view', async () => {
    const id = newId();
    await append(
      { type: 'task', id },
      taskHistory(id, []).map((event) => newEvent(event)),
    );
    await expect(tasks().find(id, stranger)).rejects.toMatchObject({ code: 'access_denied' });
    expect(await tasks().find(id)).toMatchObject({ id });
  });

  it('a stream of another type does not exist', async () => {
    const id = newId();
    await append({ type: 'execution', id }, [newEvent(requestedOf(id))]);
    expect(await tasks().find(id)).toBeNull();
  });
});

describe('with an event that cannot be read', () => {
  const UNREADABLE = newEvent({ type: 'TaskFrozen', data: {} }, 1);

  it('the object is shown as it was before that event', async () => {
    const id = newId();
    const stream = { type: 'task', id } as const;
    const history = taskHistory(id, [task.updateTask({ name: 'before' })]).map((event) => newEvent(event));
    const after = newEvent(task.taskUpdated(3, { name: 'after' }));
    await append(stream, [...history, { ...UNREADABLE, eventId: newId() }, after]);
    expect(await tasks().find(id)).toMatchObject({ name: 'before', version: 2 });
    for (const event of await store.readStream(stream, { limit: 2 })) await project(event);
    expect(await tasks().find(id)).toMatchObject({ name: 'before', version: 2 });
  });

  it('an object without a readable event is an error, not missing', async () => {
    const id = newId();
    await append({ type: 'task', id }, [{ ...UNREADABLE, eventId: newId() }]);
    await expect(tasks().find(id)).rejects.toThrow('cannot be read');
  });
});
