import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  headers,
  type JsMsg,
  type Msg,
  type MsgHdrs,
  nanos,
  NatsError,
} from 'nats';

import { Unavailable } from '../kernel/errors.js';
import { ignoreErrors } from '../platform/async/ignore-errors.js';
import { scheduleMinorGc } from '../platform/memory/minor-gc.js';
import type { NatsLink } from '../platform/nats/nats-link.js';
import { LiveOutput, type OutputChunk, type OutputSource } from './live-output.js';
import { LiveQueue } from './live-queue.js';
import { OUTPUT_KEPT_MS, OutputStream } from './output-stream.js';

const OFFSET_HEADER = 'Voidrunner-Offset';
/** Chunks of the history in one fetch: 32 chunks of 64 KiB are 2 MiB. */
const FETCH_MESSAGES_MAX = 32;
/** A fetch may wait in vain: a counted message may have expired meanwhile. */
const FETCH_TIMEOUT_MS = 2_000;
/** NATS removes a consumer after this time if its reader did not. */
const CONSUMER_IDLE_MS = 30_000;

/**
 * Live output over NATS. A reader subscribes to new chunks, and reads from the memory stream the chunks that were
 * published before, or faster than it could take them. Rejected: an ordered consumer for both. It buffers without limit
 * for a slow reader, and pulls a second time for each chunk.
 */
export class NatsLiveOutput extends LiveOutput {
  override readonly keptMs = OUTPUT_KEPT_MS;
  private readonly stream: OutputStream;
  private readonly nats: NatsLink;

  constructor(options: { readonly nats: NatsLink; readonly prefix: string; readonly bytesMax: number }) {
    super();
    this.nats = options.nats;
    this.stream = new OutputStream(options);
  }

  override async publish(source: OutputSource, { offset, bytes }: OutputChunk): Promise<void> {
    const facts = headers();
    facts.set(OFFSET_HEADER, String(offset));
    await this.asking(async () => {
      await this.stream.ensure();
      await this.nats.jetstream().publish(this.stream.subjectOf(source), bytes, { headers: facts });
    });
    scheduleMinorGc(bytes.length);
  }

  override async *read(source: OutputSource, signal: AbortSignal): AsyncGenerator<OutputChunk> {
    const queue = new LiveQueue();
    const stopWatching = this.nats.onStateChange(() => queue.markLost());
    const connection = this.nats.connection();
    // Subscribes first: a chunk published while the history is read is then in the queue, the history, or both.
    const subscription = connection.subscribe(this.stream.subjectOf(source), {
      callback: (error, message) => {
        if (error) queue.markLost();
        else if (isChunk(message)) queue.push(chunkOf(message));
      },
    });
    try {
      let chunks: readonly OutputChunk[] | null = null;
      let next = 1;
      while (!signal.aborted) {
        if (chunks === null) {
          queue.restart();
          for await (const message of this.history(source, next, signal)) {
            next = message.seq + 1;
            if (isChunk(message)) yield chunkOf(message);
          }
        } else {
          yield* chunks;
        }
        chunks = await queue.take(signal);
      }
    } finally {
      stopWatching();
      // A closed connection has no subscriptions left.
      if (!connection.isClosed()) subscription.unsubscribe();
    }
  }

  override async forget(executionId: string): Promise<void> {
    await this.asking(() => this.stream.purge(executionId));
  }

  override onLoss(listener: () => void): () => void {
    return this.nats.onStateChange((connected) => {
      this.stream.invalidate();
      if (connected) listener();
    });
  }

  /** The chunks of a source that the stream holds now, from a sequence number on. */
  private async *history(source: OutputSource, sequence: number, signal: AbortSignal): AsyncGenerator<JsMsg> {
    const consumer = await this.asking(() => this.consumerOf(source, sequence));
    try {
      let left = consumer.num_pending;
      while (left > 0 && !signal.aborted) {
        const messages = await this.asking(() => this.fetch(consumer, left));
        // Fewer than requested: the others have expired.
        left = messages.length === 0 ? 0 : left - messages.length;
        yield* messages;
      }
    } finally {
      void ignoreErrors(this.removed(consumer), 'the server removes an idle consumer');
    }
  }

  private async consumerOf(source: OutputSource, sequence: number): Promise<ConsumerInfo> {
    await this.stream.ensure();
    return (await this.nats.manager()).consumers.add(this.stream.name, {
      filter_subject: this.stream.subjectOf(source),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: sequence,
      ack_policy: AckPolicy.None,
      inactive_threshold: nanos(CONSUMER_IDLE_MS),
      mem_storage: true,
    });
  }

  private async fetch(consumer: ConsumerInfo, left: number): Promise<readonly JsMsg[]> {
    const handle = this.nats.jetstream().consumers.getPullConsumerFor(consumer);
    const max_messages = Math.min(left, FETCH_MESSAGES_MAX);
    const messages: JsMsg[] = [];
    for await (const message of await handle.fetch({ max_messages, expires: FETCH_TIMEOUT_MS })) messages.push(message);
    return messages;
  }

  private async removed({ stream_name, name }: ConsumerInfo): Promise<void> {
    await (await this.nats.manager()).consumers.delete(stream_name, name);
  }

  /** Maps any NATS error to Unavailable: the stream may be missing, and no execution depends on live output. */
  private async asking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.stream.invalidate();
      if (!(error instanceof NatsError)) throw error;
      throw new Unavailable('nats', 'NATS does not accept live output', { cause: error });
    }
  }
}

const offsetOf = (facts: MsgHdrs | undefined): number => Number(facts?.get(OFFSET_HEADER) || 0);

/** Nothing that a reader of events can have sent to the subject has the header: docs/adr/0066. */
const isChunk = ({ headers: facts }: Pick<Msg | JsMsg, 'headers'>): boolean => facts?.has(OFFSET_HEADER) ?? false;

const chunkOf = ({ headers: facts, data }: Pick<Msg | JsMsg, 'headers' | 'data'>): OutputChunk => ({
  offset: offsetOf(facts),
  bytes: data,
});
