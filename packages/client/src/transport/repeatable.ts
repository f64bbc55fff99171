export const IDEMPOTENCY_KEY = 'idempotency-key';

/** The POSTs whose document has an `Idempotency-Key`: they get one unless the caller chose it. A test compares. */
export const POSTS_WITH_KEY: ReadonlySet<string> = new Set([
  '/api/v1/tasks',
  '/api/v1/tasks/{id}/executions',
  '/api/v1/executions',
  '/api/v1/executions/{id}/rerun',
  '/api/v1/executions/{id}/stdin',
  '/api/v1/executions/rerun',
  '/api/v1/dead-letters/{id}/redrive',
  '/api/v1/batches',
  '/api/v1/webhooks',
  '/api/v1/webhooks/{id}/test',
  '/api/v1/webhooks/{id}/rotate-secret',
  '/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver',
]);

const IDEMPOTENT_METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/** Whether a request may be sent again although the service may have carried it out. */
export const isRepeatable = ({ method, headers }: Request): boolean =>
  IDEMPOTENT_METHODS.includes(method) || headers.has(IDEMPOTENCY_KEY);
