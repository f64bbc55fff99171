import type {
  AcceptedStdin,
  Execution,
  ExecutionList,
  ExecutionReport,
  HistoryEvent,
  Message,
  OutputStream,
  RerunExecution,
} from '../api-objects.js';
import { getExecution } from '../executions.js';
import type { operations } from '../generated/api.js';
import { historyOf } from '../history.js';
import type { Http } from '../http.js';
import type { CallOptions, PostOptions } from '../options.js';
import { itemsOfPages, type ListItems } from '../pages.js';
import { bytesOrNone, postInit, signalOf, unwrap } from '../unwrap.js';

export type ListExecutions = NonNullable<operations['listExecutions']['parameters']['query']>;

export class Executions {
  constructor(private readonly http: Http) {}

  /** @param options.asOf a version or a time: the execution as it was then */
  get(id: string, { asOf, signal }: CallOptions & { readonly asOf?: string } = {}): Promise<Execution> {
    if (asOf === undefined) return getExecution(this.http, id, signal);
    const params = { path: { id }, query: { as_of: asOf } };
    return unwrap(this.http.GET('/api/v1/executions/{id}', { params, ...signalOf({ signal }) }));
  }

  /** All of the caller's executions, newest first unless the query says otherwise. */
  list(query: ListItems<ListExecutions> = {}, options: CallOptions = {}): AsyncGenerator<Execution, void> {
    return itemsOfPages(
      (cursor) => this.page({ ...query, cursor }, options),
      ({ executions }) => executions,
    );
  }

  /** One page as the API returns it: by offset, or by cursor if the query has one ('' for the first page). */
  page(query: ListExecutions = {}, options: CallOptions = {}): Promise<ExecutionList> {
    return unwrap(this.http.GET('/api/v1/executions', { params: { query }, ...signalOf(options) }));
  }

  /** Returns when the cancellation is recorded. @throws ConflictError if the execution has ended */
  cancel(id: string, options: CallOptions = {}): Promise<Message> {
    return unwrap(this.http.DELETE('/api/v1/executions/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }

  /** Starts a new execution of the same script and input. */
  rerun(id: string, body: RerunExecution = {}, options: PostOptions = {}): Promise<Execution> {
    const params = { path: { id } };
    return unwrap(this.http.POST('/api/v1/executions/{id}/rerun', { params, body, ...postInit(options) }));
  }

  /** Reports on an execution that runs elsewhere (`external`). */
  report(id: string, body: ExecutionReport, options: CallOptions = {}): Promise<Execution> {
    return unwrap(this.http.PUT('/api/v1/executions/{id}', { params: { path: { id } }, body, ...signalOf(options) }));
  }

  /** The history so far, oldest first. `VoidRunner.stream` follows it. */
  events(
    id: string,
    options: CallOptions & { readonly afterVersion?: number } = {},
  ): AsyncGenerator<HistoryEvent, void> {
    return historyOf((after_version, limit) => {
      const params = { path: { id }, query: { after_version, limit } };
      return unwrap(this.http.GET('/api/v1/executions/{id}/events', { params, ...signalOf(options) }));
    }, options.afterVersion);
  }

  /** The stored bytes of an output, once the latest attempt has ended. */
  output(id: string, stream: OutputStream, options: CallOptions = {}): Promise<Uint8Array> {
    const init = { params: { path: { id, stream } }, parseAs: 'arrayBuffer', ...signalOf(options) } as const;
    return bytesOrNone(this.http.GET('/api/v1/executions/{id}/output/{stream}', init));
  }

  /**
   * Sends standard input to a program that was started with `interactive`: at most 64 KiB. Wait for each call to keep an
   * order. Not carried out twice, also if it is repeated.
   */
  sendStdin(id: string, data: string | Uint8Array, options: PostOptions = {}): Promise<AcceptedStdin> {
    return this.stdin(id, data, false, options);
  }

  /** Ends standard input, after the data if there is any. */
  closeStdin(id: string, data: string | Uint8Array = '', options: PostOptions = {}): Promise<AcceptedStdin> {
    return this.stdin(id, data, true, options);
  }

  private stdin(id: string, data: string | Uint8Array, eof: boolean, options: PostOptions): Promise<AcceptedStdin> {
    const { headers, ...init } = { headers: {}, ...postInit(options) };
    return unwrap(
      this.http.POST('/api/v1/executions/{id}/stdin', {
        params: { path: { id }, ...(eof && { query: { eof: 'true' as const } }) },
        // The document says text, for bytes.
        body: data as string,
        bodySerializer: (body: unknown) => body,
        headers: { ...headers, 'content-type': 'application/octet-stream' },
        ...init,
      }),
    );
  }
}
