import type { OutputStream } from '../api-objects.js';
import type { Http } from '../http.js';
import type { CallOptions } from '../options.js';
import { type EventItem, followEvents } from './follow-events.js';
import { followOutput } from './follow-output.js';
import { merge } from './merge.js';

export interface OutputItem {
  readonly type: OutputStream;
  readonly data: Uint8Array;
  /** The same as text. A character that is split between two items is in the second one; not UTF-8: U+FFFD. */
  readonly text: string;
}

export type StreamItem = OutputItem | EventItem;

export interface StreamOptions extends CallOptions {
  /** All of them by default. Events and tests need the scope `events:read`, output `executions:read`. */
  readonly types?: readonly StreamItem['type'][];
}

const ALL: readonly StreamItem['type'][] = ['event', 'test', 'stdout', 'stderr'];

/** What happens in an execution, until it has ended. Continues by itself after a broken connection. */
export async function* streamExecution(
  http: Http,
  id: string,
  { signal, types = ALL }: StreamOptions,
): AsyncGenerator<StreamItem, void> {
  const end = new AbortController();
  const aborted = signal ? AbortSignal.any([signal, end.signal]) : end.signal;
  const sources: AsyncGenerator<StreamItem, void>[] = (['stdout', 'stderr'] as const)
    .filter((stream) => types.includes(stream))
    .map((stream) => outputItems(followOutput(http, id, stream, aborted), stream));
  if (types.includes('event') || types.includes('test')) sources.push(followEvents(http, id, aborted));
  try {
    for await (const item of merge(sources)) if (types.includes(item.type)) yield item;
  } finally {
    end.abort();
  }
}

async function* outputItems(chunks: AsyncIterable<Uint8Array>, type: OutputStream): AsyncGenerator<OutputItem, void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const data of chunks) yield { type, data, text: decoder.decode(data, { stream: true }) };
  const text = decoder.decode();
  if (text !== '') yield { type, data: new Uint8Array(), text };
}
