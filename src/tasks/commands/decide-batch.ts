import type { Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import type {
  CompleteBatchCancellation,
  CompleteBatchStarts,
  CreateRerunBatch,
  RefuseBatchItems,
} from '../domain/batch-commands.js';
import { batchDecider } from '../domain/batch-decider.js';
import { batchStream } from '../domain/batch-state.js';

/** @returns the position to wait for before reading; null if nothing changed */
export const decideBatch = (
  decisions: DecisionRunner,
  command: CreateRerunBatch | RefuseBatchItems | CompleteBatchStarts | CompleteBatchCancellation,
): Promise<Decided<void>> =>
  decisions.run(command.metadata, async (streams) => {
    const stream = batchStream(command.batchId);
    const batch = await (command.type === 'CreateRerunBatch'
      ? streams.begin(stream, batchDecider)
      : streams.load(stream, batchDecider));
    batch.record(batchDecider.decide(command, batch.state));
  });
