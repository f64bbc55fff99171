import type { SandboxLimits, SandboxOutcome } from '../../../src/sandbox/sandbox.js';
import type { ScriptType } from '../declared-runtimes.js';
import type { TextOutcome } from '../docker.js';

/** The goal of a hostile program, its script in each language that can try it, and the result in all of them. */
export interface HostileProgram {
  readonly wants: string;
  readonly scripts: Partial<Readonly<Record<ScriptType, string>>>;
  /** For a program that never ends: whether it had started its attack, so that its timeout proves something. */
  readonly begun?: (outcome: TextOutcome) => boolean;
  /** The language in which it also runs on all other runtimes that the engine knows. */
  readonly everywhere?: ScriptType;
  readonly limits?: Partial<SandboxLimits>;
  /** The result in words, for the report. */
  readonly meets: string;
  readonly expected: Partial<Pick<SandboxOutcome, 'reason' | 'returnCode' | 'signal'>> & Partial<TextOutcome>;
}

export const TIMEOUT = { reason: 'timeout', returnCode: null, signal: null } as const;
export const DONE = { reason: 'exit_code', returnCode: 0, signal: null } as const;
export const OUT_OF_MEMORY = { reason: 'out_of_memory', returnCode: 137 } as const;

/** Whether it printed anything. */
export const told = ({ out, err }: TextOutcome): boolean => out !== '' || err !== '';
