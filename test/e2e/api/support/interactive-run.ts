import { ignoreErrors } from '../../../../src/platform/async/ignore-errors.js';
import { CancelExecution } from '../../../../src/tasks/domain/execution-commands.js';
import { AttemptInput } from '../../../../src/worker/attempt-input.js';
import type { Api, Person } from './api.js';
import { startAttempt } from './attempts.js';

/** An execution whose input someone takes, without a worker. @returns its id */
export async function interactiveRun(api: Api, who: Person): Promise<string> {
  const { id } = await who.start((await who.createTask()).id, { input: { interactive: true } });
  await takeInput(api, id);
  return id;
}

/** Takes the input of an interactive execution. An orchestrator regards its attempt as lost two seconds later. */
export async function takeInput(api: Api, executionId: string): Promise<void> {
  const { lease, release } = await startAttempt(api, executionId);
  const input = new AttemptInput(lease, api.service.processes[0]!.infra.liveInput, () => undefined);
  api.beforeClose(async () => {
    input.close();
    // Not the process of the beginning: a test may have stopped it.
    const { commands, infra } = api.service.processes[0]!;
    const metadata = { actor: 'system:test', correlation_id: executionId } as const;
    await ignoreErrors(commands!.execute(new CancelExecution(executionId, 'system', metadata)), 'it may have ended');
    await ignoreErrors(release(), 'it may be lost');
    // No worker has reserved it, so nobody removes it after a loss.
    await infra.queue.cancel({ executionId, attempt: 1 });
  });
}
