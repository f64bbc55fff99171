import { SpanKind } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';

import type { Delivery, RecordedEvent } from '../event-sourcing/core/event.js';
import { LiveTable } from '../event-sourcing/projection/live-table.js';
import type { Changes, SubscriptionHandler } from '../event-sourcing/subscription/subscription-handler.js';
import { allSettled } from '../platform/async/all-settled.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import { type ExecutionEvent, ExecutionRequested, isWorkersStart } from '../tasks/domain/execution-events.js';
import { activeBatchProjection } from './active-batch.js';
import { type ActiveExecution, activeExecutionProjection, foldActive } from './active-execution.js';
import type { EffectRunner } from './effect-runner.js';
import { type Effect, effectsOf } from './effects.js';

/**
 * Events in, effects out. Effects run before the checkpoint is written: a crash in between repeats them. Each effect is
 * idempotent, because its id is computed from the event.
 */
export class Orchestrator implements SubscriptionHandler {
  private readonly executions: LiveTable;
  private readonly batches: LiveTable;

  constructor(
    pool: Pick<Pool, 'query'>,
    private readonly effects: EffectRunner,
  ) {
    this.executions = new LiveTable(pool, activeExecutionProjection);
    this.batches = new LiveTable(pool, activeBatchProjection);
  }

  concerns({ stream }: Pick<RecordedEvent, 'stream'>): boolean {
    return stream.type === 'execution' || stream.type === 'batch';
  }

  /** Not an end: the reconciler would find an execution that is pending, but has no job. */
  canWait(event: RecordedEvent): boolean {
    return event.type === ExecutionRequested.type || isWorkersStart(event);
  }

  async runEffects(deliveries: readonly Delivery[], signal: AbortSignal, ranUpTo: bigint): Promise<void> {
    // The starter of batches reads its table; its events have no other effect.
    const ofExecutions = deliveries.filter(({ event }) => event.stream.type === 'execution');
    const rows = await this.executions.rows(ofExecutions.map(({ event }) => event));
    const active = new Map<string, ActiveExecution | null>();
    for (const delivery of ofExecutions) {
      signal.throwIfAborted();
      const { id } = delivery.event.stream;
      const before = active.has(id) ? active.get(id)! : ((rows.get(id) as ActiveExecution | undefined) ?? null);
      const event = delivery.event as unknown as RecordedEvent<ExecutionEvent>;
      const after = foldActive(before, event);
      active.set(id, after);
      if (event.position > ranUpTo) await this.runAll(effectsOf(event, before, after), delivery);
    }
  }

  async change(events: readonly RecordedEvent[]): Promise<Changes> {
    const [executions, batches] = await allSettled([this.executions.change(events), this.batches.change(events)]);
    return {
      writes: [...executions.writes, ...batches.writes],
      applied: () => {
        executions.applied();
        batches.applied();
      },
    };
  }

  forget(): void {
    this.executions.forget();
    this.batches.forget();
  }

  async reset(client: PoolClient): Promise<void> {
    await client.query('delete from read.active_executions');
    await client.query('delete from read.active_batches');
  }

  /** In the trace of the event that caused them. */
  private async runAll(effects: readonly Effect[], { event, traceparent }: Delivery): Promise<void> {
    if (effects.length === 0) return;
    const attributes = { 'voidrunner.event': event.type, 'voidrunner.position': String(event.position) };
    await inSpan('orchestrator.handle', { kind: SpanKind.CONSUMER, attributes, traceparent }, async () => {
      for (const effect of effects) await this.effects.run(effect);
    });
  }
}
