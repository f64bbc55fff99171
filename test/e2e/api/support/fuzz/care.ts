import { blank } from './blanks.js';
import { relatedFilter, relatedItems, relatedRun } from './related-fields.js';

/** Rules for valid requests that no schema can express. Everything else follows from the document. */
export interface Care {
  /** The token to send instead of the owner's. */
  readonly token?: string;
  /** Fields of the body for which only a few values are valid. */
  readonly fields?: Readonly<Record<string, readonly string[]>>;
  /** Makes a body keep the rules between its fields. */
  readonly adjust?: (body: any) => unknown;
  /** Of the path, instead of THINGS_OF. */
  readonly path?: Readonly<Record<string, readonly [string, ...string[]]>>;
}

export const CARE: Readonly<Record<string, Care>> = {
  register: { fields: { email: [blank('new email'), ` ${blank('new email')} `, blank('email')] } },
  login: { fields: { email: [blank('email')], password: [blank('password')] } },
  refresh: { fields: { refresh_token: [blank('refresh token'), blank('used refresh token')] } },
  changePassword: {
    token: blank('session token'),
    fields: { current_password: [blank('password')], new_password: [blank('password'), 'another password'] },
  },
  // The account cannot be used again.
  eraseAccount: { token: blank('session token'), fields: { password: [blank('password')] } },
  createTask: { adjust: relatedRun },
  updateTask: { adjust: relatedRun },
  startExecution: { adjust: relatedRun },
  runOnce: { adjust: relatedRun },
  createBatch: { adjust: relatedItems },
  rerunExecutions: { adjust: relatedFilter },
  // Of a task that runs, no further execution can be started.
  rerunExecution: { path: { id: ['ended run', 'external run', 'dead letter'] } },
  executionFile: { path: { id: ['run with a file', 'ended run', 'external run'], path: ['file', 'another file'] } },
  sendStdin: { path: { id: ['interactive run', 'embedded run', 'external run', 'ended run'] } },
  createWebhook: { fields: { url: ['https://example.com/hook', 'http://127.0.0.1'] } },
  updateWebhook: { fields: { url: ['https://example.com/hook', 'https://example.com/other'] } },
  redeliverWebhook: { path: { id: ['webhook'], delivery: ['ended delivery', 'pending delivery'] } },
  // The object cannot be used again.
  logout: { token: blank('session token') },
};

/** Query parameters for which only a few values are valid. */
export const GOOD_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  cursor: ['', blank('cursor')],
  as_of: ['1', '2', '2000-01-01T00:00:00Z', '2100-01-01T00:00:00+01:00', '0000-01-01T00:00:00+23:59'],
  // The execution must not end meanwhile.
  wait: [0],
};

/** The owner of an id in a path, by the preceding segment; most requests use the first. */
export const THINGS_OF: Readonly<Record<string, readonly [string, ...string[]]>> = {
  tasks: ['task', 'busy task', 'deleted task'],
  executions: ['external run', 'embedded run', 'running run', 'ended run', 'dead letter'],
  batches: ['batch', 'ended batch'],
  keys: ['key', 'revoked key'],
  webhooks: ['webhook', 'disabled webhook', 'deleted webhook'],
  'dead-letters': ['dead letter', 'discarded dead letter', 'external run'],
};
