import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from 'pg';

const CLOSE_TIMEOUT_MS = 1_000;

/** `end()` waits for the server; one that does not answer gets its socket closed. */
export async function closeClient(client: Client): Promise<void> {
  const done = new AbortController();
  const late = sleep(CLOSE_TIMEOUT_MS, true, { signal: done.signal }).catch(() => false);
  const ended = client.end().then(
    () => false,
    () => false,
  );
  if (await Promise.race([ended, late])) {
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }
  done.abort();
}
