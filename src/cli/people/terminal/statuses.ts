/** Of tasks and executions, as the API names them. */
export const STATUSES = ['pending', 'running', 'completed', 'failed', 'timeout', 'cancelled'] as const;
