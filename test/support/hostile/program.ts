import type { SandboxLimits, SandboxOutcome, ScriptType } from '../../../src/kernel/ports/sandbox.js';
import type { TextOutcome } from '../docker.js';

/** What a program wants, how it goes about it in each language that has a way, and what it must meet in all of them. */
export interface HostileProgram {
  readonly wants: string;
  readonly scripts: Partial<Readonly<Record<ScriptType, string>>>;
  readonly timeoutMs?: number;
  readonly limits?: Partial<SandboxLimits>;
  /** In words, for the report. */
  readonly meets: string;
  readonly expected: Partial<Pick<SandboxOutcome, 'reason' | 'returnCode' | 'signal'>> & Partial<TextOutcome>;
}

export const TIMEOUT = { reason: 'timeout', returnCode: null, signal: null } as const;
export const DONE = { reason: 'exit_code', returnCode: 0, signal: null } as const;
export const OUT_OF_MEMORY = { reason: 'out_of_memory', returnCode: 137 } as const;

/** Long enough to do its worst, for a program that need not have got anywhere by then. */
export const SHORT_MS = 2_000;
/** Long enough to have printed something on a machine so busy that Node takes seconds to start; for Go's compiler, not. */
export const PRINTING_MS = 5_000;
