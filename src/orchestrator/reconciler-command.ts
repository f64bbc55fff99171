import type { CommandBus, ICommand } from '@nestjs/cqrs';

import type { EventMetadata } from '../event-sourcing/core/event.js';
import { DomainError, Unavailable } from '../kernel/errors.js';
import type { Log } from '../platform/telemetry/log.js';

export const reconcilerMetadata = (executionId: string): EventMetadata => ({
  actor: 'system:reconciler',
  correlation_id: executionId,
});

/**
 * Sends a command that the orchestrator's table calls for. The table lags behind the log, which the decider reads: its
 * refusal is no error. A decision that fails (a bug) is logged and does not stop the others. @throws Unavailable
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
