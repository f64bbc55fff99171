import { AckPolicy, DeliverPolicy, type JsMsg, nanos } from 'nats';

import { Unavailable } from '../../kernel/errors.js';
import { ignoreErrors } from '../../platform/async/ignore-errors.js';
import { asNatsUnavailable } from '../../platform/nats/nats-errors.js';
import type { NatsLink } from '../../platform/nats/nats-link.js';

/** How long the server may send nothing in the middle of a stream before that counts as an outage. */
const SILENCE_MS_MAX = 5_000;
const FETCH_MESSAGES = 500;
/** The server deletes the consumer of a reader that crashed. */
const INACTIVE_MS_MAX = 60_000;

interface ReadableStream {
  readonly name: string;
  /** Null for an empty stream. */
  first(): Promise<{ readonly lastSequence: number } | null>;
}

/**
 * Every message that a stream holds now, in order. @throws Unavailable
 *
 * Rejected: the ordered consumer of the client (nats.js 2.29). If a batch ends while the reader is busy, its `fetch`
 * drops messages that it has received but not yet delivered, and continues after them.
 */
export async function* messagesOf(nats: NatsLink, stream: ReadableStream): AsyncGenerator<JsMsg> {
  const first = await stream.first();
  if (!first) return;
  try {
    const manager = await nats.manager();
    const { name } = await manager.consumers.add(stream.name, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      inactive_threshold: nanos(INACTIVE_MS_MAX),
      mem_storage: true,
    });
    try {
      yield* delivered(nats, stream.name, name, first.lastSequence);
    } finally {
      await ignoreErrors(manager.consumers.delete(stream.name, name), 'the server deletes an inactive consumer');
    }
  } catch (error) {
    throw asNatsUnavailable(error);
  }
}

async function* delivered(nats: NatsLink, stream: string, name: string, lastSequence: number): AsyncGenerator<JsMsg> {
  const consumer = await nats.jetstream().consumers.get(stream, name);
  for (let seen = 0; ;) {
    const before = seen;
    const batch = await consumer.fetch({ max_messages: FETCH_MESSAGES, expires: SILENCE_MS_MAX });
    for await (const message of batch) {
      seen += 1;
      // Nothing is acknowledged, so a lost message is not redelivered.
      if (message.info.deliverySequence !== seen) throw new Unavailable('nats', 'messages were lost in delivery');
      yield message;
      // The very last message may have been deleted by hand.
      if (message.seq >= lastSequence || message.info.pending === 0) return;
    }
    if (seen === before) return;
  }
}
