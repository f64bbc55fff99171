import { type Execution, hasEnded } from '../api-objects.js';
import { ConnectionError, PermissionError, RateLimitError } from '../errors.js';
import { getExecution } from '../executions.js';
import type { Http } from '../http.js';
import { poll } from '../poll.js';
import { connect } from './follow-events.js';
import { Reconnects } from './reconnects.js';

/** The execution when it has ended. Follows its events; with a key that may not read events, asks again and again. */
export async function waitForEnd(http: Http, id: string, signal: AbortSignal): Promise<Execution> {
  const reconnects = new Reconnects();
  let lastEventId = '';
  for (;;) {
    const execution = await getExecution(http, id, signal);
    if (hasEnded(execution)) return execution;
    let broken: ConnectionError | null = null;
    try {
      for await (const { id: eventId } of (await connect(http, id, lastEventId, signal)) ?? []) {
        if (eventId !== lastEventId) reconnects.progress();
        lastEventId = eventId;
      }
    } catch (error) {
      if (error instanceof PermissionError || error instanceof RateLimitError) {
        return poll(() => getExecution(http, id, signal), hasEnded, signal);
      }
      if (!(error instanceof ConnectionError)) throw error;
      broken = error;
    }
    await reconnects.pause(signal, broken);
  }
}
