import { fold } from '../../../src/event-sourcing/core/decider.js';
import type { TaskCommand } from '../../../src/tasks/domain/task-commands.js';
import { taskDecider, type TaskState } from '../../../src/tasks/domain/task-decider.js';
import { type TaskEvent, taskEvents } from '../../../src/tasks/domain/task-events.js';
import { admin, stranger } from '../../support/builders/people.js';
import * as task from '../../support/builders/tasks.js';
import { given } from '../../support/given.js';

type Cell = readonly TaskEvent[] | string;

/** Every state of a task: a history that leads there. */
const STATES = {
  absent: [],
  idle: [task.taskCreated()],
  'changed before': [task.taskCreated(), task.taskUpdated(2, { priority: 1 })],
  'executed before': [task.taskCreated(), task.executionStarted(), task.executionFinished('failed')],
  running: [task.taskCreated(), task.executionStarted()],
  'running, below max_parallel': [task.taskCreated({ max_parallel: 2 }), task.executionStarted()],
  'running, at max_parallel': [
    task.taskCreated({ max_parallel: 2 }),
    task.executionStarted(),
    task.executionStarted('018f0000-0000-7000-8000-00000000000f'),
  ],
  deleted: [task.taskCreated(), task.taskDeleted],
} as const satisfies Record<string, readonly TaskEvent[]>;
type StateName = keyof typeof STATES;

const COMMANDS = {
  create: task.createTask(),
  update: task.updateTask({ name: 'renamed' }),
  'update to the same': task.updateTask({ name: 'a task', metadata: {} }),
  'update version 1': task.updateTask({ name: 'renamed' }, { version: 1 }),
  'update, as admin': task.updateTask({ name: 'renamed' }, { requester: admin }),
  'update, as another user': task.updateTask({ name: 'renamed' }, { requester: stranger }),
  delete: task.deleteTask(),
  'delete, as admin': task.deleteTask(admin),
  'delete, as another user': task.deleteTask(stranger),
  'begin the execution': task.beginExecution(),
  'begin another execution': task.beginExecution(task.OTHER_EXECUTION_ID),
  'begin, as another user': task.beginExecution(task.OTHER_EXECUTION_ID, stranger),
  'resume the execution': task.resumeExecution(),
  'resume another execution': task.resumeExecution(task.OTHER_EXECUTION_ID),
  'finish the execution': task.finishExecution(),
  'finish another execution': task.finishExecution('completed', task.OTHER_EXECUTION_ID),
} as const satisfies Record<string, TaskCommand>;
type CommandName = keyof typeof COMMANDS;
type Row = Readonly<Record<CommandName, Cell>>;

const NOTHING: Cell = [];

const FORBIDDEN = {
  'update, as another user': 'access_denied',
  'delete, as another user': 'access_denied',
  'begin, as another user': 'access_denied',
} as const;

const idleAt = (version: number): Row => {
  const renamed = [task.taskUpdated(version + 1, { name: 'renamed' })];
  return {
    ...FORBIDDEN,
    create: NOTHING,
    update: renamed,
    'update to the same': NOTHING,
    'update version 1': version === 1 ? renamed : 'precondition_failed',
    'update, as admin': renamed,
    delete: [task.taskDeleted],
    'delete, as admin': [task.taskDeleted],
    'begin the execution': [task.executionStarted()],
    'begin another execution': [task.executionStarted(task.OTHER_EXECUTION_ID)],
    'resume the execution': [task.executionStarted()],
    'resume another execution': [task.executionStarted(task.OTHER_EXECUTION_ID)],
    'finish the execution': NOTHING,
    'finish another execution': NOTHING,
  };
};

const running = (another: Cell): Row => ({
  ...FORBIDDEN,
  create: NOTHING,
  update: 'task_running',
  'update to the same': 'task_running',
  'update version 1': 'task_running',
  'update, as admin': 'task_running',
  delete: 'task_running',
  'delete, as admin': 'task_running',
  'begin the execution': NOTHING,
  'begin another execution': another,
  'resume the execution': NOTHING,
  'resume another execution': another,
  'finish the execution': [task.executionFinished()],
  'finish another execution': NOTHING,
});

const gone = (resumed: string): Row => ({
  create: NOTHING,
  update: 'task_not_found',
  'update to the same': 'task_not_found',
  'update version 1': 'task_not_found',
  'update, as admin': 'task_not_found',
  'update, as another user': 'task_not_found',
  delete: 'task_not_found',
  'delete, as admin': 'task_not_found',
  'delete, as another user': 'task_not_found',
  'begin the execution': 'task_not_found',
  'begin another execution': 'task_not_found',
  'begin, as another user': 'task_not_found',
  'resume the execution': resumed,
  'resume another execution': resumed,
  'finish the execution': NOTHING,
  'finish another execution': NOTHING,
});

const CELLS: Readonly<Record<StateName, Row>> = {
  absent: { ...gone('task_deleted'), create: [task.taskCreated()] },
  idle: idleAt(1),
  'changed before': idleAt(2),
  'executed before': idleAt(1),
  running: running('task_running'),
  'running, below max_parallel': running([task.executionStarted(task.OTHER_EXECUTION_ID)]),
  'running, at max_parallel': running('task_running'),
  deleted: gone('task_deleted'),
};

const stateNames = Object.keys(STATES) as StateName[];
const commandNames = Object.keys(COMMANDS) as CommandName[];
const stateOf = (...events: TaskEvent[]): TaskState => fold(taskDecider, taskDecider.initialState, events);

