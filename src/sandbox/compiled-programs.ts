import { createHash } from 'node:crypto';

import type { CellJob } from './cell-job.js';

/** Programs that compilers made, each for the runs of its owner only (ADR 50). A cache: it may forget any of them. */
export abstract class CompiledPrograms {
  /** @param key of {@link programKey} @returns null if there is none. @throws Unavailable */
  abstract find(ownerId: string, key: Buffer): Promise<Uint8Array | null>;

  /** @throws Unavailable */
  abstract keep(ownerId: string, key: Buffer, program: Uint8Array): Promise<void>;
}

/**
 * SHA-256 of all that a compiler gets: the runtime's image, its limits, its arguments, the environment, the script, and
 * all files. Not what only the program gets: arguments, standard input and the limits of the run.
 */
export function programKey({ argv, env, files, limits }: CellJob, imageDigest: string): Buffer {
  const { memory_mb, cpus, pids } = limits;
  const hash = createHash('sha256');
  const add = (...parts: readonly (string | Uint8Array)[]): void => {
    const sizes = parts.map((part) => (typeof part === 'string' ? Buffer.byteLength(part) : part.length));
    hash.update(JSON.stringify(sizes));
    for (const part of parts) hash.update(part);
  };
  add(imageDigest, `${memory_mb} ${cpus} ${pids}`);
  add(...argv);
  add(...Object.entries(env).flat());
  add(...files.flatMap(({ path, content }) => [path, content]));
  return hash.digest();
}
