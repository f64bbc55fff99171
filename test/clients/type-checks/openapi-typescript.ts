// Uses the types of `openapi-typescript`, and openapi-fetch.
import createClient from 'openapi-fetch';

import type { components, paths } from './api.js';

const api = createClient<paths>({ baseUrl: 'http://127.0.0.1:8080', headers: { authorization: 'Bearer …' } });

const minimal = { name: 'Hello', script_type: 'bash', script_content: 'echo hi' } as const;
await api.POST('/api/v1/tasks', { body: minimal });
await api.POST('/api/v1/tasks', { body: { ...minimal, retry: { max_attempts: 1 }, limits: {}, description: null } });

const created = await api.POST('/api/v1/tasks', {
  body: { ...minimal, metadata: { a: null, b: [1, { c: 'x' }] } },
  params: { header: { 'Idempotency-Key': 'once' } },
});
if (created.error) {
  const problem: components['schemas']['Problem'] = created.error;
  throw new Error(`${problem.status} ${problem.detail} ${problem.validation_errors?.map(({ field }) => field)}`);
}
const task: components['schemas']['Task'] = created.data;
const etag: string | null = created.response.headers.get('etag');

const path = { id: task.id };
await api.PUT('/api/v1/tasks/{id}', { params: { path, header: { 'If-Match': etag ?? '*' } }, body: { priority: 7 } });
await api.POST('/api/v1/tasks/{id}/executions', { params: { path } });
const started = await api.POST('/api/v1/tasks/{id}/executions', {
  params: { path, query: { wait: 10 } },
  body: { input: { args: ['world'], files: [{ path: 'a.txt', content: 'a' }] } },
});
const reason: 'out_of_memory' | 'timeout' | string | null | undefined = started.data?.termination_reason;
const bytes: number | null | undefined = started.data?.memory_usage_bytes;
await api.PUT('/api/v1/executions/{id}', { params: { path }, body: { status: 'completed', return_code: 0 } });
await api.POST('/api/v1/executions', { body: { ...minimal, input: { stdin: 'x' } } });

const { data: list } = await api.GET('/api/v1/tasks', { params: { query: { limit: 5, sort_field: 'name' } } });
for (const each of list?.tasks ?? []) console.log(each.name, each.retry.max_attempts, etag, reason, bytes);
const next: string | null | undefined = list && 'pagination' in list ? list.pagination.next_cursor : null;

const { data: history } = await api.GET('/api/v1/executions/{id}/events', { params: { path } });
console.log(next, typeof history === 'object' ? history.events[0]?.data['reason'] : history);
await api.GET('/api/v1/executions/{id}/output/{stream}', {
  params: { path: { ...path, stream: 'stdout' } },
  parseAs: 'stream',
});
await api.GET('/ready');

// @ts-expect-error a name is required
await api.POST('/api/v1/tasks', { body: { script_type: 'bash', script_content: 'echo hi' } });
// @ts-expect-error metadata is an object
await api.POST('/api/v1/tasks', { body: { ...minimal, metadata: [1] } });
// @ts-expect-error one language is unknown
await api.POST('/api/v1/tasks', { body: { ...minimal, script_type: 'cobol' } });
// @ts-expect-error a run under way has no return code
await api.PUT('/api/v1/executions/{id}', { params: { path }, body: { status: 'running', return_code: 0 } });
