import type { PoolClient } from 'pg';

import { Unavailable } from '../../kernel/errors.js';
import { delay } from '../../platform/async/delay.js';
import { asUnavailable, isOutage } from '../../platform/postgres/outage.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { Delivery, RecordedEvent } from '../core/event.js';
import { CheckpointMoved, type CheckpointStore } from './checkpoint-store.js';
import { withEventSpans } from './event-spans.js';
import type { Checkpoint } from './move-statement.js';
import { type ParkedStreams, parkingError } from './parked-streams.js';
import type { SubscriptionHandler } from './subscription-handler.js';

/**
 * When an event counts as poison: both limits must be reached, so that a short failure during a deployment parks
 * nothing.
 */
export interface PoisonLimits {
  readonly failures: number;
  readonly overMs: number;
}

export const POISON_LIMITS: PoisonLimits = { failures: 5, overMs: 5_000 };

export interface BatchApplierOptions {
  readonly name: string;
  readonly handler: SubscriptionHandler;
  readonly checkpoints: CheckpointStore;
  readonly parked: ParkedStreams;
  readonly log: Log;
  readonly spanName?: string;
  readonly poison?: PoisonLimits;
}

/** Whether a failure is unrelated to the events, which are then retried without limit. */
export const isRetryable = (error: unknown): boolean =>
  error instanceof Unavailable || error instanceof CheckpointMoved || isOutage(error);

/** Applies batches of events and moves the checkpoint; parks the streams of poison events. */
export class BatchApplier {
  private checkpoint: Checkpoint;
  /** The checkpoint, or past it by events that do not concern the handler. */
  private passed: bigint;
  /** Effects of events up to here have run. */
  private ranUpTo = 0n;
  private skipped: ReadonlySet<string> = new Set();
  /** The one event that blocks, by position; kept through an outage. */
  private failing: { position: bigint; failures: number; since: number } | null = null;

  constructor(
    private readonly options: BatchApplierOptions,
    checkpoint: Checkpoint,
  ) {
    this.checkpoint = checkpoint;
    this.passed = checkpoint.position;
  }

  get position(): bigint {
    return this.passed;
  }

  get epoch(): number {
    return this.checkpoint.epoch;
  }

  /** These streams are parked: their events are skipped. */
  skip(streamIds: Iterable<string>): void {
    const before = this.skipped;
    this.skipped = new Set(streamIds);
    // Effects of these streams have not run, even of events before others that were held.
    if ([...before].some((id) => !this.skipped.has(id))) this.ranUpTo = 0n;
  }

  /**
   * Applies events that follow the checkpoint without a gap.
   * @throws Unavailable and CheckpointMoved; events before the failure stay applied
   */
  async apply(deliveries: readonly Delivery[], signal: AbortSignal): Promise<void> {
    const last = deliveries.at(-1)?.event;
    if (!last) return;
    const due = this.due(deliveries);
    // Without `concerns`, a caller may wait for the position even if nothing of the batch is applied.
    if (due.length === 0 && this.options.handler.concerns) this.passed = last.position;
    else await this.applyOrSplit(due, last.position, signal);
  }

  /**
   * Runs the effects of events that wait until they are applied.
   * @returns false after a failure: `apply` repeats them, and deals with it
   */
  async runAhead(deliveries: readonly Delivery[], signal: AbortSignal): Promise<boolean> {
    const { handler } = this.options;
    const due = this.due(deliveries);
    const last = due.at(-1)?.event;
    if (!handler.runEffects || !last || last.position <= this.ranUpTo) return true;
    try {
      await handler.runEffects(due, signal, this.ranUpTo);
    } catch {
      return false;
    }
    this.ranUpTo = last.position;
    return true;
  }

  /** Moves the checkpoint to the position of the applier. @throws Unavailable and CheckpointMoved */
  async save(): Promise<void> {
    if (this.checkpoint.position === this.passed) return;
    const to = { ...this.checkpoint, position: this.passed };
    this.moved(await this.options.checkpoints.move(this.checkpoint, to, []));
  }

  /** Upcasts and applies without moving the checkpoint past its position: the fold of a redrive. */
  async refold(
    deliveries: readonly Delivery[],
    signal: AbortSignal,
    extraWork: (client: PoolClient) => Promise<void>,
  ): Promise<void> {
    // None of its effects has run: the stream was parked.
    this.ranUpTo = 0n;
    await this.commit(deliveries.filter(this.concerns), this.position, signal, extraWork);
  }

