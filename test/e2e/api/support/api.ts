import { ORCHESTRATOR, PROJECTOR } from '../../../../src/composition/postgres-options.js';
import { DomainError } from '../../../../src/kernel/errors.js';
import { CancelExecution } from '../../../../src/tasks/domain/execution-commands.js';
import {
  type Answer,
  ApiClient,
  call,
  type CreateTask,
  type Execution,
  type ExecutionReport,
  ok,
  type StartExecution,
  type Task,
  type TypedApi,
  type UpdateTask,
  withId,
} from '../../../support/api-client.js';
import { caughtUp } from '../../../support/caught-up.js';
import { eventually } from '../../../support/eventually.js';
import { startTestService, type TestService } from '../../../support/service.js';
import { Contract } from './contract.js';

/** All roles except the worker: executions stay pending, and no container is needed. */
export const NO_WORKER = { VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator,sealer' };

/** A client with an account; every response is checked against the OpenAPI document. */
export class Person {
  constructor(
    readonly client: ApiClient,
    private readonly contract: Contract,
    readonly token = client.accessToken,
  ) {}

  get id(): string {
    return this.client.user.id;
  }

  /** For requests that the document allows. */
  get api(): TypedApi {
    const api = this.client.apiWith(this.token);
    api.use(this.contract.middleware);
    return api;
  }

  /**
   * For all other requests. @param path below /api/v1; a string is sent unchanged as the body, anything else as JSON
   */
  async send<Body = any>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const authorization = `Bearer ${this.token}`;
    const answer = await this.client.request<Body>(method, path, body, { authorization, ...headers });
    this.contract.check(method, `/api/v1${path}`, answer);
    return answer;
  }

  /** Like send, but the response must be a success. @returns the body */
  async ok<Body = any>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.send<Body>(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  createTask(fields: Partial<CreateTask> = {}): Promise<Task> {
    return ok(this.api.POST('/api/v1/tasks', { body: { ...aTask, ...fields } }));
  }

  start(taskId: string, body?: StartExecution): Promise<Execution> {
    return ok(this.api.POST('/api/v1/tasks/{id}/executions', { ...withId(taskId), body }));
  }

  task(id: string): Promise<Task> {
    return ok(this.api.GET('/api/v1/tasks/{id}', withId(id)));
  }

  updateTask(id: string, body: UpdateTask): Promise<Task> {
    return ok(this.api.PUT('/api/v1/tasks/{id}', { ...withId(id), body }));
  }

  execution(id: string): Promise<Execution> {
    return ok(this.api.GET('/api/v1/executions/{id}', withId(id)));
  }

  report(id: string, body: ExecutionReport): Promise<Execution> {
    return ok(this.api.PUT('/api/v1/executions/{id}', { ...withId(id), body }));
  }

  cancel(id: string): Promise<{ message: string }> {
    return ok(this.api.DELETE('/api/v1/executions/{id}', withId(id)));
  }

  /** An execution that ends only by its owner's report. */
  async startExternal(fields: Partial<CreateTask> = {}): Promise<Execution> {
    return this.start((await this.createTask(fields)).id, { executor: 'external' });
  }
}

export const aTask = { name: 'a task', script_type: 'python', script_content: 'print(1)' } as const;

/** A test file's own service, and its document. */
export class Api {
  private readonly endings: (() => Promise<void>)[] = [];

  private constructor(
    readonly service: TestService,
    readonly contract: Contract,
  ) {}

  static async start(overrides: NodeJS.ProcessEnv = NO_WORKER): Promise<Api> {
    const service = await startTestService(overrides);
    return new Api(service, await Contract.of(service.url));
  }

  async register(): Promise<Person> {
    return new Person(await ApiClient.register(() => this.service.url), this.contract);
  }

  /** An account with the admin role, which only an operator can grant. */
  async registerAdmin(): Promise<Person> {
    const { client } = await this.register();
    await this.service.database.ownerPool.query('update identity.users set is_admin = true where id = $1', [
      client.user.id,
    ]);
    const refreshed = await this.anonymous('POST', '/auth/refresh', { refresh_token: client.refreshToken });
    const { access_token } = refreshed.body as { access_token: string };
    return new Person(client, this.contract, access_token);
  }

  /** A request without a token. */
  anonymous<Body = any>(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    return call<Body>(`${this.service.url}/api/v1${path}`, method, body, headers);
  }

  /** The newest position of the log, after all pending security facts have been recorded. */
  async head(): Promise<bigint> {
    const { ownerPool } = this.service.database;
    await eventually(async () =>
      expect((await ownerPool.query('select from identity.security_facts')).rowCount).toBe(0),
    );
    return (await this.service.processes[0]!.infra.store.head()).position;
  }

  /** Waits until the lists show everything in the log. They lag behind what a worker or a test records. */
  listsCaughtUp(): Promise<void> {
    return caughtUp(this.service.processes[0]!.infra.pool, PROJECTOR);
  }

  /** Runs before the service stops. */
  beforeClose(end: () => Promise<void>): void {
    this.endings.push(end);
  }

  /** Ends all active executions, so that no job is left behind, and stops. */
  async close(): Promise<void> {
    try {
      for (const end of this.endings) await end();
      await this.cancelAll();
    } finally {
      await this.service.close();
    }
  }

  /** The views must show all active executions, and the orchestrator must have removed their jobs. */
  private async cancelAll(): Promise<void> {
    const { commands, infra } = this.service.processes[0]!;
    await this.listsCaughtUp();
    const { rows } = await infra.pool.query<{ id: string }>(
      `select id from read.executions where status in ('pending', 'running')`,
    );
    for (const { id } of rows) {
      const metadata = { actor: 'system:test', correlation_id: id } as const;
      await commands!.execute(new CancelExecution(id, 'system', metadata)).catch((error: unknown) => {
        // It may end between the query and the cancel.
        if (!(error instanceof DomainError && error.code === 'execution_ended')) throw error;
      });
    }
    await caughtUp(infra.pool, ORCHESTRATOR);
    await eventually(async () => expect((await infra.queue.stats()).waiting).toBe(0));
  }
}
