import type { SandboxLimits, SandboxOutcome, ScriptType } from '../../../src/sandbox/sandbox.js';
import type { TextOutcome } from '../docker.js';

/** What a program wants, how it goes about it in each language that has a way, and what it must meet in all of them. */
export interface HostileProgram {
  readonly wants: string;
  readonly scripts: Partial<Readonly<Record<ScriptType, string>>>;
  /** Of one that never ends: whether it had got so far that its timeout tells something. */
  readonly begun?: (outcome: TextOutcome) => boolean;
  /** The language in which it also runs on every other runtime that the engine knows. */
  readonly everywhere?: ScriptType;
  readonly limits?: Partial<SandboxLimits>;
  /** In words, for the report. */
  readonly meets: string;
  readonly expected: Partial<Pick<SandboxOutcome, 'reason' | 'returnCode' | 'signal'>> & Partial<TextOutcome>;
}

export const TIMEOUT = { reason: 'timeout', returnCode: null, signal: null } as const;
export const DONE = { reason: 'exit_code', returnCode: 0, signal: null } as const;
export const OUT_OF_MEMORY = { reason: 'out_of_memory', returnCode: 137 } as const;

/** By what it printed. */
export const told = ({ out, err }: TextOutcome): boolean => out !== '' || err !== '';
