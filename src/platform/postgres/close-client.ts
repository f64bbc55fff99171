import type { Client } from 'pg';

import { ignoreErrors } from '../async/ignore-errors.js';
import { resolvesWithin } from '../async/timeout.js';

const CLOSE_TIMEOUT_MS = 1_000;

/** Closes the client. `end()` waits for the server; if the server does not respond, the socket is destroyed. */
export async function closeClient(client: Client): Promise<void> {
  const ended = ignoreErrors(client.end(), 'a connection that fails to end is closed');
  if (await resolvesWithin(ended, CLOSE_TIMEOUT_MS)) return;
  client.connection.stream.destroy();
}