describe.each(stateNames)('a task that is %s', (stateName) => {
  test.each(commandNames)('%s', (commandName) => {
    const decision = given(taskDecider, ...STATES[stateName]).when(COMMANDS[commandName]);
    const cell = CELLS[stateName][commandName];
    if (typeof cell === 'string') return decision.thenRefused(cell);
    const [first, ...others] = cell;
    return first === undefined ? decision.thenNothing() : decision.then(first, ...others);
  });
});

describe('the decision table', () => {
  test('has a cell for every state and command, and no other', () => {
    expect(Object.keys(CELLS).sort()).toEqual([...stateNames].sort());
    for (const row of Object.values(CELLS)) expect(Object.keys(row).sort()).toEqual([...commandNames].sort());
  });

  test('has every command and every state', () => {
    const commands: Record<TaskCommand['type'], true> = {
      CreateTask: true,
      UpdateTask: true,
      DeleteTask: true,
      BeginExecution: true,
      ResumeExecution: true,
      FinishExecution: true,
    };
    const states: Record<TaskState['status'], true> = { absent: true, live: true, deleted: true };
    const types = Object.values(COMMANDS).map(({ type }) => type);
    const statuses = Object.values(STATES).map((history) => stateOf(...history).status);
    expect([...new Set(types)].sort()).toEqual(Object.keys(commands).sort());
    expect([...new Set(statuses)].sort()).toEqual(Object.keys(states).sort());
  });

  test('has every event as a result', () => {
    const cells = Object.values(CELLS).flatMap((row) => Object.values(row));
    const answers = cells.flatMap((cell) => (typeof cell === 'string' ? [] : cell.map(({ type }) => type)));
    expect([...new Set(answers)].sort()).toEqual(Object.keys(taskEvents).sort());
  });
});

describe('updates', () => {
  test('record the changed fields only', () => {
    given(taskDecider, task.taskCreated())
      .when(task.updateTask({ name: 'a task', priority: 9, retry: { ...task.RETRY, max_attempts: 1 } }))
      .then(task.taskUpdated(2, { priority: 9, retry: { ...task.RETRY, max_attempts: 1 } }));
  });

  test('are compared with the current definition', () => {
    given(taskDecider, task.taskCreated(), task.taskUpdated(2, { priority: 9 }))
      .when(task.updateTask({ priority: 5 }))
      .then(task.taskUpdated(3, { priority: 5 }));
  });
});

describe('limits below the language’s minimum', () => {
  const small = { memory_mb: 32, cpus: 1, pids: 16 };

  test('are refused at a change', () => {
    given(taskDecider, task.taskCreated({ script_type: 'go' }))
      .when(task.updateTask({ limits: { memory_mb: 63 } as never }))
      .thenRefused('validation_failed');
  });

  test('are refused if only the language changes, and accepted if they change with it', () => {
    const created = task.taskCreated({ limits: small });
    given(taskDecider, created)
      .when(task.updateTask({ script_type: 'go' }))
      .thenRefused('validation_failed');
    const enough = { ...small, memory_mb: 64, pids: 32 };
    given(taskDecider, created)
      .when(task.updateTask({ script_type: 'go', limits: enough }))
      .then(task.taskUpdated(2, { script_type: 'go', limits: enough }));
  });

  test('are reported with the minimum and the language', () => {
    const update = () =>
      taskDecider.decide(task.updateTask({ script_type: 'go' }), stateOf(task.taskCreated({ limits: small })));
    expect(update).toThrow(
      expect.objectContaining({
        fields: [
          { field: 'limits.memory_mb', value: '32', tag: 'min', message: 'must be at least 64 for go' },
          { field: 'limits.pids', value: '16', tag: 'min', message: 'must be at least 32 for go' },
        ],
      }),
    );
  });

  test('of a runtime that is no longer declared are not known', () => {
    given(taskDecider, task.taskCreated({ script_type: 'removed' }))
      .when(task.updateTask({ limits: small }))
      .then(task.taskUpdated(2, { limits: small }));
  });

  test('that are already stored do not prevent another change', () => {
    given(taskDecider, task.taskCreated({ script_type: 'go', limits: small }))
      .when(task.updateTask({ name: 'renamed' }))
      .then(task.taskUpdated(2, { name: 'renamed' }));
  });
});

describe('executions', () => {
  test('do not change the definition or its version', () => {
    const before = stateOf(task.taskCreated());
    const after = stateOf(task.taskCreated(), task.executionStarted(), task.executionFinished('failed'));
    expect(after).toEqual({ ...before, last_outcome: 'failed' });
  });

  test.each(['completed', 'failed', 'timeout', 'cancelled'] as const)('may finish as %s', (outcome) => {
    given(taskDecider, task.taskCreated(), task.executionStarted())
      .when(task.finishExecution(outcome))
      .then(task.executionFinished(outcome));
  });

  test('that outlive their task still finish', () => {
    // A running task is not deleted; should a history contain that nevertheless, its execution must not be stuck.
    given(taskDecider, task.taskCreated(), task.executionStarted(), task.taskDeleted)
      .when(task.finishExecution())
      .then(task.executionFinished());
  });
});

test('the state survives JSON, as a snapshot requires', () => {
  for (const history of Object.values(STATES)) {
    const state = stateOf(...history);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  }
});

test('an event of a task that was never created is a bug, not a refusal', () => {
  expect(() => taskDecider.evolve({ status: 'absent' }, task.taskDeleted)).toThrow('never created');
});
