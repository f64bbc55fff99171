import { deterministicId } from '../../kernel/uuid.js';
import type { OutputSource } from '../../live-output/live-output.js';

/**
 * Where an attempt's live output is, for its worker and for its followers. The id is computed from the lease token,
 * which differs at each start. The token is secret, and the id does not reveal it.
 */
export const liveSource = (
  { executionId, attempt, leaseToken }: { executionId: string; attempt: number; leaseToken: string },
  stream: OutputSource['stream'],
): OutputSource => ({ executionId, attempt, startId: deterministicId('live output', leaseToken), stream });
