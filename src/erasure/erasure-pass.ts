import type { Pool } from 'pg';

import type { DecisionRunner } from '../event-sourcing/core/decision-runner.js';
import type { EventStore } from '../event-sourcing/core/event-store.js';
import type { EventMetadata } from '../event-sourcing/core/event.js';
import { DomainError } from '../kernel/errors.js';
import { NIL_UUID } from '../kernel/uuid.js';
import type { LiveOutput } from '../live-output/live-output.js';
import { mapInParallel } from '../platform/async/map-in-parallel.js';
import type { DataKeys } from '../platform/payloads/data-keys.js';
import { PayloadDestruction } from '../platform/payloads/payload-destruction.js';
import { sweepCompiledPrograms } from '../platform/payloads/postgres-compiled-programs.js';
import { reportingOutages } from '../platform/postgres/outage.js';
import { CancelBatchHandler } from '../tasks/commands/cancel-batch.js';
import { decideExecution } from '../tasks/commands/decide-execution.js';
import { CancelBatch } from '../tasks/domain/batch-commands.js';
import { CancelExecution } from '../tasks/domain/execution-commands.js';
import { CurrentStatuses } from '../tasks/queries/current-statuses.js';
import { decideWebhook } from '../webhooks/commands/decide-webhook.js';
import { DeleteWebhook } from '../webhooks/domain/webhook-commands.js';

/** Ids that one statement reads. */
const PAGE = 200;
/** Commands at a time: other users' commands wait for the same log. */
const COMMANDS_AT_A_TIME = 8;
/** Executions that one pass cancels; another pass goes on. */
export const CANCELLED_AT_A_TIME_MAX = 1_000;

export interface ErasurePassOptions {
  readonly pool: Pool;
  readonly store: EventStore;
  readonly decisions: DecisionRunner;
  readonly keys: Pick<DataKeys, 'destroy'>;
  /** Null on the command line, which does not use NATS. */
  readonly liveOutput: Pick<LiveOutput, 'forget' | 'keptMs'> | null;
}

export interface ErasurePassResult {
  readonly cancelled: number;
  readonly payloads: number;
  readonly bytes: number;
  /** Executions, batches and webhooks that the views showed as active. They end by themselves, or in the next pass. */
  readonly left: number;
  /** Whether it stopped at its bound, and another pass should follow at once. */
  readonly isCut: boolean;
}

const ACTIVE_BATCHES = `
  select id from read.batches where owner_id = $1 and status = 'starting' and id > $2 order by id limit $3`;
const ACTIVE_EXECUTIONS = `
  select id from read.executions
  where owner_id = $1 and status in ('pending', 'running') and id > $2 order by id limit $3`;
const WEBHOOKS = 'select id from read.webhooks where owner_id = $1 and id > $2 order by id limit $3';
/** Of older ones, NATS has dropped the output. */
const WITH_LIVE_OUTPUT = `
  select id from read.executions
  where owner_id = $1 and started_at is not null and id > $2
    and coalesce(completed_at, now()) > now() - $4 * interval '1 millisecond'
  order by id limit $3`;

/**
 * Erases what an account has outside of identity: idempotent, whatever an earlier pass has done, so an interrupted
 * erasure is completed by another pass. What the views do not show yet is left to the next one.
 */
export class ErasurePass {
  constructor(private readonly options: ErasurePassOptions) {}

  /**
   * The key comes first: without it nothing can be read or stored, whatever else fails.
   * @param metadataFor of an event about one batch, execution or webhook
   * @throws Unavailable
   */
  async run(
    userId: string,
    metadataFor: (id: string) => EventMetadata,
    signal: AbortSignal,
  ): Promise<ErasurePassResult> {
    const { pool, keys } = this.options;
    await keys.destroy(userId);
    const batches = await this.cancelBatches(userId, metadataFor, signal);
    const executions = await this.cancelExecutions(userId, metadataFor, signal);
    const webhooks = await this.deleteWebhooks(userId, metadataFor, signal);
    const destruction = new PayloadDestruction(pool);
    await destruction.destroyOf(userId, signal);
    await sweepCompiledPrograms(pool);
    const left = batches.found + executions.found + webhooks.found;
    if (left === 0) await this.forgetLiveOutput(userId, signal);
    return { ...destruction.figures, cancelled: executions.changed, left, isCut: executions.isCut };
  }

  /** Nothing more of them is started. */
  private cancelBatches(userId: string, metadataFor: (id: string) => EventMetadata, signal: AbortSignal) {
    const { pool, store, decisions } = this.options;
    const handler = new CancelBatchHandler(decisions, new CurrentStatuses(pool, store));
    const cancel = (id: string) => handler.execute(new CancelBatch(id, 'system', metadataFor(id)));
    return this.forEach(ACTIVE_BATCHES, [userId], (id) => changed(cancel(id)), signal);
  }

  private cancelExecutions(userId: string, metadataFor: (id: string) => EventMetadata, signal: AbortSignal) {
    const { decisions } = this.options;
    const cancel = (id: string) => decideExecution(decisions, new CancelExecution(id, 'system', metadataFor(id)));
    return this.forEach(ACTIVE_EXECUTIONS, [userId], (id) => changed(cancel(id)), signal, CANCELLED_AT_A_TIME_MAX);
  }

  /** The dispatcher abandons what waits for them. */
  private deleteWebhooks(userId: string, metadataFor: (id: string) => EventMetadata, signal: AbortSignal) {
    const { decisions } = this.options;
    const remove = (id: string) => decideWebhook(decisions, new DeleteWebhook(id, 'system', metadataFor(id)));
    return this.forEach(WEBHOOKS, [userId], (id) => changed(remove(id)), signal);
  }

  private async forgetLiveOutput(userId: string, signal: AbortSignal): Promise<void> {
    const { liveOutput } = this.options;
    if (liveOutput === null) return;
    const forget = async (id: string): Promise<boolean> => {
      await liveOutput.forget(id);
      return true;
    };
    await this.forEach(WITH_LIVE_OUTPUT, [userId, liveOutput.keptMs], forget, signal);
  }

  /** In pages by id: the views may still show what was changed a moment ago. */
  private async forEach(
    select: string,
    [userId, ...values]: [string, ...unknown[]],
    work: (id: string) => Promise<boolean>,
    signal: AbortSignal,
    max = Number.POSITIVE_INFINITY,
  ): Promise<{ found: number; changed: number; isCut: boolean }> {
    let [after, found, total] = [NIL_UUID, 0, 0];
    for (;;) {
      signal.throwIfAborted();
      const { rows } = await reportingOutages(() =>
        this.options.pool.query<{ id: string }>(select, [userId, after, PAGE, ...values]),
      );
      const results = await mapInParallel(rows, COMMANDS_AT_A_TIME, ({ id }) => work(id));
      found += rows.length;
      total += results.filter(Boolean).length;
      if (rows.length < PAGE) return { found, changed: total, isCut: false };
      if (total >= max) return { found, changed: total, isCut: true };
      after = rows.at(-1)!.id;
    }
  }
}

/** @returns false if it has ended in the meantime, or its end was requested before */
async function changed(command: Promise<{ readonly position: bigint | null }>): Promise<boolean> {
  try {
    return (await command).position !== null;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
}
