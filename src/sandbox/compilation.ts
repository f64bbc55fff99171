import { z } from 'zod';

import { type AddPart, packJson, type PartAt, unpackJson } from '../kernel/packed-json.js';
import type { CapturedOutput, CompilerEnd } from './sandbox.js';

/** What a compiler made, and how it ended. */
export interface Compilation {
  readonly program: Uint8Array;
  readonly end: CompilerEnd;
}

const packedOutput = (part: PartAt) =>
  z
    .object({
      content: z.int().transform(part),
      bytes_total: z.int(),
      truncated: z.boolean(),
      head_bytes: z.int().optional(),
    })
    .transform(({ content, bytes_total, truncated, head_bytes }): CapturedOutput => ({
      content,
      bytesTotal: bytes_total,
      truncated,
      ...(head_bytes !== undefined && { headBytes: head_bytes }),
    }));

const packedCompilation = (part: PartAt) =>
  z.object({
    stdout: packedOutput(part),
    stderr: packedOutput(part),
    wall_time_ms: z.number(),
    program: z.int().transform(part),
  });

const packed = ({ content, bytesTotal, truncated, headBytes }: CapturedOutput, part: AddPart) => ({
  ...{ content: part(content), bytes_total: bytesTotal, truncated },
  ...(headBytes !== undefined && { head_bytes: headBytes }),
});

/** As the cache keeps it. Warnings are shown for each run. */
export const encodeCompilation = ({ program, end: { stdout, stderr, wallTimeMs } }: Compilation): Buffer =>
  packJson((part) => ({
    stdout: packed(stdout, part),
    stderr: packed(stderr, part),
    wall_time_ms: wallTimeMs,
    program: part(program),
  }));

/** @throws Error for anything that {@link encodeCompilation} did not make */
export function decodeCompilation(bytes: Uint8Array): Compilation {
  const { value, part } = unpackJson(bytes);
  const { program, stdout, stderr, wall_time_ms } = packedCompilation(part).parse(value);
  return { program, end: { returnCode: 0, stdout, stderr, wallTimeMs: wall_time_ms } };
}
