import { loadRuntimes } from '../../src/runtimes/load-runtimes.js';
import type { Runtime } from '../../src/runtimes/runtime.js';

/** Those of this checkout. */
export const declaredRuntimes = loadRuntimes('runtimes');

/** The original five, each of which has a program of every kind in the tests. */
export type ScriptType = 'python' | 'javascript' | 'typescript' | 'bash' | 'go';

export const SCRIPT_TYPES: readonly ScriptType[] = ['python', 'javascript', 'typescript', 'bash', 'go'];

export function runtimeOf(name: string): Runtime {
  const runtime = declaredRuntimes.find(name);
  if (!runtime) throw new Error(`there is no runtime ${name}`);
  return runtime;
}
