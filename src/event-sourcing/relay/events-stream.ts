import {
  DiscardPolicy,
  type JetStreamManager,
  nanos,
  RetentionPolicy,
  type StoredMsg,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from 'nats';

import { Unavailable } from '../../kernel/errors.js';
import { asNatsUnavailable, isMessageMissing, isStreamMissing } from '../../platform/nats/nats-errors.js';
import type { NatsLink } from '../../platform/nats/nats-link.js';
import { EventHeader, subjectPrefix } from './event-message.js';

/** Redeliveries of the relay come within seconds; the window costs the server memory for each message in it. */
const DUPLICATE_WINDOW_MS = 120_000;

export interface EventsStreamOptions {
  readonly nats: NatsLink;
  /** `VOIDRUNNER` names the stream `VOIDRUNNER_EVENTS` and the subjects `voidrunner.events.>`. */
  readonly prefix: string;
  /** Bytes at most; past them JetStream discards its oldest. */
  readonly bytesMax: number;
}

/** Where the stream ends. `message` is null for a stream that holds none. */
export interface StreamTail {
  /** Of the last message ever taken, whether it is still there or not: what the next publish must expect. */
  readonly lastSequence: number;
  readonly message: { readonly position: bigint; readonly eventId: string; readonly epoch: number } | null;
}

/** The JetStream stream of events: a delivery of what Postgres holds, which may be deleted and filled again. */
export class EventsStream {
  readonly name: string;
  readonly subjects: string;

  constructor(private readonly options: EventsStreamOptions) {
    this.name = `${options.prefix}_EVENTS`;
    this.subjects = `${subjectPrefix(options.prefix)}.events.>`;
  }

  /** Makes the stream be there, with the limits configured. @throws Unavailable */
  async ensure(): Promise<StreamInfo> {
    return await this.api(async (manager) => {
      const found = await manager.streams.info(this.name).catch(nullWhenMissing);
      if (!found) return await manager.streams.add(this.config());
      if (found.config.max_bytes === this.options.bytesMax) return found;
      return await manager.streams.update(this.name, { ...found.config, max_bytes: this.options.bytesMax });
    });
  }

  /** Null where there is no such stream. @throws Unavailable */
  async info(): Promise<StreamInfo | null> {
    return await this.api((manager) => manager.streams.info(this.name).catch(nullWhenMissing));
  }

  /** Deletes the stream, its consumers and its memory of message ids, and makes an empty one. @throws Unavailable */
  async recreate(): Promise<void> {
    await this.api(async (manager) => {
      await manager.streams.delete(this.name).catch(nullWhenMissing);
      await manager.streams.add(this.config());
    });
  }

  /** @throws Unavailable */
  async tail(): Promise<StreamTail> {
    const info = await this.ensure();
    const lastSequence = info.state.last_seq;
    if (info.state.messages === 0) return { lastSequence, message: null };
    // By subject first: the very last message may have been deleted by hand.
    const last = (await this.message({ last_by_subj: this.subjects })) ?? (await this.message({ seq: lastSequence }));
    // It had messages a moment ago. Nothing is known of it now, least of all that it is empty.
    if (!last) throw new Unavailable('nats', 'the stream does not tell its last message');
    // Another relay may have published in between. Its message with the sequence from before would be a place that never
    // was: a stream that is made anew and comes by that sequence would take what follows the message, and have a gap.
    return { lastSequence: Math.max(lastSequence, last.seq), message: identity(last) };
  }

  /** The position of the oldest message, and its sequence; null for an empty stream. @throws Unavailable */
  async first(): Promise<{ sequence: number; position: bigint; lastSequence: number } | null> {
    const info = await this.info();
    if (!info || info.state.messages === 0) return null;
    const message = await this.message({ seq: info.state.first_seq });
    if (!message) return null;
    return { sequence: message.seq, position: identity(message).position, lastSequence: info.state.last_seq };
  }

  private async message(query: { seq: number } | { last_by_subj: string }): Promise<StoredMsg | null> {
    return await this.api((manager) => manager.streams.getMessage(this.name, query).catch(nullWhenMissing));
  }

  private config(): Partial<StreamConfig> {
    return {
      name: this.name,
      subjects: [this.subjects],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: 0,
      max_bytes: this.options.bytesMax,
      duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    };
  }

  private async api<T>(call: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    try {
      return await call(await this.options.nats.manager());
    } catch (error) {
      throw asNatsUnavailable(error);
    }
  }
}

function nullWhenMissing(error: unknown): null {
  if (isStreamMissing(error) || isMessageMissing(error)) return null;
  throw error;
}

function identity(message: StoredMsg): NonNullable<StreamTail['message']> {
  const { header } = message;
  return {
    position: BigInt(header.get(EventHeader.position) || 0),
    eventId: header.get('Nats-Msg-Id'),
    epoch: Number(header.get(EventHeader.epoch) || -1),
  };
}
