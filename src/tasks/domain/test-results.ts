import { z } from 'zod';

import { packJson, type PartAt, unpackJson } from '../../kernel/packed-json.js';
import { packedPart } from './execution-input.js';
import { TESTS_MAX } from './test-suite.js';

/** In the words of judges. */
export const VERDICTS = [
  'accepted',
  'wrong_answer',
  'time_limit',
  'memory_limit',
  'output_limit',
  'runtime_error',
  'compile_error',
  'checker_failed',
] as const;
export const verdict = z.enum(VERDICTS);
export type Verdict = z.output<typeof verdict>;

/** Kept of each output stream of a test: its first bytes. */
export const TEST_OUTPUT_BYTES_MAX = 4 * 1024;
export const TEST_MESSAGE_CHARS_MAX = 200;

const packedResult = (part: PartAt) =>
  z.object({
    name: z.string().nullable(),
    verdict,
    return_code: z.int().nullable(),
    signal: z.string().nullable(),
    wall_time_ms: z.int().nonnegative(),
    cpu_time_ms: z.int().nonnegative().nullable(),
    memory_usage_bytes: z.int().nonnegative().nullable(),
    /** The first bytes, not cut inside a character. */
    stdout: packedPart(part),
    stderr: packedPart(part),
    message: z.string().max(TEST_MESSAGE_CHARS_MAX).nullable(),
    /** That it earned. */
    points: z.number().nonnegative(),
    hidden: z.boolean(),
  });
/** One test that was run. */
export type TestResult = z.output<ReturnType<typeof packedResult>>;

/** As their payload stores them: in the order of the suite. */
export const encodeTestResults = (results: readonly TestResult[]): Uint8Array =>
  packJson((part) =>
    results.map(({ stdout, stderr, ...others }) => ({ ...others, stdout: part(stdout), stderr: part(stderr) })),
  );

/** @throws Error if encodeTestResults did not make the bytes */
export function decodeTestResults(content: Uint8Array): TestResult[] {
  const { value, part } = unpackJson(content);
  return z.array(packedResult(part)).max(TESTS_MAX).parse(value);
}

/** One finished test, for a follower: never its data. */
export const progressOf = (
  { name, verdict: of, points, wall_time_ms, cpu_time_ms, memory_usage_bytes }: TestResult,
  index: number,
) => ({ index, name, verdict: of, points, wall_time_ms, cpu_time_ms, memory_usage_bytes });
export type TestProgress = ReturnType<typeof progressOf>;

/** A line of the live stream of finished tests. It can be made again from the stored results. */
export const progressLine = (result: TestResult, index: number): Buffer =>
  Buffer.from(`${JSON.stringify(progressOf(result, index))}\n`);
