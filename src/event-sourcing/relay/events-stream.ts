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

/** The relay repeats a publish within seconds; the window costs the server memory for each message in it. */
const DUPLICATE_WINDOW_MS = 120_000;

export interface EventsStreamOptions {
  readonly nats: NatsLink;
  /** `VOIDRUNNER` names the stream `VOIDRUNNER_EVENTS` and the subjects `voidrunner.events.>`. */
  readonly prefix: string;
  /** Bytes at most; beyond that, JetStream discards the oldest messages. */
  readonly bytesMax: number;
}

/** The end of the stream. `message` is null if the stream holds none. */
export interface StreamTail {
  /** Of the last message ever accepted, even if it no longer exists: the next publish must expect it. */
  readonly lastSequence: number;
  readonly message: { readonly position: bigint; readonly eventId: string; readonly epoch: number } | null;
}

/** The JetStream stream of events: a copy of what Postgres holds, which may be deleted and filled again. */
export class EventsStream {
  readonly name: string;
  readonly subjects: string;

  constructor(private readonly options: EventsStreamOptions) {
    this.name = `${options.prefix}_EVENTS`;
    this.subjects = `${subjectPrefix(options.prefix)}.events.>`;
  }

  /** Creates the stream if it does not exist, and sets the configured limits. @throws Unavailable */
  async ensure(): Promise<StreamInfo> {
    return await this.api(async (manager) => {
      const found = await manager.streams.info(this.name).catch(nullWhenMissing);
      if (!found) return await manager.streams.add(this.config());
      if (found.config.max_bytes === this.options.bytesMax) return found;
      return await manager.streams.update(this.name, { ...found.config, max_bytes: this.options.bytesMax });
    });
  }

  /** Null if the stream does not exist. @throws Unavailable */
  async info(): Promise<StreamInfo | null> {
    return await this.api((manager) => manager.streams.info(this.name).catch(nullWhenMissing));
  }

  /** Deletes the stream, its consumers and its memory of message ids, and creates an empty one. @throws Unavailable */
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
    // It had messages a moment ago, so it must not be taken for empty.
    if (!last) throw new Unavailable('nats', 'the stream did not return its last message');
    // Another relay may have published in between. Its message with the earlier sequence would be a point that never
    // existed: a recreated stream that reaches that sequence would accept the events after the message, and have a
    // gap.
    return { lastSequence: Math.max(lastSequence, last.seq), message: identity(last) };
  }

  /** The position and sequence of the oldest message; null for an empty stream. @throws Unavailable */
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
