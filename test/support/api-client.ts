import { randomUUID } from 'node:crypto';

import { type components, VoidRunner } from '@voidrunner/client';

import { eventually } from './eventually.js';

export type Task = components['schemas']['Task'];
export type CreateTask = components['schemas']['CreateTask'];
export type UpdateTask = components['schemas']['UpdateTask'];
export type Execution = components['schemas']['Execution'];
export type ExecutionReport = components['schemas']['ExecutionReport'];
export type StartExecution = components['schemas']['StartExecution'];

const BASE = '/api/v1';

/** The client's operations: the compiler checks paths, parameters, bodies and responses against the API's document. */
export type TypedApi = VoidRunner['http'];

/** The parameters of most calls. */
export const withId = <Query = undefined>(id: string, query?: Query) => ({ params: { path: { id }, query } });

/** The next cursor of a page that was requested by cursor and is not the last. */
export function nextCursorOf(page: { pagination: { next_cursor: string | null } } | { total: number }): string {
  const cursor = 'pagination' in page ? page.pagination.next_cursor : null;
  if (cursor === null) throw new Error(`no page after ${JSON.stringify(page)}`);
  return cursor;
}

/** @returns the data of a call that must succeed */
export async function ok<Data>(call: Promise<{ data?: Data; error?: unknown; response: Response }>): Promise<Data> {
  const { data, error, response } = await call;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${JSON.stringify(error)}`);
  return data as Data;
}

export interface Answer<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** How long an execution may take on a busy machine with two cores, including compilation and a cold container. */
const END_TIMEOUT_MS = 120_000;

/** A person with an account, talking to the API over HTTP. */
export class ApiClient {
  private constructor(
    private readonly url: () => string,
    readonly user: { readonly id: string; readonly email: string },
    readonly accessToken: string,
    readonly refreshToken: string,
  ) {}

  /** @param url called at every request: it may change after a restart */
  static async register(url: () => string): Promise<ApiClient> {
    const body = { email: `${randomUUID()}@example.com`, password: 'correct horse battery', name: 'Test' };
    const { user, access_token, refresh_token } = await ok(typedApi(url()).POST('/api/v1/auth/register', { body }));
    return new ApiClient(url, user, access_token, refresh_token);
  }

  get api(): TypedApi {
    return this.apiWith(this.accessToken);
  }

  apiWith(token: string): TypedApi {
    return typedApi(this.url(), { authorization: `Bearer ${token}` });
  }

  /** For requests that the document does not allow, or that need no types. @param path below /api/v1 */
  request<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const authorization = `Bearer ${this.accessToken}`;
    return call<Body>(`${this.url()}${BASE}${path}`, method, body, { authorization, ...headers });
  }

  /** Like request, for a call that must succeed. */
  async ok<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.request<Body>(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  createTask(task: Omit<CreateTask, 'name'> & { name?: string }): Promise<Task> {
    return ok(this.api.POST('/api/v1/tasks', { body: { name: 'a task', ...task } }));
  }

  start(taskId: string, body?: StartExecution): Promise<Execution> {
    return ok(this.api.POST('/api/v1/tasks/{id}/executions', { ...withId(taskId), body }));
  }

  execution(id: string): Promise<Execution> {
    return ok(this.api.GET('/api/v1/executions/{id}', withId(id)));
  }

  /** Waits until the execution satisfies `wished`; by default, until it has ended. */
  async follow(id: string, wished: (execution: Execution) => boolean = hasEnded): Promise<Execution> {
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
  async run(task: Parameters<ApiClient['createTask']>[0], body?: StartExecution): Promise<Execution> {
    const { id } = await this.createTask(task);
    return this.follow((await this.start(id, body)).id);
  }
}

export const hasEnded = ({ status }: Execution): boolean => status !== 'pending' && status !== 'running';

/** Nothing is repeated: a test sees the first response. */
function typedApi(url: string, headers: Record<string, string> = {}): TypedApi {
  return new VoidRunner({ baseUrl: url, headers, maxRetries: 0 }).http;
}

/** @param body text is sent unchanged, anything else as JSON */
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
  return answerOf<Body>(response);
}

export async function answerOf<Body>(response: Response): Promise<Answer<Body>> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    body: (isJson && text !== '' ? JSON.parse(text) : text) as Body,
  };
}
