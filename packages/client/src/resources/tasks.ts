import type {
  CreateTask,
  Execution,
  ExecutionList,
  HistoryEvent,
  Message,
  Task,
  TaskList,
  UpdateTask,
} from '../api-objects.js';
import type { operations } from '../generated/api.js';
import { historyOf } from '../history.js';
import type { Http } from '../http.js';
import type { CallOptions, PostOptions } from '../options.js';
import { itemsOfPages, type ListItems } from '../pages.js';
import { type ExecutionOptions, startOf } from '../program.js';
import type { RunResult } from '../run-result.js';
import type { LiveOptions, Runner } from '../runner.js';
import { postInit, signalOf, unwrap } from '../unwrap.js';

export type ListTasks = NonNullable<operations['listTasks']['parameters']['query']>;
export type ListTaskExecutions = NonNullable<operations['listTaskExecutions']['parameters']['query']>;

export type StartTaskOptions = ExecutionOptions &
  PostOptions & {
    /** Nobody runs it: the caller does, and reports with `executions.report`. */
    readonly external?: boolean;
  };

export class Tasks {
  constructor(
    private readonly http: Http,
    private readonly runner: Runner,
  ) {}

  create(body: CreateTask, options: PostOptions = {}): Promise<Task> {
    return unwrap(this.http.POST('/api/v1/tasks', { body, ...postInit(options) }));
  }

  /** @param options.asOf a version or a time: the task as it was then */
  get(id: string, { asOf, ...options }: CallOptions & { readonly asOf?: string } = {}): Promise<Task> {
    const params = { path: { id }, ...(asOf !== undefined && { query: { as_of: asOf } }) };
    return unwrap(this.http.GET('/api/v1/tasks/{id}', { params, ...signalOf(options) }));
  }

  /**
   * Changes the given fields. @param options.ifMatch the ETag of the definition that the change is for
   * @throws ConflictError if the task runs, or has another ETag
   */
  update(id: string, body: UpdateTask, options: CallOptions & { readonly ifMatch?: string } = {}): Promise<Task> {
    const { ifMatch } = options;
    const params = { path: { id }, ...(ifMatch !== undefined && { header: { 'If-Match': ifMatch } }) };
    return unwrap(this.http.PUT('/api/v1/tasks/{id}', { params, body, ...signalOf(options) }));
  }

  /** @throws ConflictError if the task runs */
  delete(id: string, options: CallOptions = {}): Promise<Message> {
    return unwrap(this.http.DELETE('/api/v1/tasks/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }

  /** All tasks of the caller, newest first unless the query says otherwise. */
  list(query: ListItems<ListTasks> = {}, options: CallOptions = {}): AsyncGenerator<Task, void> {
    return itemsOfPages(
      (cursor) => this.page({ ...query, cursor }, options),
      ({ tasks }) => tasks,
    );
  }

  /** One page as the API returns it: by offset, or by cursor if the query has one ('' for the first page). */
  page(query: ListTasks = {}, options: CallOptions = {}): Promise<TaskList> {
    return unwrap(this.http.GET('/api/v1/tasks', { params: { query }, ...signalOf(options) }));
  }

  /** Starts an execution. @throws ConflictError if the task runs as often as `max_parallel` allows */
  start(id: string, options: StartTaskOptions = {}): Promise<Execution> {
    const init = { params: { path: { id } }, body: startOf(options), ...postInit(options) };
    return unwrap(this.http.POST('/api/v1/tasks/{id}/executions', init));
  }

  /** Starts an execution and waits for its end. */
  async run(id: string, options: Omit<StartTaskOptions, 'external'> & LiveOptions = {}): Promise<RunResult> {
    return this.runner.resultOf(await this.start(id, options), options);
  }

  executions(
    id: string,
    query: ListItems<ListTaskExecutions> = {},
    options: CallOptions = {},
  ): AsyncGenerator<Execution, void> {
    return itemsOfPages(
      (cursor) => this.executionsPage(id, { ...query, cursor }, options),
      ({ executions }) => executions,
    );
  }

  executionsPage(id: string, query: ListTaskExecutions = {}, options: CallOptions = {}): Promise<ExecutionList> {
    const params = { path: { id }, query };
    return unwrap(this.http.GET('/api/v1/tasks/{id}/executions', { params, ...signalOf(options) }));
  }

  /** The history so far, oldest first. */
  events(
    id: string,
    options: CallOptions & { readonly afterVersion?: number } = {},
  ): AsyncGenerator<HistoryEvent, void> {
    return historyOf((after_version, limit) => {
      const params = { path: { id }, query: { after_version, limit } };
      return unwrap(this.http.GET('/api/v1/tasks/{id}/events', { params, ...signalOf(options) }));
    }, options.afterVersion);
  }
}
