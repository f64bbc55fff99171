import { z } from 'zod';

import { wholeNumber } from '../../http/listing/list-query.js';

const SIZE_MAX = 999_999_999_999_999;
const hash = z.string().describe('SHA-256, in base64');

export const checkpointView = z
  .object({
    size: z.int().positive().describe('The number of events that it covers: those at positions 1 to `size`'),
    root: hash.describe('Root of the Merkle tree over these events (RFC 9162), SHA-256 in base64'),
    sealed_at: z.iso.datetime(),
    checkpoint: z.string().describe('The signed note (C2SP tlog-checkpoint). Keep it: later logs must contain it'),
  })
  .meta({ id: 'Checkpoint' });
export type CheckpointView = z.output<typeof checkpointView>;

export const logKeys = z
  .object({
    keys: z
      .array(z.string())
      .describe(
        'Ed25519 keys by which checkpoints may be signed, as texts of C2SP signed notes. The first one signs now',
      ),
  })
  .meta({ id: 'LogKeys' });
export type LogKeys = z.output<typeof logKeys>;

export const consistencyQuery = z.strictObject({
  from: wholeNumber(1, SIZE_MAX).default(1).describe('Size of the older checkpoint'),
  to: wholeNumber(1, SIZE_MAX).optional().describe('Size of the newer checkpoint; default: the newest one'),
});
export type ConsistencyQuery = z.output<typeof consistencyQuery>;

export const consistencyView = z
  .object({ from: z.int().positive(), to: z.int().positive(), proof: z.array(hash) })
  .meta({ id: 'ConsistencyProof' });
export type ConsistencyView = z.output<typeof consistencyView>;
