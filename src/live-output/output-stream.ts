import { DiscardPolicy, nanos, RetentionPolicy, StorageType, type StreamConfig } from 'nats';

import { subjectPrefix } from '../event-sourcing/relay/event-message.js';
import { isStreamMissing } from '../platform/nats/nats-errors.js';
import type { NatsLink } from '../platform/nats/nats-link.js';
import type { OutputSource } from './live-output.js';

/** How long a chunk is kept: by then, or soon after, the end of the attempt has stored the whole output in Postgres. */
export const OUTPUT_KEPT_MS = 600_000;

export interface OutputStreamOptions {
  readonly nats: NatsLink;
  /** `VOIDRUNNER` names the stream `VOIDRUNNER_OUTPUT` and the subjects `voidrunner.output.>`. */
  readonly prefix: string;
  /** Maximum size of the stream; beyond it JetStream discards the oldest messages. */
  readonly bytesMax: number;
}

/** The JetStream stream of live output, in the server's memory. Publishers and readers create it on demand. */
export class OutputStream {
  readonly name: string;
  private readonly subjects: string;
  private ensured: Promise<unknown> | null = null;

  constructor(private readonly options: OutputStreamOptions) {
    this.name = `${options.prefix}_OUTPUT`;
    this.subjects = `${subjectPrefix(options.prefix)}.output`;
  }

  subjectOf({ executionId, attempt, startId, stream }: OutputSource): string {
    return `${this.subjects}.${executionId}.${attempt}.${startId}.${stream}`;
  }

  /** Creates the stream unless it exists. Checks once, and again after `invalidate`. @throws NatsError, Unavailable */
  async ensure(): Promise<void> {
    this.ensured ??= this.create();
    try {
      await this.ensured;
    } catch (error) {
      this.invalidate();
      throw error;
    }
  }

  /** Deletes the chunks of an execution. @throws NatsError, Unavailable */
  async purge(executionId: string): Promise<void> {
    await this.ensure();
    const { streams } = await this.options.nats.manager();
    await streams.purge(this.name, { filter: `${this.subjects}.${executionId}.>` });
  }

  /** The stream may be missing: it is lost when the server restarts. */
  invalidate(): void {
    this.ensured = null;
  }

  private async create(): Promise<void> {
    const { streams } = await this.options.nats.manager();
    const found = await streams.info(this.name).catch((error: unknown) => {
      if (isStreamMissing(error)) return null;
      throw error;
    });
    if (!found) await streams.add(this.config());
    else if (found.config.max_bytes !== this.options.bytesMax) {
      await streams.update(this.name, { ...found.config, max_bytes: this.options.bytesMax });
    }
  }

  private config(): Partial<StreamConfig> {
    return {
      name: this.name,
      subjects: [`${this.subjects}.>`],
      storage: StorageType.Memory,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(OUTPUT_KEPT_MS),
      max_bytes: this.options.bytesMax,
    };
  }
}
