import { SpanKind } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';

import type { Delivery, RecordedEvent } from '../event-sourcing/core/event.js';
import { LiveTable } from '../event-sourcing/projection/live-table.js';
import type { Changes, SubscriptionHandler } from '../event-sourcing/subscription/subscription-handler.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import { type ExecutionEvent, ExecutionRequested, isWorkersStart } from '../tasks/domain/execution-events.js';
import { type ActiveExecution, activeExecutionProjection, foldActive } from './active-execution.js';
import type { EffectRunner } from './effect-runner.js';
import { type Effect, effectsOf } from './effects.js';

/**
 * Events in, effects out. Effects run before the checkpoint is written: a crash in between repeats them. Each effect is
 * idempotent, because its id is computed from the event.
 */
export class Orchestrator implements SubscriptionHandler {
  private readonly table: LiveTable;

  constructor(
    pool: Pick<Pool, 'query'>,
    private readonly effects: EffectRunner,
  ) {
    this.table = new LiveTable(pool, activeExecutionProjection);
  }

  concerns({ stream }: Pick<RecordedEvent, 'stream'>): boolean {
    return stream.type === 'execution';
  }

  /** Not an end: the reconciler would find an execution that is pending, but has no job. */
  canWait(event: RecordedEvent): boolean {
    return event.type === ExecutionRequested.type || isWorkersStart(event);
  }

  async runEffects(deliveries: readonly Delivery[], signal: AbortSignal, ranUpTo: bigint): Promise<void> {
    const rows = await this.table.rows(deliveries.map(({ event }) => event));
    const active = new Map<string, ActiveExecution | null>();
    for (const delivery of deliveries) {
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
    return await this.table.change(events);
  }

  forget(): void {
    this.table.forget();
  }

  async reset(client: PoolClient): Promise<void> {
    await client.query('delete from read.active_executions');
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
