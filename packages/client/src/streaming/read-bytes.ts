import { settlesWithin } from '../delay.js';
import { ConnectionError } from '../errors.js';

/** When a connection without data counts as broken. */
export interface Silence {
  readonly msMax: number;
  /** Asked after each such time: whether the silence is what is to be expected. By default it is not. */
  readonly isExpected?: () => Promise<boolean>;
}

type Part = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>;

/**
 * The bytes of a response, as they come. The connection is closed when the consumer stops.
 * @throws ConnectionError if it breaks, or the signal's reason
 */
export async function* readBytes(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  silence: Silence,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await notSilent(reader.read(), silence);
      if (done) return;
      if (value.length > 0) yield value;
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw cause instanceof ConnectionError ? cause : new ConnectionError('The connection broke', { cause });
  } finally {
    // Closes the connection. Of one that broke, the error is known.
    void Promise.allSettled([reader.cancel()]);
  }
}

async function notSilent(part: Promise<Part>, { msMax, isExpected }: Silence): Promise<Part> {
  for (;;) {
    if (await settlesWithin(part, msMax)) return part;
    if (!(await isExpected?.())) throw new ConnectionError(`Nothing came for ${msMax} ms`);
  }
}
