import { createHash } from 'node:crypto';

import { compilerOf } from './job-bundle.js';
import type { SandboxJob } from './sandbox.js';

/** Of one program. Larger ones are compiled for each run. */
export const PROGRAM_BYTES_MAX = 8 * 1024 ** 2;

/** Programs that compilers made, each for the runs of its owner only (ADR 50). A cache: it may forget any of them. */
export abstract class CompiledPrograms {
  /** @param key of {@link programKey} @returns null if there is none. @throws Unavailable */
  abstract find(ownerId: string, key: Buffer): Promise<Uint8Array | null>;

  /** @throws Unavailable */
  abstract keep(ownerId: string, key: Buffer, program: Uint8Array): Promise<void>;
}

/**
 * SHA-256 of all that a compiler gets: the runtime's image, the limits, its arguments, the environment, the script, and
 * all files. Not what only the program gets: arguments and standard input.
 */
export function programKey(job: SandboxJob, imageDigest: string): Buffer {
  const { file_name, environment } = job.runtime;
  const { memory_mb, cpus, pids } = job.limits;
  const { env: own = {}, files = [] } = job.input;
  const hash = createHash('sha256');
  const add = (...parts: readonly (string | Uint8Array)[]): void => {
    const sizes = parts.map((part) => (typeof part === 'string' ? Buffer.byteLength(part) : part.length));
    hash.update(JSON.stringify(sizes));
    for (const part of parts) hash.update(part);
  };
  add(imageDigest, `${memory_mb} ${cpus} ${pids}`, file_name, job.script);
  add(...(compilerOf(job) ?? []));
  add(...Object.entries({ ...environment, ...own }).flat());
  add(...files.flatMap(({ path, content }) => [path, content]));
  return hash.digest();
}
