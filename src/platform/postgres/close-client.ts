import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from 'pg';

const CLOSE_TIMEOUT_MS = 1_000;

/** Closes the client. `end()` waits for the server; if the server does not respond, the socket is destroyed. */
export async function closeClient(client: Client): Promise<void> {
  const done = new AbortController();
  const late = sleep(CLOSE_TIMEOUT_MS, true, { signal: done.signal }).catch(() => false);
  const ended = client.end().then(
    () => false,
    () => false,
  );
  if (await Promise.race([ended, late])) client.connection.stream.destroy();
  done.abort();
}
