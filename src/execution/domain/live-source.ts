import type { OutputSource } from '../../kernel/ports/live-output.js';
import { derivedId } from '../../kernel/uuid.js';

/**
 * Where the live output of an attempt is, for its worker and for those who follow it. Follows from the lease token, which
 * is another at each start, and must not be told: the id does not lead back to it.
 */
export const liveSource = (
  { executionId, attempt, leaseToken }: { executionId: string; attempt: number; leaseToken: string },
  stream: OutputSource['stream'],
): OutputSource => ({ executionId, attempt, startId: derivedId('live output', leaseToken), stream });
