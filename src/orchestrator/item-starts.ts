import type { CommandBus } from '@nestjs/cqrs';

import { DomainError, Unavailable } from '../kernel/errors.js';
import { isOutage } from '../platform/postgres/outage.js';
import type { Log } from '../platform/telemetry/log.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import type { BatchItem } from '../tasks/domain/batch-state.js';
import { RerunExecution } from '../tasks/domain/execution-commands.js';
import type { BatchWork } from './batch-work.js';

/** Failures of one item by bugs, after which it is refused. */
const FAULTS_MAX = 5;

/** `busy`: its task runs as often as it may. `quota`: one of its owner's is used up. Both pass. */
export type StartOutcome = 'started' | 'refused' | 'busy' | 'quota';

/** Starts single items of batches, as a request to repeat an execution does. */
export class ItemStarts {
  constructor(
    private readonly commands: Pick<CommandBus, 'execute'>,
    private readonly log: Log,
  ) {}

  /**
   * Adds a refusal to those of the batch.
   * @param traceparent of the request that created the batch
   * @throws Unavailable: the item may have been started, and is tried again
   */
  start(item: BatchItem, work: BatchWork, traceparent: string | undefined): Promise<StartOutcome> {
    const { index } = item;
    const command = commandOf(item, work);
    const attributes = { 'voidrunner.batch': work.batchId, 'voidrunner.batch_item': index };
    return inSpan('batches.start', { attributes, traceparent }, async (span) => {
      try {
        await this.commands.execute(command);
        return 'started';
      } catch (error) {
        const code = this.codeOf(error, work, index);
        span.setAttribute('voidrunner.refusal', code);
        if (code === 'task_running') return 'busy';
        if (error instanceof DomainError && error.kind === 'too_many') return 'quota';
        work.refusals.push({ index, code });
        return 'refused';
      }
    });
  }

  /** After a bug, the item is tried again: as if its task were busy. @throws Unavailable */
  private codeOf(error: unknown, work: BatchWork, index: number): string {
    if (error instanceof DomainError) return error.code;
    if (error instanceof Unavailable || isOutage(error)) throw error;
    this.log.error({ err: error, batch_id: work.batchId, index }, 'item of a batch not started');
    return work.countFault(index) >= FAULTS_MAX ? 'internal_error' : 'task_running';
  }
}

function commandOf({ executionId, sourceId }: BatchItem, work: BatchWork): RerunExecution {
  const { owner_id, content } = work.batch;
  if (content.kind !== 'rerun' || sourceId === null) throw new Error('only reruns are started later');
  const { definition, overrides } = content.settings;
  const requester = { userId: owner_id, isAdmin: false };
  const metadata = work.metadataOf(executionId);
  return new RerunExecution(executionId, sourceId, requester, definition, overrides, metadata);
}
