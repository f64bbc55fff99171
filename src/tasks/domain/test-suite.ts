import { z } from 'zod';

import { packJson, type PartAt, type PartContent, unpackJson } from '../../kernel/packed-json.js';
import { type InputFile, packedFiles, packedPart, packFiles } from './execution-input.js';
import { executionLimits, scriptType, timeoutSeconds } from './execution-shape.js';

export const TESTS_MAX = 500;

export const COMPARISONS = ['exact', 'trimmed', 'tokens', 'numbers', 'unordered_lines', 'checker'] as const;
export const STOP_RULES = ['never', 'first_failure'] as const;

/** How the results of a suite's tests are judged. */
export const judge = z.object({
  compare: z.enum(COMPARISONS),
  /** How far a number may be from the expected one; only for `numbers`. */
  numbers: z.object({ absolute: z.number().nonnegative(), relative: z.number().nonnegative() }).optional(),
  /** Only for `checker`. */
  checker: z.object({ script_type: scriptType, script_content: z.string() }).optional(),
  stop_on: z.enum(STOP_RULES),
});
export type Judge = z.output<typeof judge>;

/** One run of the program, and what is expected of it. */
export interface TestCase<Content = Uint8Array> {
  readonly name: string | null;
  /** Instead of the input's. */
  readonly stdin?: Content | undefined;
  readonly args?: readonly string[] | undefined;
  /** Beside the input's. */
  readonly files?: readonly InputFile<Content>[] | undefined;
  /** Absent: any. */
  readonly expected_stdout?: Content | undefined;
  readonly expected_return_code: number;
  /** Instead of the execution's. */
  readonly timeout_seconds?: number | undefined;
  readonly limits?: z.output<typeof testLimits> | undefined;
  readonly points: number;
  readonly hidden: boolean;
}

export interface TestSuite<Content = Uint8Array> {
  readonly judge: Judge;
  readonly tests: readonly TestCase<Content>[];
}

const testLimits = executionLimits.partial();

const packedTest = (part: PartAt) =>
  z.object({
    name: z.string().nullable(),
    stdin: packedPart(part).optional(),
    args: z.array(z.string()).optional(),
    files: packedFiles(part).optional(),
    expected_stdout: packedPart(part).optional(),
    expected_return_code: z.int(),
    timeout_seconds: timeoutSeconds.optional(),
    limits: testLimits.optional(),
    points: z.number().nonnegative(),
    hidden: z.boolean(),
  });

const packedSuite = (part: PartAt) => z.object({ judge, tests: z.array(packedTest(part)).min(1).max(TESTS_MAX) });

/** A suite as its payload stores it, and what is recorded of it. */
export interface PackedSuite {
  readonly content: Buffer;
  readonly tests: number;
  readonly points: number;
}

export const packSuite = ({ judge, tests }: TestSuite<PartContent>): PackedSuite => ({
  content: packJson((part) => ({
    judge,
    tests: tests.map(({ stdin, files, expected_stdout, ...others }) => ({
      ...others,
      ...(stdin && { stdin: part(stdin) }),
      ...(files && { files: packFiles(files, part) }),
      ...(expected_stdout && { expected_stdout: part(expected_stdout) }),
    })),
  })),
  tests: tests.length,
  points: pointsOf(tests),
});

/** @throws Error if packSuite did not make the bytes */
export function decodeTestSuite(content: Uint8Array): TestSuite {
  const { value, part } = unpackJson(content);
  return packedSuite(part).parse(value);
}

export const pointsOf = (tests: readonly Pick<TestCase, 'points'>[]): number =>
  tests.reduce((sum, { points }) => sum + points, 0);
