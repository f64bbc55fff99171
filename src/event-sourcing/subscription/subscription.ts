import type { Pool } from 'pg';

import { Unavailable } from '../../kernel/errors.js';
import { delay } from '../../platform/async/delay.js';
import { Wakeup } from '../../platform/async/wakeup.js';
import type { LeaderLock } from '../../platform/postgres/leader-lock.js';
import { isOutage } from '../../platform/postgres/outage.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { EventCatalog } from '../core/event-catalog.js';
import type { Delivery } from '../core/event.js';
import type { RecentEvents } from '../event-store/recent-events.js';
import type { AppendSignal } from '../relay/append-signal.js';
import { deliveryOfStored } from '../relay/event-message.js';
import type { StoredEventReader } from '../relay/stored-event-reader.js';
import { BatchApplier, type PoisonLimits } from './batch-applier.js';
import { CheckpointMoved, CheckpointStore } from './checkpoint-store.js';
import { canAllWait, coalescedBatch } from './coalesced-batch.js';
import type { EventDelivery } from './event-delivery.js';
import { ParkedStreams } from './parked-streams.js';
import { Redriver } from './redriver.js';
import type { ParkedStream, SubscriptionHandler } from './subscription-handler.js';

export interface SubscriptionOptions {
  /** Names the checkpoint, the durable consumer and the leader lock: `projector`, `orchestrator`, … */
  readonly name: string;
  readonly pool: Pool;
  readonly events: StoredEventReader;
  /** Events that this process has just recorded itself: they are applied without waiting for their delivery. */
  readonly recent?: Pick<RecentEvents, 'after' | 'forget'>;
  readonly catalog: EventCatalog;
  readonly handler: SubscriptionHandler;
  readonly lock: LeaderLock;
  /** Null: Postgres only. */
  readonly delivery: EventDelivery | null;
  readonly appends: Pick<AppendSignal, 'onAppend'>;
  readonly log: Log;
  /** A span of this name for every event, from its application to the commit. */
  readonly spanName?: string;
  /** Sends a notice; retried until it does not throw. */
  readonly onParked?: (parked: ParkedStream) => Promise<void>;
  readonly poison?: PoisonLimits;
  readonly batchEventsMax?: number;
  readonly coalesceMs?: number;
  readonly lagMsMax?: number;
}

const BATCH_EVENTS_MAX = 500;
/** An event that does not arrive over JetStream within this time is read from Postgres. */
const LAG_MS_MAX = 250;
/**
 * Appends are signalled; for one that is not, the end of the log is read this often. Read every 250 ms, it was 12 of
 * the 31 statements per second of an idle process.
 */
const HEAD_INTERVAL_MS = 2_000;
const MAINTENANCE_INTERVAL_MS = 1_000;
/** Overdue events in a row after which consumption is restarted. */
const MISSED_MAX = 4;
const RETRY_DELAY_MS_MIN = 100;
const RETRY_DELAY_MS_MAX = 5_000;

/** The state of the leader between two steps. */
interface LeaderState {
  readonly applier: BatchApplier;
  readonly redriver: Redriver;
  catchingUp: boolean;
  /** Postgres holds an event that JetStream has had time to deliver. */
  overdue: boolean;
  /** The end of the log at the last check, while nothing was delivered. */
  headSeen: bigint;
  missed: number;
  /** When an event was last applied, or the end of the log checked. Wake-ups alone must not keep the check from coming. */
  quietSince: number;
  maintainAt: number;
  readHeadAt: number;
}

/**
 * Applies every event of the log once and in order. Events come over JetStream, and missing ones from Postgres, so the
 * subscription needs NATS only for speed. One leader at a time, fenced by its checkpoint.
 */
export class Subscription {
  private readonly wakeup = new Wakeup();
  private readonly checkpoints: CheckpointStore;
  private readonly parked: ParkedStreams;
  /** The end of the log, as far as it is known; null if it must be read. */
  private head: bigint | null = null;

  constructor(private readonly options: SubscriptionOptions) {
    this.checkpoints = new CheckpointStore(options.pool, options.name);
    this.parked = new ParkedStreams(options.pool);
  }

  /** Whether this process is the leader. */
  get leads(): boolean {
    return this.options.lock.leads;
  }

  /** Looks at the events that it holds: one of them may no longer wait. */
  wake(): void {
    this.wakeup.wake();
  }

  /** Applies whenever it leads, until the signal aborts. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    // While NATS delivers, an append alone is no reason to poll: its message is on the way.
    const stop = this.options.appends.onAppend((position) => {
      if (position === null || this.head === null || position > this.head) this.head = position;
      if (!this.options.delivery?.connected || this.hasRecorded(position)) this.wakeup.wake();
    });
    try {
      await this.options.lock.run(signal, (leadSignal) => this.lead(leadSignal));
    } finally {
      stop();
    }
  }

  /**
   * Applies without contending for leadership; the checkpoint is the fence. Ends with the leadership. Public for
   * tests.
   */
  async lead(signal: AbortSignal): Promise<void> {
    const stopped = new AbortController();
    const until = AbortSignal.any([signal, stopped.signal]);
    const state = await this.open();
    const delivering = this.options.delivery?.run(until, {
      epoch: state.applier.epoch,
      checkpoint: () => state.applier.position,
      onDelivery: () => this.wakeup.wake(),
    });
    try {
      await this.steps(state, signal);
    } finally {
      stopped.abort();
      await delivering;
    }
  }

