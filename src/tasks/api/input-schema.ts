import { z } from 'zod';

import { isBase64 } from '../../http/validation/base64.js';
import { text } from '../../http/validation/text.js';
import { foldersOf } from '../../sandbox/job-input.js';
import { isOutputPattern, PATTERN_BYTES_MAX, PATTERNS_MAX } from '../../sandbox/output-patterns.js';
import { INTERACTIVE_WITH_TESTS } from '../domain/execution-commands.js';

const ARGS_MAX = 64;
const ENV_MAX = 64;
export const FILES_MAX = 128;
/** Total of stdin and all files, decoded. */
export const INPUT_BYTES_MAX = 16 * 1024 ** 2;
const INPUT_BASE64_CHARS_MAX = Math.ceil(INPUT_BYTES_MAX / 3) * 4;
const ARG_CHARS_MAX = 16 * 1024;
/** Total of args and env: above it, the kernel starts no program. */
const ARGUMENTS_BYTES_MAX = 1024 ** 2;
const PATH_BYTES_MAX = 255;

/** RFC 4648, section 4. Less than its grammar: engines have no stack for groups that repeat a million times. */
const BASE64 = '^[0-9A-Za-z+/]*={0,2}$';
/** For the document, which can only limit the characters of a single text. */
const INPUT_BYTES = `stdin and all files together have at most ${INPUT_BYTES_MAX} bytes`;
const ARGUMENTS_BYTES = `args and env together have at most ${ARGUMENTS_BYTES_MAX} bytes`;

export const tooLarge = (message: string) => ({ message, params: { tag: 'max' } });

/** Letters, digits and underscore: names that every shell supports (POSIX.1-2017, section 8.1). */
const envName = z
  .string()
  .max(255)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a name such as MY_SETTING');

export const isInside = (path: string): boolean =>
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

const filePath = z
  .string()
  .refine((path) => Buffer.byteLength(path) <= PATH_BYTES_MAX, {
    ...tooLarge(`must be at most ${PATH_BYTES_MAX} bytes`),
    // Else its folders would be looked up: their number and length grow with it.
    abort: true,
  })
  .refine(isInside, 'must be a relative path inside the working folder')
  .meta({
    minLength: 1,
    maxLength: PATH_BYTES_MAX,
    pattern: '^[^/]+(/[^/]+)*$',
    description: `A relative path without \`.\` and \`..\`, at most ${PATH_BYTES_MAX} bytes; not that of the script`,
  });

const fileContent = z.string().meta({ maxLength: INPUT_BASE64_CHARS_MAX, description: INPUT_BYTES });

const file = z
  .strictObject({ path: filePath, content: fileContent, encoding: z.enum(['utf8', 'base64']).default('utf8') })
  .refine(({ encoding, content }) => encoding === 'utf8' || isBase64(content), {
    path: ['content'],
    message: 'must be base64, as the encoding says',
  });

/** No two files have the same path, and no file has the path of another one's folder. */
function haveRoom(files: readonly { readonly path: string }[]): boolean {
  const paths = new Set(files.map(({ path }) => path));
  if (paths.size < files.length) return false;
  return files.every(({ path }) => foldersOf(path).every((folder) => !paths.has(folder)));
}

interface Input {
  readonly stdin?: string | undefined;
  readonly stdin_base64?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly files?: readonly { readonly content: string; readonly encoding: 'utf8' | 'base64' }[] | undefined;
}

export const inputBytes = ({ stdin = '', stdin_base64 = '', files = [] }: Input): number =>
  files.reduce(
    (sum, { content, encoding }) => sum + Buffer.byteLength(content, encoding),
    Buffer.byteLength(stdin) + Buffer.byteLength(stdin_base64, 'base64'),
  );

export const argumentBytes = ({ args = [], env = {} }: Input): number =>
  [...args, ...Object.entries(env).flat()].reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);

const outputPattern = z
  .string()
  .refine((pattern) => Buffer.byteLength(pattern) <= PATTERN_BYTES_MAX, {
    ...tooLarge(`must be at most ${PATTERN_BYTES_MAX} bytes`),
    abort: true,
  })
  .refine(isOutputPattern, 'must be a relative pattern inside the working folder; for all files in a folder: out/**')
  .meta({ minLength: 1, maxLength: PATTERN_BYTES_MAX, pattern: '^[^/]+(/[^/]+)*$' });

/** The input of one execution. Refuses here what the sandbox would refuse, while the client can still correct it. */
export const executionInput = z
  .strictObject({
    stdin: z
      .string()
      .meta({ maxLength: INPUT_BYTES_MAX, description: `Text, which may contain NUL. ${INPUT_BYTES}` })
      .optional(),
    stdin_base64: z
      .string()
      .refine(isBase64, 'must be base64')
      .meta({
        format: 'byte',
        pattern: BASE64,
        maxLength: INPUT_BASE64_CHARS_MAX,
        description: `Binary standard input in base64, instead of \`stdin\`. ${INPUT_BYTES}`,
      })
      .optional(),
    interactive: z
      .boolean()
      .describe(
        'Whether standard input stays open after `stdin`, for `POST /executions/{id}/stdin`. Not with tests, and not ' +
          'for an external execution',
      )
      .optional(),
    args: z
      .array(text({ max: ARG_CHARS_MAX }))
      .max(ARGS_MAX)
      .describe(ARGUMENTS_BYTES)
      .optional(),
    env: z
      .record(envName, text({ max: ARG_CHARS_MAX }))
      .refine((env) => Object.keys(env).length <= ENV_MAX, tooLarge(`must have at most ${ENV_MAX} names`))
      .meta({
        maxProperties: ENV_MAX,
        description: `Names use letters, digits and underscores and never start with a digit. ${ARGUMENTS_BYTES}`,
      })
      .optional(),
    files: z.array(file).max(FILES_MAX).refine(haveRoom, 'must each have a place of their own').optional(),
    outputs: z
      .array(outputPattern)
      .max(PATTERNS_MAX)
      .describe(
        'Files to keep when the program has ended, as patterns relative to its working folder: `*.png`, `out/**`, ' +
          '`**/*.csv`. Only `.*` matches hidden names. An embedded worker keeps them',
      )
      .optional(),
  })
  .refine(({ stdin, stdin_base64 }) => stdin === undefined || stdin_base64 === undefined, {
    path: ['stdin_base64'],
    message: 'must not be given beside stdin',
    params: { tag: 'exclusive' },
  })
  .refine(
    (input) => inputBytes(input) <= INPUT_BYTES_MAX,
    tooLarge(`stdin and files must be at most ${INPUT_BYTES_MAX} bytes together`),
  )
  .refine(
    (input) => argumentBytes(input) <= ARGUMENTS_BYTES_MAX,
    tooLarge(`args and env must be at most ${ARGUMENTS_BYTES_MAX} bytes together`),
  );

type WithFiles = { readonly files?: readonly { readonly path: string }[] | undefined } | undefined;

export const pathsOf = (input: WithFiles): string[] => input?.files?.map(({ path }) => path) ?? [];

interface Start {
  readonly input?: { readonly interactive?: boolean | undefined } | undefined;
  readonly tests?: unknown;
}

/** Tests have a standard input of their own. Those of the task are checked when the execution is recorded. */
export const isInteractiveWithoutTests = ({ input, tests }: Start): boolean => !input?.interactive || !tests;

export const WITH_TESTS = {
  path: ['input', 'interactive'],
  message: INTERACTIVE_WITH_TESTS,
  params: { tag: 'exclusive' },
};
