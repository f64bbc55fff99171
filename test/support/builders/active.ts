import type { ActiveExecution } from '../../../src/orchestrator/active-execution.js';
import { NOW, tokenOf, WORKER } from './executions.js';
import { OWNER_ID } from './people.js';
import { EXECUTION_ID } from './tasks.js';

/** A row of the orchestrator's table: by default an execution that waits for its first attempt. */
export const anActiveExecution = (changes: Partial<ActiveExecution> = {}): ActiveExecution => ({
  execution_id: EXECUTION_ID,
  owner_id: OWNER_ID,
  executor: 'embedded',
  status: 'pending',
  attempt: 1,
  priority: 5,
  timeout_seconds: 300,
  not_before: null,
  requested_at: NOW.toISOString(),
  started_at: null,
  due_at: null,
  worker: null,
  lease_token: null,
  traceparent: null,
  ...changes,
});

export const aRunningExecution = (changes: Partial<ActiveExecution> = {}): ActiveExecution =>
  anActiveExecution({
    status: 'running',
    started_at: NOW.toISOString(),
    worker: WORKER,
    lease_token: tokenOf(1),
    ...changes,
  });
