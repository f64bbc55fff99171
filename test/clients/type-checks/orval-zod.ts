// Uses the zod schemas of orval.
import { CreateTaskBody, CreateTaskResponse, ReportExecutionBody, StartExecutionBody, UpdateTaskBody } from './api.js';

const minimal = { name: 'Hello', script_type: 'bash', script_content: 'echo hi' } as const;
const body = CreateTaskBody.parse(minimal);
const priority: number | undefined = body.priority;
CreateTaskBody.parse({ ...minimal, metadata: { a: null, b: [1, { c: 'x' }] } });
StartExecutionBody.parse({ input: { args: ['world'] } });
UpdateTaskBody.parse({ priority });
ReportExecutionBody.parse({ status: 'running' });
const task = CreateTaskResponse.parse({});
console.log(task.metadata['a'], task.retry.max_attempts);
// @ts-expect-error there is no such field
console.log(body.unknown);
