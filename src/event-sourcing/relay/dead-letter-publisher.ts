import { DiscardPolicy, RetentionPolicy, StorageType } from 'nats';

import type { JsonObject } from '../../kernel/json.js';
import { asNatsUnavailable, isNoResponders } from '../../platform/nats/nats-errors.js';
import type { NatsLink } from '../../platform/nats/nats-link.js';
import { subjectPrefix } from './event-message.js';

/** People read dead letters: the newest hundred thousand of them are more than enough. */
export const DLQ_MESSAGES_MAX = 100_000;
export const DLQ_BYTES_MAX = 256 * 1024 ** 2;

export type DeadLetterKind = 'execution' | 'stream';

/** Publishes on `PREFIX_DLQ` what needs a person. The record stays in Postgres; this is only a notice. */
export class DeadLetterPublisher {
  readonly streamName: string;
  private readonly prefix: string;
  private ensured: Promise<void> | null = null;

  constructor(private readonly options: { readonly nats: NatsLink; readonly prefix: string }) {
    this.streamName = `${options.prefix}_DLQ`;
    this.prefix = `${subjectPrefix(options.prefix)}.dlq`;
  }

  /**
   * May be repeated: the stream drops a letter whose id it knows.
   * @param id identifies the letter and is the last token of its subject: no dots, blanks or wildcards
   * @throws Unavailable
   */
  async publish(kind: DeadLetterKind, id: string, body: JsonObject): Promise<void> {
    try {
      await this.ensure();
      await this.options.nats
        .jetstream()
        .publish(`${this.prefix}.${kind}.${id}`, JSON.stringify(body), { msgID: `${kind}-${id}` });
    } catch (error) {
      if (isNoResponders(error)) this.ensured = null;
      throw asNatsUnavailable(error);
    }
  }

  private ensure(): Promise<void> {
    this.ensured ??= this.create().catch((error: unknown) => {
      this.ensured = null;
      throw error;
    });
    return this.ensured;
  }

  /** Adding a stream that exists with the same configuration changes nothing. */
  private async create(): Promise<void> {
    const manager = await this.options.nats.manager();
    await manager.streams.add({
      name: this.streamName,
      subjects: [`${this.prefix}.>`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_msgs: DLQ_MESSAGES_MAX,
      max_bytes: DLQ_BYTES_MAX,
    });
  }
}
