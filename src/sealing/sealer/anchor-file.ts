import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';

import { ifMissing } from '../../platform/telemetry/missing-file.js';
import type { Checkpoint } from '../proofs/checkpoint.js';
import type { CheckpointAnchor } from './anchor.js';

/** At most one checkpoint in this time: 1 GB a year for a log that never rests. */
export const ANCHOR_INTERVAL_MS = 10_000;
/** Of a line: a checkpoint with 16 signatures has 3 KB. */
const LINE_BYTES_MAX = 8_192;

/**
 * A file outside the database's reach, best on another host or on storage that only appends. One checkpoint a line:
 * `{"size": …, "sealed_at": …, "checkpoint": <signed note>}`.
 */
export class AnchorFile implements CheckpointAnchor {
  readonly name: string;
  private nextAtMs = 0;

  constructor(
    private readonly path: string,
    private readonly intervalMs = ANCHOR_INTERVAL_MS,
  ) {
    this.name = path;
  }

  async publish({ size, sealedAt, restored, note }: Checkpoint): Promise<void> {
    if (!restored && performance.now() < this.nextAtMs) return;
    const file = await open(this.path, 'a', 0o600);
    try {
      await file.appendFile(`${JSON.stringify({ size, sealed_at: sealedAt, checkpoint: note })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    this.nextAtMs = performance.now() + this.intervalMs;
  }

  async *notes(): AsyncGenerator<string> {
    yield* notesFrom(this.path, 0);
  }

  async newest(): Promise<string | null> {
    const { size } = await stat(this.path).catch(ifMissing({ size: 0 }));
    let newest: string | null = null;
    // Two lines: the last one may be the part of a line that a crash left.
    for await (const note of notesFrom(this.path, Math.max(0, size - 2 * LINE_BYTES_MAX))) newest = note;
    return newest;
  }
}

async function* notesFrom(path: string, start: number): AsyncGenerator<string> {
  try {
    for await (const line of createInterface({ input: createReadStream(path, { start }), crlfDelay: Infinity })) {
      const note = noteOf(line);
      if (note !== null) yield note;
    }
  } catch (error) {
    ifMissing(undefined)(error as NodeJS.ErrnoException);
  }
}

/** Null for a line that was cut off by a crash, or by starting in its middle. */
function noteOf(line: string): string | null {
  try {
    const { checkpoint } = JSON.parse(line) as { checkpoint?: unknown };
    return typeof checkpoint === 'string' ? checkpoint : null;
  } catch {
    return null;
  }
}
