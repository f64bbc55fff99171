import { SpanKind } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';

import type { ExecutionEvent } from '../../execution/domain/execution-events.js';
import type { RecordedEvent } from '../../kernel/event.js';
import { ProjectionTable } from '../../platform/projection/projection-table.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import type { DeliveredEvent, SubscriptionHandler } from '../../platform/subscription/subscription-handler.js';
import { inSpan } from '../../platform/telemetry/trace-context.js';
import { type ActiveExecution, activeExecutionProjection, foldActive } from './active-execution.js';
import type { EffectRunner } from './effect-runner.js';
import { type Effect, effectsOf } from './effects.js';

/**
 * Events in, effects out. Effects come first and the checkpoint second: a crash between repeats them, and each bears
 * that, since its identity follows from the event.
 */
export class Orchestrator implements SubscriptionHandler {
  private readonly table = new ProjectionTable(activeExecutionProjection);

  constructor(
    private readonly pool: Pool,
    private readonly effects: EffectRunner,
  ) {}

  async act(events: readonly DeliveredEvent[], signal: AbortSignal): Promise<void> {
    const byRun = this.table.group(events);
    if (byRun.size === 0) return;
    const rows = await reportingOutages(() => this.table.load(this.pool, [...byRun.keys()]));
    const active = new Map<string, ActiveExecution | null>();
    for (const event of events) {
      if (event.stream.type !== 'execution') continue;
      signal.throwIfAborted();
      const { id } = event.stream;
      const before = active.has(id) ? active.get(id)! : ((rows.get(id) as ActiveExecution | undefined) ?? null);
      const recorded = event as unknown as RecordedEvent<ExecutionEvent>;
      const after = foldActive(before, recorded);
      active.set(id, after);
      await this.runAll(effectsOf(recorded, before, after), event);
    }
  }

  async write(events: readonly DeliveredEvent[], client: PoolClient): Promise<void> {
    await this.table.apply(client, events);
  }

  async reset(client: PoolClient): Promise<void> {
    await client.query('delete from read.active_executions');
  }

  /** In the trace of the event they follow from. */
  private async runAll(effects: readonly Effect[], event: DeliveredEvent): Promise<void> {
    if (effects.length === 0) return;
    const attributes = { 'voidrunner.event': event.type, 'voidrunner.position': String(event.position) };
    const { traceparent } = event;
    await inSpan('orchestrator.handle', { kind: SpanKind.CONSUMER, attributes, traceparent }, async () => {
      for (const effect of effects) await this.effects.run(effect);
    });
  }
}
