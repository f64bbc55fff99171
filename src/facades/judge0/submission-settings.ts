import { z } from 'zod';

import type { ConfigInfo } from './config-info.js';
import type { SubmissionErrors } from './submission-errors.js';

/** Judge0's configuration variables that are numbers. Recorded in the task's metadata: an answer repeats them. */
export const submissionSettings = z.object({
  cpu_time_limit: z.number(),
  cpu_extra_time: z.number(),
  wall_time_limit: z.number(),
  memory_limit: z.number(),
  stack_limit: z.number(),
  max_processes_and_or_threads: z.number(),
  max_file_size: z.number(),
  number_of_runs: z.number(),
});
export type SubmissionSettings = z.output<typeof submissionSettings>;
type Name = keyof SubmissionSettings;

/** Marks the tasks of submissions, in their metadata. */
export const SUBMISSION_MARK = { facade: 'judge0' } as const;

export const isOfSubmission = (metadata: Readonly<Record<string, unknown>>): boolean =>
  metadata['facade'] === SUBMISSION_MARK.facade;

/** The least of each, as Judge0 validates it. */
const LEAST: Readonly<Record<Name, number>> = {
  cpu_time_limit: 0,
  cpu_extra_time: 0,
  wall_time_limit: 1,
  memory_limit: 2_048,
  stack_limit: 0,
  max_processes_and_or_threads: 1,
  max_file_size: 0,
  number_of_runs: 1,
};
/** Judge0 says "greater than 0" of these. */
const POSITIVE: readonly Name[] = ['max_processes_and_or_threads', 'number_of_runs'];

/** With Judge0's default for each that is absent. */
export function settingsIn(
  body: Readonly<Record<string, unknown>>,
  config: ConfigInfo,
  errors: SubmissionErrors,
): SubmissionSettings {
  const names = Object.keys(LEAST) as Name[];
  const values = names.map((name) => {
    const sent = body[name];
    if (sent === undefined || sent === null || sent === '') return [name, config[name]] as const;
    const value = typeof sent === 'number' ? sent : Number(typeof sent === 'string' ? sent : Number.NaN);
    const fault = faultOf(name, value, config[`max_${name}`]);
    if (fault) errors.add(name, fault);
    return [name, value] as const;
  });
  return Object.fromEntries(values) as SubmissionSettings;
}

/** As Rails writes it. */
function faultOf(name: Name, value: number, maximum: number): string | null {
  if (!Number.isFinite(value)) return 'is not a number';
  if (value < LEAST[name])
    return POSITIVE.includes(name) ? 'must be greater than 0' : `must be greater than or equal to ${LEAST[name]}`;
  return value > maximum ? `must be less than or equal to ${maximum}` : null;
}
