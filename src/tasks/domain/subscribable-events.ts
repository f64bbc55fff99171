/** What a webhook may subscribe to: the names, outside the service, of what happens to executions. */
export const SUBSCRIBABLE_EVENTS = [
  'execution.created',
  'execution.started',
  'execution.retrying',
  'execution.completed',
  'execution.failed',
  'execution.timeout',
  'execution.cancelled',
  'execution.dead_lettered',
  'execution.redriven',
] as const;
export type SubscribableEvent = (typeof SUBSCRIBABLE_EVENTS)[number];

/** Those after which an execution goes no further, unless it is redriven. */
export const END_EVENTS: readonly SubscribableEvent[] = [
  'execution.completed',
  'execution.failed',
  'execution.timeout',
  'execution.cancelled',
  'execution.dead_lettered',
];
