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

/**
 * For a program that ends by itself: a limit in case it hangs. Node, out of memory, reads its own code from the disk
 * for a long time.
 */
const END_MS_MAX = 100_000;
/**
 * For a program that never ends. It must have begun by then, which on a busy machine takes Node seconds: a program
 * that has not begun runs again, with several times as much time.
 */
const FIRST_MS = 1_000;
const TIMES_MORE = 4;

/** @param run with this timeout @returns the outcome of a run in which the program, if it never ends, had begun */
export async function withEnoughTime(
  { begun }: Pick<HostileProgram, 'begun'>,
  run: (timeoutMs: number) => Promise<TextOutcome>,
): Promise<TextOutcome> {
  for (let timeoutMs = begun ? FIRST_MS : END_MS_MAX; ; timeoutMs *= TIMES_MORE) {
    const outcome = await run(timeoutMs);
    const mayNotHaveBegun = begun && outcome.reason === 'timeout' && !begun(outcome);
    if (!mayNotHaveBegun || timeoutMs * TIMES_MORE > END_MS_MAX) return outcome;
  }
}

/** Whether it printed anything. */
export const told = ({ out, err }: TextOutcome): boolean => out !== '' || err !== '';
