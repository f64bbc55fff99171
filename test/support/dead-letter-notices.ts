import { DEAD_LETTERS } from '../../src/composition/postgres-options.js';
import { leastCheckpoint } from '../../src/event-sourcing/subscription/checkpoint-store.js';
import { eventually } from './eventually.js';
import type { TestService } from './service.js';

export interface Notice {
  readonly stream: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

export const dlqOf = ({ config }: TestService): string => `${config.NATS_STREAM_PREFIX}_DLQ`;

/** The messages on PREFIX_DLQ once the whole log has been handled, oldest first. */
export async function noticesOf(service: TestService): Promise<Notice[]> {
  const { store, pool, nats } = service.processes[0]!.infra;
  const { position } = await store.head();
  await eventually(async () => expect(await leastCheckpoint(pool, [DEAD_LETTERS])).toBeGreaterThanOrEqual(position), {
    timeoutMs: 20_000,
  });
  const { streams } = await nats.manager();
  const { state } = await streams.info(dlqOf(service));
  const found: Notice[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    found.push((await streams.getMessage(dlqOf(service), { seq })).json<Notice>());
  }
  return found;
}
