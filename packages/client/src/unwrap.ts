import { apiErrorOf } from './api-error.js';
import { InvalidResponseError } from './errors.js';
import { IDEMPOTENCY_KEY } from './transport/repeatable.js';
import type { PostOptions } from './options.js';

type Answer<Data> = { readonly data?: Data; readonly error?: unknown; readonly response: Response };

/** @throws ApiError for an error response; InvalidResponseError for one that the API does not send */
export async function unwrap<Data>(call: Promise<Answer<Data>>): Promise<NonNullable<Data>> {
  const data = await unwrapOrEmpty(call);
  if (typeof data === 'object' && data !== null) return data;
  throw new InvalidResponseError('The response has no content, or not that of the API');
}

/** Like unwrap. @returns undefined for a response without content */
export async function unwrapOrEmpty<Data>(call: Promise<Answer<Data>>): Promise<Data | undefined> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new InvalidResponseError('The response is no JSON', { cause });
  });
  if (!response.ok) throw apiErrorOf(response, error);
  return data;
}

/** Bytes; a response without content has none. */
export const bytesOrNone = async (call: Promise<Answer<ArrayBuffer>>): Promise<Uint8Array> =>
  new Uint8Array((await unwrapOrEmpty(call)) ?? new ArrayBuffer(0));

/** Bytes piece by piece; a response without content has none. */
export const streamOfBytes = async (
  call: Promise<Answer<ReadableStream<Uint8Array> | null>>,
): Promise<ReadableStream<Uint8Array>> => (await unwrapOrEmpty(call)) ?? new Blob([]).stream();

/** The part of a call that all POSTs with an `Idempotency-Key` share. */
export const postInit = ({ signal, idempotencyKey }: PostOptions) => ({
  ...signalOf({ signal }),
  ...(idempotencyKey !== undefined && { headers: { [IDEMPOTENCY_KEY]: idempotencyKey } }),
});

/** `signal: undefined` is not the same to every `fetch`. */
export const signalOf = ({ signal }: { readonly signal?: AbortSignal | undefined }) => (signal ? { signal } : {});
