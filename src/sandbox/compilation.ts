import { z } from 'zod';

import type { CapturedOutput, CompilerEnd } from './sandbox.js';

/** What a compiler made, and how it ended. */
export interface Compilation {
  readonly program: Uint8Array;
  readonly end: CompilerEnd;
}

const LENGTH_BYTES = 4;

const output = z
  .object({
    content: z.base64(),
    bytes_total: z.int(),
    truncated: z.boolean(),
    head_bytes: z.int().optional(),
  })
  .transform(({ content, bytes_total, truncated, head_bytes }): CapturedOutput => ({
    content: Buffer.from(content, 'base64'),
    bytesTotal: bytes_total,
    truncated,
    ...(head_bytes !== undefined && { headBytes: head_bytes }),
  }));
const head = z.object({ stdout: output, stderr: output, wall_time_ms: z.number() });

/** As the cache keeps it: length and text of a JSON head, then the program. Warnings are shown for each run. */
export function encodeCompilation({ program, end: { stdout, stderr, wallTimeMs } }: Compilation): Buffer {
  const encoded = ({ content, bytesTotal, truncated, headBytes }: CapturedOutput) => ({
    ...{ content: Buffer.from(content).toString('base64'), bytes_total: bytesTotal, truncated },
    ...(headBytes !== undefined && { head_bytes: headBytes }),
  });
  const words = Buffer.from(
    JSON.stringify({ stdout: encoded(stdout), stderr: encoded(stderr), wall_time_ms: wallTimeMs }),
  );
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(words.length);
  return Buffer.concat([length, words, program]);
}

/** @throws Error for anything that {@link encodeCompilation} did not make */
export function decodeCompilation(bytes: Uint8Array): Compilation {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = LENGTH_BYTES + all.readUInt32BE();
  const { stdout, stderr, wall_time_ms } = head.parse(JSON.parse(all.toString('utf8', LENGTH_BYTES, at)));
  return { program: all.subarray(at), end: { returnCode: 0, stdout, stderr, wallTimeMs: wall_time_ms } };
}
