import { createNats } from '../composition/connect-nats.js';
import type { NatsLink } from '../platform/nats/nats-link.js';
import type { CliContext } from './cli-context.js';

const CONNECT_MS_MAX = 5_000;

/** @param work gets `connected` = false if NATS does not respond in time; a call then fails with Unavailable */
export async function withNats<T>(
  { config, log }: CliContext,
  work: (nats: NatsLink, connected: boolean) => Promise<T>,
): Promise<T> {
  const nats = createNats(config, log);
  nats.start();
  try {
    return await work(nats, await nats.whenConnected(CONNECT_MS_MAX));
  } finally {
    await nats.close();
  }
}
