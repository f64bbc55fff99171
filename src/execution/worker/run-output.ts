import { giveBack } from '../../kernel/give-back.js';
import { type CapturedOutput, type Remains, SandboxFailure, type SandboxOutcome } from '../../kernel/ports/sandbox.js';
import type { PayloadStore } from '../../kernel/ports/payload-store.js';
import { derivedId } from '../../kernel/uuid.js';
import type { AttemptHold } from '../domain/execution-commands.js';
import type { OutputRef, RunResult } from '../domain/execution-events.js';

/** Of a run whose end nobody saw: what it had written by then, and nothing else is known of it. */
export const resultOfRemains = (payloads: PayloadStore, hold: AttemptHold, ownerId: string, remains: Remains) =>
  storeRunResult(payloads, hold, ownerId, {
    ...remains,
    returnCode: null,
    signal: null,
    cpuTimeMs: null,
    memoryPeakBytes: null,
    notes: [],
  });

/**
 * Stores what a run wrote, ahead of the event that refers to it. The ids follow from execution, attempt and stream, so
 * storing again after an outage changes nothing.
 */
export async function storeRunResult(
  payloads: PayloadStore,
  hold: AttemptHold,
  ownerId: string,
  outcome: Omit<SandboxOutcome, 'reason' | 'startedAt'>,
): Promise<RunResult> {
  const store = async (kind: 'stdout' | 'stderr', output: CapturedOutput): Promise<OutputRef> => {
    const { content, bytesTotal: bytes_total, truncated, headBytes } = output;
    const facts = { bytes_total, truncated, ...(headBytes !== undefined && { head_bytes: headBytes }) };
    if (content.length === 0) return { payload: null, ...facts };
    const payloadId = derivedId(hold.executionId, hold.attempt, kind);
    return { payload: await payloads.put({ payloadId, ownerId, kind, content }), ...facts };
  };
  const both = [store('stdout', outcome.stdout), store('stderr', outcome.stderr)] as const;
  // Neither is left behind reading what its owner gives back.
  await Promise.allSettled(both);
  const [stdout, stderr] = await Promise.all(both);
  return {
    return_code: outcome.returnCode,
    signal: outcome.signal,
    stdout,
    stderr,
    wall_time_ms: Math.round(outcome.wallTimeMs),
    cpu_time_ms: outcome.cpuTimeMs === null ? null : Math.round(outcome.cpuTimeMs),
    memory_peak_bytes: outcome.memoryPeakBytes,
    ...(outcome.notes.length > 0 && { notes: [...outcome.notes] }),
  };
}

/** The attempt is over, and what it had written is stored or lost. */
export function giveBackOutput(ran: SandboxOutcome | SandboxFailure): void {
  const written = ran instanceof SandboxFailure ? ran.remains : ran;
  if (written) for (const { content } of [written.stdout, written.stderr]) giveBack(content);
}
