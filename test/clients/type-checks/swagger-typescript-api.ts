// Uses the client of swagger-typescript-api.
import { Api, type HttpResponse, type Problem, type Task } from './api.js';

const { api, ready } = new Api<string>({
  baseUrl: 'http://127.0.0.1:8080',
  securityWorker: (token) => ({ headers: { authorization: `Bearer ${token}` } }),
});

const minimal = { name: 'Hello', script_type: 'bash', script_content: 'echo hi' } as const;
await api.createTask(minimal);
await api.createTask({ ...minimal, retry: { max_attempts: 1 }, limits: {}, description: null });

const created: HttpResponse<Task, Problem> = await api.createTask(
  { ...minimal, metadata: { a: null, b: [1, { c: 'x' }] } },
  { headers: { 'Idempotency-Key': 'once' } },
);
const problem: Problem = created.error;
console.log(`${problem.status} ${problem.detail} ${problem.validation_errors?.map(({ field }) => field)}`);
const task: Task = created.data;

await api.updateTask(task.id, { priority: 7 }, { headers: { 'If-Match': created.headers.get('etag') ?? '*' } });
await api.startExecution(task.id);
const started = await api.startExecution(
  task.id,
  { wait: 10 },
  { input: { args: ['world'], files: [{ path: 'a.txt', content: 'a' }] } },
);
const reason: 'out_of_memory' | 'timeout' | string | null = started.data.termination_reason;
const bytes: number | null = started.data.memory_usage_bytes;
await api.reportExecution(task.id, { status: 'completed', return_code: 0 });
await api.runOnce({ ...minimal, input: { stdin: 'x' } });

const { data: list } = await api.listTasks({ limit: 5, sort_field: 'name' });
for (const each of list.tasks) console.log(each.name, each.retry.max_attempts, reason, bytes);
const next: string | null = 'pagination' in list ? list.pagination.next_cursor : null;

const { data: history } = await api.executionHistory(task.id);
console.log(next, history.events[0]?.data['reason']);
const output = await api.executionOutput(task.id, 'stdout', {}, { format: 'blob' });
console.log(output.data.size);
await ready.ready();

// @ts-expect-error a name is required
await api.createTask({ script_type: 'bash', script_content: 'echo hi' });
// @ts-expect-error metadata is an object
await api.createTask({ ...minimal, metadata: 1 });
// @ts-expect-error one language is unknown
await api.createTask({ ...minimal, script_type: 'cobol' });
// @ts-expect-error a run under way has no return code
await api.reportExecution(task.id, { status: 'running', return_code: 0 });
