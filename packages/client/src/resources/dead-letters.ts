import type { DeadLetterList, Execution, Message } from '../api-objects.js';
import type { operations } from '../generated/api.js';
import type { Http } from '../http.js';
import type { CallOptions, PostOptions } from '../options.js';
import { itemsOfPages, type ListItems } from '../pages.js';
import { postInit, signalOf, unwrap } from '../unwrap.js';

export type ListDeadLetters = NonNullable<operations['listDeadLetters']['parameters']['query']>;

/** Executions that failed at every attempt. */
export class DeadLetters {
  constructor(private readonly http: Http) {}

  list(query: ListItems<ListDeadLetters> = {}, options: CallOptions = {}): AsyncGenerator<Execution, void> {
    return itemsOfPages(
      (cursor) => this.page({ ...query, cursor }, options),
      ({ dead_letters }) => dead_letters,
    );
  }

  page(query: ListDeadLetters = {}, options: CallOptions = {}): Promise<DeadLetterList> {
    return unwrap(this.http.GET('/api/v1/dead-letters', { params: { query }, ...signalOf(options) }));
  }

  get(id: string, options: CallOptions = {}): Promise<Execution> {
    return unwrap(this.http.GET('/api/v1/dead-letters/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }

  redrive(id: string, options: PostOptions = {}): Promise<Execution> {
    const init = { params: { path: { id } }, ...postInit(options) };
    return unwrap(this.http.POST('/api/v1/dead-letters/{id}/redrive', init));
  }

  discard(id: string, options: CallOptions = {}): Promise<Message> {
    return unwrap(this.http.DELETE('/api/v1/dead-letters/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }
}
