import { deterministicId } from '../../kernel/uuid.js';
import type { OutputSource } from '../../live-output/live-output.js';

interface Lease {
  readonly executionId: string;
  readonly attempt: number;
  readonly leaseToken: string;
}

/**
 * One start of an attempt, for its worker and for those who talk to it. The id is computed from the lease token, which
 * differs at each start. The token is secret, and the id does not reveal it.
 */
export const liveStart = ({ executionId, attempt, leaseToken }: Lease): Omit<OutputSource, 'stream'> => ({
  executionId,
  attempt,
  startId: deterministicId('live output', leaseToken),
});

/** Where an attempt's live output is. */
export const liveSource = (lease: Lease, stream: OutputSource['stream']): OutputSource => ({
  ...liveStart(lease),
  stream,
});
