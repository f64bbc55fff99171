// Uses the fetch client of orval.
import {
  createTask,
  executionHistory,
  executionOutput,
  listTasks,
  type Problem,
  ready,
  reportExecution,
  runOnce,
  startExecution,
  type Task,
  updateTask,
} from './api.js';

const options = { headers: { authorization: 'Bearer …', 'Idempotency-Key': 'once' } };

const minimal = { name: 'Hello', script_type: 'bash', script_content: 'echo hi' } as const;
await createTask(minimal);
await createTask({ ...minimal, retry: { max_attempts: 1 }, limits: {}, description: null });

const created = await createTask({ ...minimal, metadata: { a: null, b: [1, { c: 'x' }] } }, options);
if (created.status !== 201) {
  const problem: Problem = created.data;
  throw new Error(`${problem.status} ${problem.detail} ${problem.validation_errors?.map(({ field }) => field)}`);
}
const task: Task = created.data;

await updateTask(task.id, { priority: 7 }, { headers: { 'If-Match': created.headers.get('etag') ?? '*' } });
await startExecution(task.id);
const started = await startExecution(
  task.id,
  { input: { args: ['world'], files: [{ path: 'a.txt', content: 'a' }] } },
  { wait: 10 },
  options,
);
if (started.status !== 201) throw new Error(started.data.detail);
const reason: 'out_of_memory' | 'timeout' | string | null = started.data.termination_reason;
const bytes: number | null = started.data.memory_usage_bytes;
await reportExecution(task.id, { status: 'completed', return_code: 0 });
await runOnce({ ...minimal, input: { stdin: 'x' } });

const list = await listTasks({ limit: 5, sort_field: 'name' }, options);
if (list.status !== 200) throw new Error(list.data.detail);
for (const each of list.data.tasks) console.log(each.name, each.retry.max_attempts, reason, bytes);
const next: string | null = 'pagination' in list.data ? list.data.pagination.next_cursor : null;

const { data: history } = await executionHistory(task.id);
console.log(next, typeof history === 'object' && 'events' in history && history.events[0]?.data['reason']);
const output = await executionOutput(task.id, 'stdout');
if (output.status === 200) console.log(output.data.size);
await ready();

// @ts-expect-error a name is required
await createTask({ script_type: 'bash', script_content: 'echo hi' });
// @ts-expect-error metadata is an object
await createTask({ ...minimal, metadata: 1 });
// @ts-expect-error one language is unknown
await createTask({ ...minimal, script_type: 'cobol' });
// @ts-expect-error a run under way has no return code
await reportExecution(task.id, { status: 'running', return_code: 0 });
