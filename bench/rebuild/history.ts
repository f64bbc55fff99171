import { type EventMetadata, type StreamRef } from '../../src/event-sourcing/core/event.js';
import type { PostgresEventStore } from '../../src/event-sourcing/event-store/postgres-event-store.js';
import { newId } from '../../src/kernel/uuid.js';

type Step = { readonly stream: StreamRef; readonly type: string; readonly data: object };

/** Concurrent executions: their events are interleaved in the log. */
const RUNS_AT_A_TIME = 64;
const TASKS = 256;

const METADATA: EventMetadata = {
  actor: `user:${newId()}`,
  correlation_id: newId(),
  request_id: newId(),
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

const payload = (bytes: number) => ({ payload_id: newId(), bytes, sha256: 'a'.repeat(64) });
const output = (bytes: number) => ({ payload: payload(bytes), bytes_total: bytes, truncated: false });
const retry = {
  max_attempts: 3,
  initial_delay_ms: 1_000,
  backoff_factor: 2,
  max_delay_ms: 60_000,
  retry_on: ['exit_code'],
};
const limits = { memory_mb: 128, cpus: 0.5, pids: 64 };
const result = (return_code: number) => ({
  ...{ return_code, signal: null, stdout: output(900), stderr: output(40) },
  ...{ wall_time_ms: 812, cpu_time_ms: 640, memory_peak_bytes: 24_117_248 },
});

function taskCreated(id: string, owner_id: string): Step {
  const definition = {
    ...{ name: 'nightly report', description: 'sums up the day', script: payload(512), script_type: 'python' },
    ...{ priority: 5, timeout_seconds: 30, metadata: { team: 'data' }, max_parallel: 4, retry, limits },
  };
  return { stream: { type: 'task', id }, type: 'TaskCreated', data: { task_id: id, owner_id, definition } };
}

/** An execution with two or three attempts: about ten events on its own stream and its task's. */
function run(taskId: string, owner_id: string, attempts: number): Step[] {
  const execution_id = newId();
  const stream: StreamRef = { type: 'execution', id: execution_id };
  const task: StreamRef = { type: 'task', id: taskId };
  const steps: Step[] = [
    {
      stream,
      type: 'ExecutionRequested',
      data: {
        ...{ execution_id, task_id: taskId, owner_id, task_definition_version: 1, executor: 'embedded' },
        ...{
          script: payload(512),
          script_type: 'python',
          input: null,
          priority: 5,
          timeout_seconds: 30,
          retry,
          limits,
        },
      },
    },
    { stream: task, type: 'TaskExecutionStarted', data: { execution_id } },
  ];
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const worker = 'worker-1';
    steps.push({
      stream,
      type: 'ExecutionAttemptStarted',
      data: { attempt, worker, lease_token: newId(), queued_ms: 4 },
    });
    if (attempt === attempts) break;
    const failed = { attempt, reason: 'exit_code', detail: null, result: result(1) };
    steps.push({ stream, type: 'ExecutionAttemptFailed', data: failed });
    const not_before = new Date().toISOString();
    steps.push({ stream, type: 'ExecutionRetryScheduled', data: { attempt: attempt + 1, not_before } });
  }
  steps.push({ stream, type: 'ExecutionSucceeded', data: { attempt: attempts, result: result(0) } });
  steps.push({ stream: task, type: 'TaskExecutionFinished', data: { execution_id, outcome: 'completed' } });
  return steps;
}

/** Appends a realistic log of this many events. */
export async function appendHistory(store: PostgresEventStore, events: number): Promise<void> {
  const versions = new Map<string, number>();
  const owner = newId();
  const tasks = Array.from({ length: TASKS }, newId);
  await append(
    store,
    versions,
    tasks.map((id) => taskCreated(id, owner)),
  );
  let left = events - TASKS;
  for (let wave = 0; left > 0; wave++) {
    // At most one execution of a task per wave, because an append names each stream once.
    const runs = tasks
      .slice((wave * RUNS_AT_A_TIME) % TASKS, ((wave * RUNS_AT_A_TIME) % TASKS) + RUNS_AT_A_TIME)
      .map((task, index) => run(task, owner, index % 4 === 0 ? 2 : 3));
    for (let step = 0; left > 0 && step < 11; step++) {
      const steps = runs.flatMap((each) => each.slice(step, step + 1)).slice(0, left);
      if (steps.length > 0) await append(store, versions, steps);
      left -= steps.length;
    }
  }
}

async function append(store: PostgresEventStore, versions: Map<string, number>, steps: readonly Step[]): Promise<void> {
  const writes = steps.map(({ stream, type, data }) => {
    const expectedVersion = versions.get(stream.id) ?? 0;
    versions.set(stream.id, expectedVersion + 1);
    return { stream, expectedVersion, events: [{ eventId: newId(), type, schemaVersion: 1, data: data as never }] };
  });
  await store.append(writes, METADATA);
}
