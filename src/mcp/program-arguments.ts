import type { ProgramOptions } from '@voidrunner/client';
import { z } from 'zod';

import { FILES_MAX, PATTERNS_MAX, TIMEOUT_SECONDS_DEFAULT } from './limits.js';
import { IMAGE_PATTERNS } from './result-files.js';

/** Arguments of every tool that runs a program. */
export const programArguments = {
  language: z.string().min(1).describe('Name from list_runtimes, such as python'),
  code: z.string(),
  files: z
    .array(z.strictObject({ path: z.string(), content: z.string(), encoding: z.enum(['utf8', 'base64']).optional() }))
    .max(FILES_MAX)
    .describe('Put into the working folder')
    .optional(),
  timeout: z.number().positive().describe(`Seconds, default ${TIMEOUT_SECONDS_DEFAULT}`).optional(),
};

export const outputsArgument = z
  .array(z.string())
  .max(PATTERNS_MAX)
  .describe('Patterns of files to return, such as out/**; images are returned anyway')
  .optional();

interface ProgramArguments {
  readonly files?: readonly { path: string; content: string; encoding?: 'utf8' | 'base64' | undefined }[] | undefined;
  readonly timeout?: number | undefined;
  readonly stdin?: string | undefined;
  readonly outputs?: readonly string[] | undefined;
}

/** Without the properties that are undefined. */
export function programOptions({ files, timeout, stdin, outputs = [] }: ProgramArguments): ProgramOptions {
  return {
    timeoutSeconds: timeout ?? TIMEOUT_SECONDS_DEFAULT,
    outputs: [...outputs, ...IMAGE_PATTERNS].slice(0, PATTERNS_MAX),
    ...(stdin !== undefined && { stdin }),
    ...(files !== undefined && {
      files: files.map(({ encoding, ...file }) => ({ ...file, ...(encoding && { encoding }) })),
    }),
  };
}
