import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { type Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { DomainError } from '../../kernel/errors.js';
import { mapInParallel } from '../../platform/async/map-in-parallel.js';
import { CancelBatch } from '../domain/batch-commands.js';
import { batchDecider, batchEnded } from '../domain/batch-decider.js';
import { ExecutionStatuses, isUnderWay, type ItemView, itemViewsOf } from '../domain/batch-item-status.js';
import { batchItemsOf, batchStream, type KnownBatch } from '../domain/batch-state.js';
import { CancelExecution } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

/** Executions of a batch that are cancelled at a time: other requests must not wait for all of them. */
const CANCELLATIONS_AT_A_TIME = 8;

/**
 * Records that nothing more is started, then cancels what runs. If it is interrupted in between, the starter of batches
 * cancels the rest.
 */
@CommandHandler(CancelBatch)
export class CancelBatchHandler implements ICommandHandler<CancelBatch> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly statuses: ExecutionStatuses,
  ) {}

  /** May be repeated. @throws DomainError `batch_not_found`, `access_denied`, `batch_ended` */
  async execute(command: CancelBatch): Promise<Decided<void>> {
    const { result: underWay, position } = await this.decisions.run(command.metadata, async (streams) => {
      const batch = await streams.load(batchStream(command.batchId), batchDecider);
      const events = batchDecider.decide(command, batch.state);
      const items = await this.underWay(batch.state as KnownBatch);
      if (items.length === 0) throw batchEnded();
      batch.record(events);
      return items;
    });
    const started = underWay.filter(({ status }) => status !== 'waiting');
    const positions = await mapInParallel(started, CANCELLATIONS_AT_A_TIME, (item) => this.cancel(item, command));
    return { result: undefined, position: latest([position, ...positions]) };
  }

  private async underWay(batch: KnownBatch): Promise<readonly ItemView[]> {
    const statuses = await this.statuses.of(batchItemsOf(batch).map(({ executionId }) => executionId));
    return itemViewsOf(batch, statuses).filter(({ status }) => isUnderWay(status));
  }

  private async cancel({ executionId }: ItemView, { requester, metadata }: CancelBatch): Promise<bigint | null> {
    const command = new CancelExecution(executionId, requester, { ...metadata, correlation_id: executionId });
    try {
      return (await decideExecution(this.decisions, command)).position;
    } catch (error) {
      // It has ended in the meantime.
      if (error instanceof DomainError) return null;
      throw error;
    }
  }
}

const latest = (positions: readonly (bigint | null)[]): bigint | null =>
  positions.reduce(
    (last, position) => (position !== null && (last === null || position > last) ? position : last),
    null,
  );