  private async steps(state: LeaderState, signal: AbortSignal): Promise<void> {
    const { log, name } = this.options;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.step(state, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof CheckpointMoved || !(error instanceof Unavailable || isOutage(error))) throw error;
        if (failures === 0) log.warn({ err: error, subscription: name }, 'subscription waits for an outage to end');
        const delayMs = Math.min(RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_MIN * 2 ** Math.min(failures, 10));
        failures += 1;
        await delay(delayMs, { signal });
      }
    }
  }

  private async step(state: LeaderState, signal: AbortSignal): Promise<void> {
    if (Date.now() >= state.maintainAt) await this.maintain(state, signal);
    const { seen, batch } = await coalescedBatch({
      ...{ wakeup: this.wakeup, signal, coalesceMs: this.options.coalesceMs },
      nextBatch: () => this.nextBatch(state),
      canWait: (deliveries) => !state.catchingUp && canAllWait(this.options.handler, deliveries),
      beforeWait: (deliveries) => state.applier.runAhead(deliveries, signal),
    });
    if (batch.length > 0) {
      await state.applier.apply(batch, signal);
      this.options.delivery?.acknowledgeUpTo(state.applier.position);
      state.quietSince = performance.now();
      return;
    }
    const lagMsMax = this.options.lagMsMax ?? LAG_MS_MAX;
    const woken = await this.wakeup.wait(seen, lagMsMax, signal);
    if (!this.options.delivery?.connected) state.catchingUp = true;
    if (woken && performance.now() - state.quietSince < lagMsMax) return;
    if (this.options.delivery?.connected) await this.findOverdue(state);
    await state.applier.save();
    state.quietSince = performance.now();
  }

  /**
   * Nothing arrived: either nothing was appended, or it was not delivered. An event that Postgres held at the last
   * check and that has not arrived has had its time. A newer one may be on the way, and reading it would only
   * duplicate its delivery.
   */
  private async findOverdue(state: LeaderState): Promise<void> {
    state.overdue = state.headSeen > state.applier.position;
    state.catchingUp = state.overdue;
    state.headSeen = await this.endOfLog(state);
  }

  private hasRecorded(position: bigint | null): boolean {
    return position !== null && (this.options.recent?.after(position - 1n, 1).length ?? 0) > 0;
  }

  private async endOfLog(state: LeaderState): Promise<bigint> {
    const known = this.head;
    if (known !== null && Date.now() < state.readHeadAt) return known;
    const { position } = await this.options.events.head();
    // Unless an append was signalled meanwhile. May be lower: after a restore.
    if (this.head === known) this.head = position;
    state.readHeadAt = Date.now() + HEAD_INTERVAL_MS;
    return position;
  }

  private async nextBatch(state: LeaderState): Promise<readonly Delivery[]> {
    const { recent, delivery, events, catalog, batchEventsMax = BATCH_EVENTS_MAX } = this.options;
    const { position } = state.applier;
    const recorded = recent?.after(position, batchEventsMax) ?? [];
    const delivered =
      recorded.length > 0
        ? recorded.map((event) => deliveryOfStored(catalog, event))
        : (delivery?.next(position, batchEventsMax) ?? []);
    if (delivered.length > 0) {
      state.catchingUp = false;
      state.overdue = false;
      state.missed = 0;
      return delivered;
    }
    if (!state.catchingUp && !delivery?.hasGap(position)) return [];
    const rows = await events.readAllStored(position, batchEventsMax);
    state.catchingUp = rows.length > 0;
    if (rows.length > 0 && state.overdue && delivery?.connected && ++state.missed >= MISSED_MAX) {
      state.missed = 0;
      delivery.restart();
    }
    state.overdue = false;
    return rows.map((event) => deliveryOfStored(catalog, event));
  }

  /** Work that events do not trigger: saving the checkpoint, and reporting and redriving parked streams. */
  private async maintain(state: LeaderState, signal: AbortSignal): Promise<void> {
    await state.applier.save();
    const entries = await this.parked.entries(this.options.name);
    for (const entry of entries) {
      if (entry.redriveRequested) await state.redriver.redrive(entry, signal);
      if (!entry.reported) await this.report(entry);
    }
    const left = entries.length === 0 ? [] : await this.parked.entries(this.options.name);
    state.applier.skip(left.map(({ streamId }) => streamId));
    // Last: if it fails, it is repeated before anything is applied, because the streams to skip may have changed.
    state.maintainAt = Date.now() + MAINTENANCE_INTERVAL_MS;
  }

  private async report(parked: ParkedStream): Promise<void> {
    const { onParked, log, name } = this.options;
    try {
      await onParked?.(parked);
      await this.parked.markReported(parked);
    } catch (error) {
      log.warn({ err: error, subscription: name, stream_id: parked.streamId }, 'a parked stream is not reported yet');
    }
  }

  private async open(): Promise<LeaderState> {
    const { events, recent, name, handler, log } = this.options;
    handler.forget?.();
    // The lead may have been lost with the server: the events in memory may be of a log that is no more.
    recent?.forget();
    const head = await events.head();
    let checkpoint = await this.checkpoints.load(head.epoch);
    if (checkpoint.epoch !== head.epoch || checkpoint.position > head.position) {
      const ahead = checkpoint.position > head.position;
      const position = !ahead ? checkpoint.position : handler.reset ? 0n : head.position;
      log.warn(
        { subscription: name, from: checkpoint.position.toString(), to: position.toString() },
        'checkpoint changed after a restore',
      );
      const to = { position, epoch: head.epoch };
      checkpoint = await this.checkpoints.moveWith(checkpoint, to, async (client) => {
        if (ahead) await handler.reset?.(client);
      });
    }
    const parts = { ...this.options, checkpoints: this.checkpoints, parked: this.parked };
    const applier = new BatchApplier(parts, checkpoint);
    return {
      applier,
      redriver: new Redriver(parts, applier),
      catchingUp: true,
      overdue: false,
      headSeen: 0n,
      missed: 0,
      quietSince: performance.now(),
      maintainAt: 0,
      readHeadAt: 0,
    };
  }
}
