import { randomUUID } from 'node:crypto';

import type { ExecutionView } from '../../src/execution/api/execution-schemas.js';
import type { TaskView } from '../../src/task/api/task-schemas.js';
import { eventually } from './eventually.js';

export interface Answer<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** How long a run may take on a busy machine of two cores, compile and cold container included. */
const END_TIMEOUT_MS = 120_000;

/** A person with an account, talking to the API over HTTP. */
export class ApiClient {
  private constructor(
    private readonly url: () => string,
    readonly user: { readonly id: string; readonly email: string },
    readonly accessToken: string,
    readonly refreshToken: string,
  ) {}

  /** @param url asked at every call: after a restart it may be another */
  static async register(url: () => string): Promise<ApiClient> {
    const body = { email: `${randomUUID()}@example.com`, password: 'correct horse battery', name: 'Test' };
    const { status, body: answer } = await call<{
      user: { id: string; email: string };
      access_token: string;
      refresh_token: string;
    }>(`${url()}/api/v1/auth/register`, 'POST', body);
    if (status !== 201) throw new Error(`register answered ${status}: ${JSON.stringify(answer)}`);
    return new ApiClient(url, answer.user, answer.access_token, answer.refresh_token);
  }

  request<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const authorization = `Bearer ${this.accessToken}`;
    return call<Body>(`${this.url()}/api/v1${path}`, method, body, { authorization, ...headers });
  }

  /** As request, for a call that must succeed. */
  async ok<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.request<Body>(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  createTask(task: Partial<TaskView> & Pick<TaskView, 'script_type' | 'script_content'>): Promise<TaskView> {
    return this.ok('POST', '/tasks', { name: 'a task', ...task });
  }

  start(taskId: string, body?: unknown): Promise<ExecutionView> {
    return this.ok('POST', `/tasks/${taskId}/executions`, body);
  }

  execution(id: string): Promise<ExecutionView> {
    return this.ok('GET', `/executions/${id}`);
  }

  /** Waits until the execution is as wished; by default, until it has ended. */
  async follow(id: string, wished: (execution: ExecutionView) => boolean = hasEnded): Promise<ExecutionView> {
    return eventually(
      async () => {
        const execution = await this.execution(id);
        if (!wished(execution)) throw new Error(`execution is ${JSON.stringify(execution)}`);
        return execution;
      },
      { timeoutMs: END_TIMEOUT_MS, intervalMs: 25 },
    );
  }

  /** Creates a task, runs it once, and waits for the end. */
  async run(
    task: Partial<TaskView> & Pick<TaskView, 'script_type' | 'script_content'>,
    body?: unknown,
  ): Promise<ExecutionView> {
    const { id } = await this.createTask(task);
    return this.follow((await this.start(id, body)).id);
  }
}

export const hasEnded = ({ status }: ExecutionView): boolean => status !== 'pending' && status !== 'running';

/** @param body text is sent as it is, anything else as JSON */
export async function call<Body>(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  const response = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as Body };
}
