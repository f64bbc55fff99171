import { hasEnded, type OutputStream } from '../api-objects.js';
import { ConnectionError } from '../errors.js';
import { getExecution } from '../executions.js';
import type { Http } from '../http.js';
import { streamOfBytes } from '../unwrap.js';
import { readBytes } from './read-bytes.js';
import { Reconnects } from './reconnects.js';

/** A program may print nothing for hours. After this long, a request tells whether it still runs. */
const SILENCE_MS_MAX = 60_000;

/**
 * What an execution prints, from the start of its current (or next) attempt until the execution has ended. When the
 * connection breaks, it continues at the next byte if the same attempt still runs, and else at the start of the current
 * one: what the earlier attempt printed last may then be missing.
 */
export async function* followOutput(
  http: Http,
  id: string,
  stream: OutputStream,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const silence = {
    msMax: SILENCE_MS_MAX,
    isExpected: async () => !hasEnded(await getExecution(http, id, signal)),
  };
  const reconnects = new Reconnects();
  const place = new Place(() => attemptOf(http, id, signal));
  for (;;) {
    let broken: ConnectionError;
    try {
      let skip = await place.bytesToSkip();
      const body = await openOutput(http, id, stream, signal);
      for await (const chunk of readBytes(body, signal, silence)) {
        const rest = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - rest.length;
        if (rest.length === 0) continue;
        place.received(rest.length);
        reconnects.progress();
        yield rest;
      }
      return;
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      broken = error;
    }
    await reconnects.pause(signal, broken);
  }
}

const openOutput = (http: Http, id: string, stream: OutputStream, signal: AbortSignal) =>
  streamOfBytes(
    http.GET('/api/v1/executions/{id}/output/{stream}', {
      params: { path: { id, stream }, query: { follow: 'true' } },
      parseAs: 'stream',
      signal,
    }),
  );

/** How much of which attempt the consumer has. A response begins with the current attempt, and does not name it. */
class Place {
  private attempt: Promise<string | null> | null = null;
  private bytes = 0;

  constructor(private readonly currentAttempt: () => Promise<string | null>) {}

  received(bytes: number): void {
    this.bytes += bytes;
    if (this.attempt !== null) return;
    this.attempt = this.currentAttempt();
    // Read when the connection has broken.
    void Promise.allSettled([this.attempt]);
  }

  /** The bytes at the beginning of a new response that the consumer has. */
  async bytesToSkip(): Promise<number> {
    if (this.attempt === null) return 0;
    const now = await this.currentAttempt();
    const [before] = await Promise.allSettled([this.attempt]);
    if (before.status === 'rejected' || before.value === null || before.value !== now) {
      this.attempt = null;
      this.bytes = 0;
    }
    return this.bytes;
  }
}

/** Names one start of one attempt: an attempt that was released is started again. Null if none has started. */
async function attemptOf(http: Http, id: string, signal: AbortSignal): Promise<string | null> {
  const { attempt, started_at } = await getExecution(http, id, signal);
  return started_at && `${attempt} ${started_at}`;
}
