import { validationFailed } from '../http/validation/schema-pipe.js';
import type { Runtime } from '../runtimes/runtime.js';
import { oneShotBody, type OneShotBody } from '../tasks/api/one-shot-schema.js';

/** For a worker; then the run and its compiler have the time of their own limits. */
const QUEUE_SECONDS_MAX = 60;

/** The body of `POST /executions` that a request was translated to. @throws HttpProblem 400 that names its fields */
export function checkedOneShot(translated: unknown): OneShotBody {
  const parsed = oneShotBody.safeParse(translated);
  if (!parsed.success) throw validationFailed(parsed.error.issues, translated);
  return parsed.data;
}

/** How long a client may have to wait for the end. @param runtime undefined if it is not declared */
export const longestWaitSeconds = ({ timeout_seconds }: OneShotBody, runtime: Runtime | undefined): number =>
  QUEUE_SECONDS_MAX + timeout_seconds + (runtime?.compile?.timeout_seconds ?? 0);
