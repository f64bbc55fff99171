import type { Checkpoint } from '../proofs/checkpoint.js';

/**
 * A place outside the database that keeps checkpoints: who can change the database cannot change them as well. Without
 * one, a log that was cut off at its end, or restored from a backup, looks like a shorter log.
 */
export interface CheckpointAnchor {
  /** In messages: what keeps the checkpoints. */
  readonly name: string;
  /** @throws Unavailable, or the error of the file system */
  publish(checkpoint: Checkpoint): Promise<void>;
  /** The notes that it has, oldest first, unverified. @throws as `publish` does */
  notes(): AsyncIterable<string>;
  /** The last one of them; null if there are none. @throws as `publish` does */
  newest(): Promise<string | null>;
}
