import { DiscardPolicy, RetentionPolicy, StorageType } from 'nats';

import { messagesOf } from '../../event-sourcing/relay/stream-messages.js';
import {
  asNatsUnavailable,
  isMessageMissing,
  isNoResponders,
  isStreamMissing,
} from '../../platform/nats/nats-errors.js';
import type { NatsLink } from '../../platform/nats/nats-link.js';
import type { Checkpoint } from '../proofs/checkpoint.js';
import type { CheckpointAnchor } from './anchor.js';

/** A day of one checkpoint a second. */
export const CHECKPOINT_MESSAGES_MAX = 86_400;
export const CHECKPOINT_BYTES_MAX = 64 * 1024 ** 2;

const decoder = new TextDecoder();

/** `PREFIX_CHECKPOINTS` on JetStream: for consumers, and for `verify`. Who writes to it must still sign. */
export class CheckpointStream implements CheckpointAnchor {
  readonly name: string;
  private readonly subject: string;
  private ensured = false;

  constructor(private readonly options: { readonly nats: NatsLink; readonly prefix: string }) {
    this.name = `${options.prefix}_CHECKPOINTS`;
    this.subject = `${options.prefix.toLowerCase()}.checkpoints`;
  }

  async publish({ note }: Checkpoint): Promise<void> {
    try {
      await this.ensure();
      await this.options.nats.jetstream().publish(this.subject, note);
    } catch (error) {
      if (isNoResponders(error)) this.ensured = false;
      throw asNatsUnavailable(error);
    }
  }

  async newest(): Promise<string | null> {
    try {
      const manager = await this.options.nats.manager();
      const message = await manager.streams.getMessage(this.name, { last_by_subj: this.subject });
      return decoder.decode(message.data);
    } catch (error) {
      if (isStreamMissing(error) || isMessageMissing(error)) return null;
      throw asNatsUnavailable(error);
    }
  }

  async *notes(): AsyncGenerator<string> {
    for await (const message of messagesOf(this.options.nats, this)) yield message.string();
  }

  /** Null if the stream is empty or does not exist. @throws Unavailable */
  async first(): Promise<{ readonly lastSequence: number } | null> {
    try {
      const { state } = await (await this.options.nats.manager()).streams.info(this.name);
      return state.messages === 0 ? null : { lastSequence: state.last_seq };
    } catch (error) {
      if (isStreamMissing(error)) return null;
      throw asNatsUnavailable(error);
    }
  }

  /** Adding a stream that exists with the same configuration changes nothing. */
  private async ensure(): Promise<void> {
    if (this.ensured) return;
    const manager = await this.options.nats.manager();
    await manager.streams.add({
      name: this.name,
      subjects: [this.subject],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_msgs: CHECKPOINT_MESSAGES_MAX,
      max_bytes: CHECKPOINT_BYTES_MAX,
    });
    this.ensured = true;
  }
}
