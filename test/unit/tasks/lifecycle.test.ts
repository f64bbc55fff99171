import fc from 'fast-check';

import { fold } from '../../../src/event-sourcing/core/decider.js';
import type { DomainEvent } from '../../../src/event-sourcing/core/event.js';
import { DomainError } from '../../../src/kernel/errors.js';
import { executionDecider } from '../../../src/tasks/domain/execution-decider.js';
import type { ExecutionEvent } from '../../../src/tasks/domain/execution-events.js';
import { outcomeOf } from '../../../src/tasks/domain/execution-state.js';
import { taskDecider } from '../../../src/tasks/domain/task-decider.js';
import type { TaskEvent } from '../../../src/tasks/domain/task-events.js';
import * as command from '../../support/builders/execution-commands.js';
import * as run from '../../support/builders/executions.js';
import { stranger } from '../../support/builders/people.js';
import { EXECUTION_STREAM, TASK_STREAM } from '../../support/builders/recorded.js';
import * as task from '../../support/builders/tasks.js';
import { Lifecycle } from '../../support/lifecycle.js';

const begun = { task: [task.taskCreated(), task.executionStarted()], run: [run.requested(), run.started()] };
const waiting = { task: begun.task, run: [run.requested()] };
const dead = {
  task: [...begun.task, task.executionFinished('failed')],
  run: [...begun.run, run.attemptLost(), run.deadLettered(1)],
};

async function lifecycle(histories: Parameters<Lifecycle['given']>[0]): Promise<Lifecycle> {
  const made = new Lifecycle();
  await made.given(histories);
  return made;
}
const newest = <Event>(events: readonly Event[]): Event | undefined => events.at(-1);

describe('a start', () => {
  test('copies what the execution needs, and makes the task running, in one append', async () => {
    const made = await lifecycle({
      task: [task.taskCreated(), task.taskUpdated(2, { priority: 9, script_type: 'bash', timeout_seconds: 7 })],
    });
    expect(await made.start()).toEqual({ result: undefined, position: 4n });
    const changes = { priority: 9, script_type: 'bash', timeout_seconds: 7, task_definition_version: 2 } as const;
    expect(await made.run()).toEqual([run.requested(changes)]);
    expect(newest(await made.task())).toEqual(task.executionStarted());
  });

  test('changes for this execution only what it overrides, and only as its runtime allows', async () => {
    const made = await lifecycle({ task: [task.taskCreated({ script_type: 'go' })] });
    const { limits } = task.aDefinition();
    const overrides = { priority: 0, retry: { max_attempts: 9 }, limits: { memory_mb: 64, cpu_time_seconds: 2 } };
    await expect(made.start(task.EXECUTION_ID, undefined, { limits: { memory_mb: 31 } })).rejects.toMatchObject({
      fields: [{ field: 'limits.memory_mb', message: 'must be at least 32 for go' }],
    });
    await made.start(task.EXECUTION_ID, undefined, overrides);
    expect(await made.run()).toEqual([
      run.requested({
        script_type: 'go',
        priority: 0,
        retry: { ...task.RETRY, max_attempts: 9 },
        limits: { ...limits, memory_mb: 64, cpu_time_seconds: 2 },
      }),
    ]);
    expect(await made.task()).toHaveLength(2);
  });

  test.each<[string, DomainEvent[], string]>([
    ['an unknown task', [], 'task_not_found'],
    ['a deleted task', [task.taskCreated(), task.taskDeleted], 'task_not_found'],
    ['a running task', [task.taskCreated(), task.executionStarted(task.OTHER_EXECUTION_ID)], 'task_running'],
  ])('of %s is refused, and changes nothing', async (_, history, code) => {
    const made = new Lifecycle();
    if (history.length > 0) await made.given({ task: history });
    await expect(made.start()).rejects.toMatchObject({ code });
    expect(await made.run()).toEqual([]);
  });

  test('by another user is refused', async () => {
    const made = await lifecycle({ task: [task.taskCreated()] });
    await expect(made.start(task.EXECUTION_ID, stranger)).rejects.toMatchObject({ code: 'access_denied' });
  });

  test('repeated changes nothing, during the execution and after it', async () => {
    const made = await lifecycle({ task: [task.taskCreated()] });
    await made.start();
    expect(await made.start()).toEqual({ result: undefined, position: null });
    await made.bus.execute(command.cancel());
    const before = await made.task();
    expect(await made.start()).toEqual({ result: undefined, position: null });
    expect(await made.task()).toEqual(before);
  });

  test('with only one allowed, the second one is refused', async () => {
    const made = await lifecycle({ task: [task.taskCreated()] });
    const starts = await Promise.allSettled([made.start(), made.start(task.OTHER_EXECUTION_ID)]);
    expect(starts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(starts.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'task_running' } });
  });
});

