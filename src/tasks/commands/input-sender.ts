import { Injectable } from '@nestjs/common';

import { fold } from '../../event-sourcing/core/decider.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs } from '../../event-sourcing/core/event.js';
import { DomainError, Unavailable } from '../../kernel/errors.js';
import { type Requester, requireOwner } from '../../kernel/requester.js';
import {
  type AcceptedInput,
  type InputAnswer,
  type InputPiece,
  type InputTarget,
  LiveInput,
} from '../../live-input/live-input.js';
import { delay } from '../../platform/async/delay.js';
import { PayloadStore } from '../../platform/payloads/payload-store.js';
import { inSpan } from '../../platform/telemetry/trace-context.js';
import { executionDecider, executionNotFound } from '../domain/execution-decider.js';
import type { ExecutionEvent, ExecutionSpec } from '../domain/execution-events.js';
import { decodeExecutionInput } from '../domain/execution-input.js';
import {
  alreadyEnded,
  type ExecutionState,
  executionStream,
  type KnownExecution,
  outcomeOf,
} from '../domain/execution-state.js';
import { liveStart } from '../domain/live-source.js';

/**
 * How long nobody may take input for an attempt that runs, as the log says. Its worker begins to soon after it has
 * recorded the start, and records the end soon after it has stopped.
 */
const WORKER_WAIT_MS_MAX = 2_000;
const WORKER_RETRY_MS = 50;
/** Until a program that does not read may have read something. */
const FULL_RETRY_AFTER_SECONDS = 1;

/** `reused`: another request had the id of this one, and nothing was added. */
export type SentInput = (AcceptedInput & Pick<InputTarget, 'attempt'>) | { readonly outcome: 'reused' };

/** Adds to the standard input of the program that an execution runs now. Nothing of it is recorded. */
@Injectable()
export class InputSender {
  constructor(
    private readonly store: EventStore,
    private readonly payloads: PayloadStore,
    private readonly live: LiveInput,
  ) {}

  /**
   * Adds all bytes, or none.
   * @throws DomainError `execution_not_found`, `access_denied`, `execution_ended`, `execution_not_interactive`,
   *   `execution_not_running`, `stdin_closed`, `stdin_full`
   * @throws Unavailable: the bytes may have been added, or may still be; a repeat with the same id adds them once
   */
  send(executionId: string, requester: Requester, piece: InputPiece): Promise<SentInput> {
    const attributes = { 'voidrunner.execution_id': executionId, 'voidrunner.stdin_bytes': piece.bytes.length };
    return inSpan('stdin.send', { attributes }, async (span) => {
      const deadline = performance.now() + WORKER_WAIT_MS_MAX;
      for (let isInteractive = false; ; isInteractive = true) {
        const state = await this.stateOf(executionId, requester);
        const target = targetOf(state);
        const answer = target && (await this.live.send(target, piece));
        if (target && answer && answer.outcome !== 'ended') {
          span.setAttributes({ 'voidrunner.attempt': target.attempt, 'voidrunner.stdin_outcome': answer.outcome });
          return sentInput(answer, target);
        }
        // Only now: an execution whose worker takes input is interactive.
        if (!isInteractive) await this.requireInteractive(state.spec);
        if (target === null) throw notRunning();
        if (performance.now() >= deadline) {
          throw answer ? notRunning() : new Unavailable('worker', 'no worker takes the input');
        }
        await delay(WORKER_RETRY_MS);
      }
    });
  }

  /** Of an execution that has not ended. */
  private async stateOf(executionId: string, requester: Requester): Promise<KnownExecution> {
    const events = eventsAs<ExecutionEvent>(await this.store.readStream(executionStream(executionId)));
    const state = fold<ExecutionState, ExecutionEvent>(executionDecider, executionDecider.initialState, events);
    if (state.status === 'absent') throw executionNotFound();
    requireOwner(requester, state.spec.owner_id);
    if (outcomeOf(state) !== null) throw alreadyEnded();
    return state;
  }

  private async requireInteractive({ input }: ExecutionSpec): Promise<void> {
    const content = input && (await this.payloads.get(input));
    if (content && decodeExecutionInput(content).interactive) return;
    throw new DomainError('execution_not_interactive', 'Execution was not started with an interactive input');
  }
}

/** Null while no worker runs an attempt, or while it kills the program. */
function targetOf(state: KnownExecution): InputTarget | null {
  if (state.status !== 'running' || state.lease_token === null) return null;
  const { spec, attempt, lease_token: leaseToken } = state;
  return liveStart({ executionId: spec.execution_id, attempt, leaseToken });
}

function sentInput(answer: InputAnswer, { attempt }: InputTarget): SentInput {
  switch (answer.outcome) {
    case 'accepted':
      return { ...answer, attempt };
    case 'reused':
      return { outcome: 'reused' };
    case 'full': {
      const details = { retry_after: FULL_RETRY_AFTER_SECONDS };
      throw new DomainError('stdin_full', 'The program does not read its standard input', 'too_many', details);
    }
    case 'closed':
      throw new DomainError('stdin_closed', 'Standard input has been closed');
    case 'ended':
      throw notRunning();
  }
}

const notRunning = (): DomainError => new DomainError('execution_not_running', 'Execution is not running');
