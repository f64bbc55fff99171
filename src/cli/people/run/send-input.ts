import { ConflictError, RateLimitError } from '@voidrunner/client';

import { delay } from '../../../platform/async/delay.js';
import type { Server } from '../server/connection.js';
import type { LiveInput } from './standard-input.js';

/** The API's limit of a request. */
const REQUEST_BYTES_MAX = 64 * 1024;
const RETRY_MS_FIRST = 100;
const RETRY_MS_MAX = 2_000;
const FACTOR = 1.5;

/** Sends standard input to a running program, in order, until it ends or nobody takes it. @param signal its end */
export async function sendInput({ vr }: Server, id: string, input: LiveInput, signal: AbortSignal): Promise<void> {
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; at += REQUEST_BYTES_MAX) {
      const part = chunk.subarray(at, at + REQUEST_BYTES_MAX);
      if (!(await delivered(() => vr.executions.sendStdin(id, part, { signal }), signal))) return;
    }
  }
  await delivered(() => vr.executions.closeStdin(id, '', { signal }), signal);
}

/** Tries again until the program has begun, and while it does not read. @returns false if it takes no more */
async function delivered(send: () => Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  for (let ms = RETRY_MS_FIRST; !signal.aborted; ms = Math.min(RETRY_MS_MAX, ms * FACTOR)) {
    try {
      await send();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const isEarly = error instanceof ConflictError && error.code === 'execution_not_running';
      if (error instanceof ConflictError && !isEarly) return false;
      if (!isEarly && !(error instanceof RateLimitError)) throw error;
      await delay(ms, { signal });
    }
  }
  return false;
}