describe('an end', () => {
  test.each([
    ['success', begun, command.reportSuccess(), 'completed'],
    ['failure', begun, command.reportFailure('exit_code'), 'failed'],
    ['cancel of a pending execution', waiting, command.cancel(), 'cancelled'],
    ['external report', waiting, command.reportEnd('timeout'), 'timeout'],
  ] as const)('by %s is the task’s end as well, in one append', async (_, histories, ending, outcome) => {
    const made = await lifecycle(histories);
    const appends = made.store.log.length;
    let calls = 0;
    made.store.before = (call) => void (calls += call === 'append' ? 1 : 0);
    await made.bus.execute(ending);
    expect(calls).toBe(1);
    expect(made.store.log.length).toBeGreaterThan(appends + 1);
    expect(newest(await made.task())).toEqual(task.executionFinished(outcome));
  });

  test('that is not final leaves the task unchanged', async () => {
    const made = await lifecycle(begun);
    await made.bus.execute(command.lose());
    expect(newest(await made.run())).toMatchObject({ type: 'ExecutionRetryScheduled' });
    expect(await made.task()).toEqual(begun.task);
  });

  test('returns the resulting state', async () => {
    const made = await lifecycle(begun);
    expect(await made.bus.execute(command.reportSuccess())).toMatchObject({
      result: { status: 'ended', outcome: 'completed' },
      position: 6n,
    });
  });

  test('comes after the task’s event in the log', async () => {
    const made = await lifecycle(begun);
    await made.bus.execute(command.reportSuccess());
    const [ofTask, ofRun] = await Promise.all([
      made.store.readStream(TASK_STREAM),
      made.store.readStream(EXECUTION_STREAM),
    ]);
    expect([newest(ofTask)?.position, newest(ofRun)?.position]).toEqual([5n, 6n]);
  });

  test('frees the task for the next start at once', async () => {
    const made = await lifecycle(begun);
    await made.bus.execute(command.reportSuccess());
    await made.start(task.OTHER_EXECUTION_ID);
    expect(newest(await made.task())).toEqual(task.executionStarted(task.OTHER_EXECUTION_ID));
  });
});

describe('a redrive', () => {
  test('makes the task running again, in one append', async () => {
    const made = await lifecycle(dead);
    await made.bus.execute(command.redrive());
    expect(newest(await made.run())).toEqual(run.redriven(2));
    expect(newest(await made.task())).toEqual(task.executionStarted());
  });

  test.each<[string, DomainEvent, string]>([
    ['is at max_parallel', task.executionStarted(task.OTHER_EXECUTION_ID), 'task_running'],
    ['was deleted', task.taskDeleted, 'task_deleted'],
  ])('is refused if the task %s', async (_, last, code) => {
    const made = await lifecycle({ ...dead, task: [...dead.task, last] });
    await expect(made.bus.execute(command.redrive())).rejects.toMatchObject({ code });
    expect(await made.run()).toEqual(dead.run);
  });

  test('is refused after a discard: the task has recorded the end', async () => {
    const made = await lifecycle(dead);
    await made.bus.execute(command.discard());
    expect(newest(await made.run())).toEqual(run.discarded);
    expect(await made.task()).toEqual(dead.task);
  });
});

test('a cancel races the result: one wins by version, and the other is refused', async () => {
  const made = await lifecycle(begun);
  let raced = false;
  made.store.before = async (call) => {
    if (call !== 'append' || raced) return;
    raced = true;
    await made.bus.execute(command.reportSuccess());
  };
  await expect(made.bus.execute(command.cancel())).rejects.toMatchObject({ code: 'execution_ended' });
  expect(newest(await made.run())).toEqual(run.succeeded());
});

test('after any commands, the task’s active executions are exactly those not ended', async () => {
  const any = fc.constantFrom(
    ...[1, 2, 3, 4].flatMap((attempt) => [
      command.startAttempt(attempt),
      command.reportSuccess(command.leaseOf(attempt)),
      command.reportFailure('infrastructure', { lease: command.leaseOf(attempt) }),
      command.reportFailure('exit_code', { lease: command.leaseOf(attempt) }),
      command.release(command.leaseOf(attempt)),
      command.lose(attempt),
      command.expire(attempt),
    ]),
    ...[command.cancel(), command.redrive(), command.discard(), command.reportRunning(), command.reportEnd('failed')],
  );
  await fc.assert(
    fc.asyncProperty(fc.array(any, { maxLength: 40, size: 'max' }), async (commands) => {
      const made = await lifecycle({ task: [task.taskCreated()] });
      await made.start();
      for (const each of commands) {
        await made.bus.execute(each).catch((error: unknown) => {
          if (!(error instanceof DomainError)) throw error;
        });
      }
      const state = fold(executionDecider, executionDecider.initialState, (await made.run()) as ExecutionEvent[]);
      const of = fold(taskDecider, taskDecider.initialState, (await made.task()) as TaskEvent[]);
      expect(of).toMatchObject({ active: outcomeOf(state) === null ? [EXECUTION_STREAM.id] : [] });
    }),
    { numRuns: 200 },
  );
});