  /**
   * Does work in one transaction with the checkpoint, which keeps its position. Like every write, it is refused if
   * leadership is lost.
   */
  async note(work: (client: PoolClient) => Promise<void>): Promise<void> {
    this.checkpoint = await this.options.checkpoints.moveWith(this.checkpoint, this.checkpoint, work);
  }

  private due(deliveries: readonly Delivery[]): readonly Delivery[] {
    return deliveries.filter((delivery) => this.isOpen(delivery) && this.concerns(delivery));
  }

  private readonly isOpen = ({ event }: Delivery): boolean => !this.skipped.has(event.stream.id);

  private readonly concerns = ({ event }: Delivery): boolean => this.options.handler.concerns?.(event) ?? true;

  private moved(to: Checkpoint): void {
    this.checkpoint = to;
    this.passed = to.position;
    this.options.handler.committed?.(to.position);
  }

  private async applyOrSplit(deliveries: readonly Delivery[], upTo: bigint, signal: AbortSignal): Promise<void> {
    try {
      await this.commit(deliveries, upTo, signal);
    } catch (error) {
      if (signal.aborted || isRetryable(error)) throw asUnavailable(error);
      const [first] = deliveries;
      if (!first) throw error;
      if (deliveries.length === 1) return await this.retryOrPark(first, upTo, error, signal);
      // A stream parked in the first half must not be applied in the second.
      const middle = deliveries.length >> 1;
      const head = deliveries.slice(0, middle);
      await this.applyOrSplit(head, head.at(-1)!.event.position, signal);
      await this.applyOrSplit(deliveries.slice(middle).filter(this.isOpen), upTo, signal);
    }
  }

  private async retryOrPark(delivery: Delivery, upTo: bigint, cause: unknown, signal: AbortSignal): Promise<void> {
    const { event } = delivery;
    const { failures: failuresMax, overMs } = this.options.poison ?? POISON_LIMITS;
    let error = cause;
    for (;;) {
      if (this.failing?.position !== event.position) {
        this.failing = { position: event.position, failures: 0, since: Date.now() };
      }
      this.failing.failures += 1;
      this.logFailure(event, error);
      if (this.failing.failures >= failuresMax && Date.now() - this.failing.since >= overMs) break;
      await delay(Math.ceil(overMs / (failuresMax - 1 || 1)), { signal });
      signal.throwIfAborted();
      try {
        await this.commit([delivery], upTo, signal);
        this.failing = null;
        return;
      } catch (again) {
        if (signal.aborted || isRetryable(again)) throw asUnavailable(again);
        error = again;
      }
    }
    await this.park(event, upTo, error);
  }

  private async commit(
    deliveries: readonly Delivery[],
    upTo: bigint,
    signal: AbortSignal,
    extraWork?: (client: PoolClient) => Promise<void>,
  ): Promise<void> {
    const { handler, checkpoints, spanName } = this.options;
    const events = deliveries.map(({ event }) => event);
    for (const event of events) upcast(event);
    const from = this.checkpoint;
    const to = { ...from, position: upTo };
    const now = await withEventSpans(spanName, deliveries, async () => {
      if (events.length > 0) await handler.runEffects?.(deliveries, signal, this.ranUpTo);
      const changes = events.length > 0 ? await handler.change?.(events) : undefined;
      const writes = changes?.writes ?? [];
      const moved = await (extraWork
        ? checkpoints.moveWith(from, to, extraWork, writes)
        : checkpoints.move(from, to, writes));
      changes?.applied();
      return moved;
    });
    this.moved(now);
  }

  private async park(event: RecordedEvent, upTo: bigint, error: unknown): Promise<void> {
    const { checkpoints, parked, name, log } = this.options;
    const to = { ...this.checkpoint, position: upTo };
    const { type: streamType, id: streamId } = event.stream;
    const now = await checkpoints.moveWith(this.checkpoint, to, (client) =>
      parked.park(client, {
        ...{ subscription: name, streamType, streamId },
        ...{ fromPosition: event.position, fromVersion: event.version, error: parkingError(error) },
      }),
    );
    log.error({ subscription: name, stream_id: event.stream.id, position: event.position.toString() }, 'stream parked');
    this.failing = null;
    this.skipped = new Set([...this.skipped, event.stream.id]);
    this.moved(now);
  }

  private logFailure(event: RecordedEvent, error: unknown): void {
    const { log, name } = this.options;
    const { position, type } = event;
    log.error(
      { err: error, subscription: name, position: position.toString(), type, failures: this.failing?.failures },
      'event failed',
    );
  }
}

/** Before any handler sees the batch: an event that cannot be upcast is poison even if its data is never read. */
const upcast = (event: RecordedEvent): unknown => event.data;
