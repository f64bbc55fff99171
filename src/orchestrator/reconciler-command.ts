import type { CommandBus, ICommand } from '@nestjs/cqrs';

import { DomainError, Unavailable } from '../kernel/errors.js';
import type { EventMetadata } from '../event-sourcing/core/event.js';
import type { Log } from '../platform/telemetry/log.js';

export const reconcilerMetadata = (executionId: string): EventMetadata => ({
  actor: 'system:reconciler',
  correlation_id: executionId,
});

/**
 * Sends what the orchestrator's table says is due. The table lags behind the log, and the decider has the last word: a
 * refusal is fine. One run that cannot be decided on (a bug) is logged and stops no other. @throws Unavailable
 */
export async function sendAsReconciler(
  commands: Pick<CommandBus, 'execute'>,
  log: Log,
  executionId: string,
  command: ICommand,
): Promise<void> {
  try {
    await commands.execute(command);
  } catch (error) {
    if (error instanceof Unavailable) throw error;
    if (!(error instanceof DomainError)) log.error({ err: error, execution_id: executionId }, 'not reconciled');
  }
}
