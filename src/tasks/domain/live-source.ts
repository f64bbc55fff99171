import type { OutputSource } from '../../live-output/live-output.js';
import { deterministicId } from '../../kernel/uuid.js';

/**
 * Where the live output of an attempt is, for its worker and for those who follow it. Follows from the lease token, which
 * is another at each start, and must not be told: the id does not lead back to it.
 */
export const liveSource = (
  { executionId, attempt, leaseToken }: { executionId: string; attempt: number; leaseToken: string },
  stream: OutputSource['stream'],
): OutputSource => ({ executionId, attempt, startId: deterministicId('live output', leaseToken), stream });
