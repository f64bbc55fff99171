import type {
  Batch,
  BatchList,
  BatchSummary,
  CreatedBatch,
  CreatedReruns,
  Message,
  RerunExecutions,
  RunOnce,
} from '../api-objects.js';
import { never } from '../delay.js';
import type { operations } from '../generated/api.js';
import type { Http } from '../http.js';
import type { CallOptions, PostOptions } from '../options.js';
import { itemsOfPages, type ListItems } from '../pages.js';
import { poll } from '../poll.js';
import { postInit, signalOf, unwrap } from '../unwrap.js';

export type ListBatches = NonNullable<operations['listBatches']['parameters']['query']>;

export class Batches {
  constructor(private readonly http: Http) {}

  /** Starts 1 to 200 executions, or none. `program()` makes an item of a program and its options. */
  create(items: readonly RunOnce[], options: PostOptions = {}): Promise<CreatedBatch> {
    return unwrap(this.http.POST('/api/v1/batches', { body: { items: [...items] }, ...postInit(options) }));
  }

  /** Repeats up to 1,000 executions that have ended and match. They are started one after another. */
  rerun(body: RerunExecutions, options: PostOptions = {}): Promise<CreatedReruns> {
    return unwrap(this.http.POST('/api/v1/executions/rerun', { body, ...postInit(options) }));
  }

  get(id: string, options: CallOptions = {}): Promise<Batch> {
    return unwrap(this.http.GET('/api/v1/batches/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }

  list(query: ListItems<ListBatches> = {}, options: CallOptions = {}): AsyncGenerator<BatchSummary, void> {
    return itemsOfPages(
      (cursor) => this.page({ ...query, cursor }, options),
      ({ batches }) => batches,
    );
  }

  page(query: ListBatches = {}, options: CallOptions = {}): Promise<BatchList> {
    return unwrap(this.http.GET('/api/v1/batches', { params: { query }, ...signalOf(options) }));
  }

  /** Starts nothing more and cancels what has not ended. @throws ConflictError if everything has ended */
  cancel(id: string, options: CallOptions = {}): Promise<Message> {
    return unwrap(this.http.DELETE('/api/v1/batches/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }

  /** The batch when nothing of it waits or runs any more. Asks again and again, at most every 5 s. */
  wait(id: string, { signal = never() }: CallOptions = {}): Promise<Batch> {
    const isOver = ({ counts: { waiting, pending, running } }: Batch) => waiting + pending + running === 0;
    return poll(() => this.get(id, { signal }), isOver, signal);
  }
}
