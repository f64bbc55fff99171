// Uses the client of @hey-api/openapi-ts.
import { client } from './api/client.gen.js';
import {
  createTask,
  executionHistory,
  executionOutput,
  listTasks,
  ready,
  reportExecution,
  runOnce,
  startExecution,
  updateTask,
} from './api/sdk.gen.js';
import type { Problem, Task } from './api/types.gen.js';

client.setConfig({ baseUrl: 'http://127.0.0.1:8080', auth: () => 'the access token' });

const minimal = { name: 'Hello', script_type: 'bash', script_content: 'echo hi' } as const;
await createTask({ body: minimal });
await createTask({ body: { ...minimal, retry: { max_attempts: 1 }, limits: {}, description: null } });

const created = await createTask({
  body: { ...minimal, metadata: { a: null, b: [1, { c: 'x' }] } },
  headers: { 'Idempotency-Key': 'once' },
});
if (created.error) {
  const problem: Problem = created.error;
  throw new Error(`${problem.status} ${problem.detail} ${problem.validation_errors?.map(({ field }) => field)}`);
}
const task: Task = created.data;

const path = { id: task.id };
await updateTask({ path, headers: { 'If-Match': '*' }, body: { priority: 7 } });
await startExecution({ path });
const started = await startExecution({
  path,
  query: { wait: 10 },
  body: { input: { args: ['world'], files: [{ path: 'a.txt', content: 'a' }] } },
  throwOnError: true,
});
const reason: 'out_of_memory' | 'timeout' | string | null = started.data.termination_reason;
const bytes: number | null = started.data.memory_usage_bytes;
await reportExecution({ path, body: { status: 'completed', return_code: 0 } });
await runOnce({ body: { ...minimal, input: { stdin: 'x' } } });

const { data: list } = await listTasks({ query: { limit: 5, sort_field: 'name' }, throwOnError: true });
for (const each of list.tasks) console.log(each.name, each.retry.max_attempts, reason, bytes);
const next: string | null = 'pagination' in list ? list.pagination.next_cursor : null;

const { data: history } = await executionHistory({ path, throwOnError: true });
console.log(next, typeof history === 'object' ? history.events[0]?.data['reason'] : history);
const { data: output } = await executionOutput({ path: { ...path, stream: 'stdout' }, throwOnError: true });
console.log(output.size);
await ready();

// @ts-expect-error a name is required
await createTask({ body: { script_type: 'bash', script_content: 'echo hi' } });
// @ts-expect-error metadata is an object
await createTask({ body: { ...minimal, metadata: 1 } });
// @ts-expect-error one language is unknown
await createTask({ body: { ...minimal, script_type: 'cobol' } });
// @ts-expect-error a run under way has no return code
await reportExecution({ path, body: { status: 'running', return_code: 0 } });
