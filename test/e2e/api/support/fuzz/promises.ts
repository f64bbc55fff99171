import { isDeepStrictEqual } from 'node:util';

import { batchTaskId } from '../../../../../src/tasks/domain/batch-state.js';
import type { Answer } from '../../../../support/api-client.js';
import type { Person } from '../api.js';
import { parsed } from './document-refuses.js';
import type { SentRequest } from './sent-request.js';
import type { Things } from './things.js';

export interface Exchange {
  readonly sent: SentRequest;
  readonly answer: Answer<any>;
  /** The response to an earlier GET of the same path, if there was one. */
  readonly before: Answer<any> | undefined;
  readonly things: Things;
}

/** An event, as far as a response determines it. */
interface Promised {
  readonly type: string;
  readonly stream: { readonly type: string; readonly id: string };
  readonly data?: Readonly<Record<string, unknown>>;
}

type Promises = Readonly<Record<string, (exchange: Exchange) => Promised[] | Promise<Promised[]>>>;

const onTask = (id: string, type: string, data = {}): Promised => ({ type, stream: { type: 'task', id }, data });
const onRun = (id: string, type: string, data = {}): Promised => ({ type, stream: { type: 'execution', id }, data });
const onBatch = (id: string, type: string, data = {}): Promised => ({ type, stream: { type: 'batch', id }, data });
const onWebhook = (id: string, type: string, data = {}): Promised => ({ type, stream: { type: 'webhook', id }, data });
const onDelivery = (id: string, type: string, data = {}): Promised => ({
  type,
  stream: { type: 'delivery', id },
  data,
});
const onUser = (id: string, type: string): Promised => ({ type, stream: { type: 'user', id } });

/** The events recorded for a successful response; the task's event comes before the execution's. */
export const PROMISES: Promises = {
  createTask: ({ answer: { body } }) => [onTask(body.id, 'TaskCreated', { owner_id: body.user_id })],
  updateTask: ({ answer: { body, headers }, before }) => {
    expect(headers.get('etag')).toBe(`"${body.version}${body.status === 'pending' ? '' : `-${body.status}`}"`);
    const { version, updated_at } = before!.body;
    if (isDeepStrictEqual({ ...body, version, updated_at }, before!.body)) return [];
    expect(body.version).toBe(version + 1);
    return [onTask(body.id, 'TaskUpdated', { definition_version: body.version })];
  },
  deleteTask: ({ before }) => [onTask(before!.body.id, 'TaskDeleted')],
  startExecution: ({ answer: { body } }) => begun(body),
  rerunExecution: ({ answer: { body } }) => begun(body),
  // They are started later.
  rerunExecutions: ({ answer: { body } }) => [
    onBatch(body.id, 'RerunBatchCreated', {
      source_ids: body.executions.map(({ rerun_of }: { rerun_of: string }) => rerun_of),
    }),
  ],
  runOnce: ({ answer: { body } }) => [onTask(body.task_id, 'TaskCreated'), ...begun(body)],
  // In the order of the items; the event of the batch is the last one.
  createBatch: ({ answer: { body } }) => [
    ...body.executions.flatMap(({ index, id }: { index: number; id: string }) => {
      const task_id = batchTaskId(body.id, index);
      return [onTask(task_id, 'TaskCreated'), ...begun({ id, task_id })];
    }),
    onBatch(body.id, 'BatchCreated', { size: body.executions.length }),
  ],
  // Of one execution.
  cancelBatch: ({ before }) => {
    const { id, status, executions } = before!.body;
    const [run] = executions;
    const finished = { execution_id: run.id, outcome: 'cancelled' };
    return [
      ...(status === 'started' ? [onBatch(id, 'BatchCancellationRequested')] : []),
      onTask(batchTaskId(id, 0), 'TaskExecutionFinished', finished),
      onRun(run.id, 'ExecutionCancelled'),
    ];
  },
  reportExecution: ({ answer: { body }, before }) => {
    const { id, task_id, status: outcome } = body;
    // An identical report was sent before.
    if (!['pending', 'running'].includes(before!.body.status)) return [];
    const started = before!.body.status === 'pending' ? [onRun(id, 'ExecutionAttemptStarted')] : [];
    if (outcome === 'running') return started;
    const finished = onTask(task_id, 'TaskExecutionFinished', { execution_id: id, outcome });
    return [finished, ...started, onRun(id, 'ExecutionReported', { outcome })];
  },
  cancelExecution: ({ before }) => {
    const { id, task_id } = before!.body;
    const finished = onTask(task_id, 'TaskExecutionFinished', { execution_id: id, outcome: 'cancelled' });
    return [finished, onRun(id, 'ExecutionCancelled')];
  },
  // Nothing of it is recorded.
  sendStdin: () => [],
  redriveDeadLetter: ({ answer: { body } }) => [
    onTask(body.task_id, 'TaskExecutionStarted', { execution_id: body.id }),
    onRun(body.id, 'ExecutionRedriven', { attempt: body.attempt + 1 }),
  ],
  discardDeadLetter: ({ before }) => [onRun(before!.body.id, 'ExecutionDeadLetterDiscarded')],
  register: ({ answer: { body } }) => [onUser(body.user.id, 'UserRegistered'), onUser(body.user.id, 'UserLoggedIn')],
  createKey: ({ things }) => [onUser(things.owner.id, 'ApiKeyCreated')],
  revokeKey: ({ things }) => [onUser(things.owner.id, 'ApiKeyRevoked')],
  createWebhook: ({ answer: { body }, things }) => [
    onWebhook(body.id, 'WebhookCreated', { owner_id: things.owner.id, events: body.events }),
  ],
  updateWebhook: ({ answer: { body }, before }) => [
    ...(isSameDefinition(body, before!.body) ? [] : [onWebhook(body.id, 'WebhookUpdated', { events: body.events })]),
    ...(body.status === before!.body.status
      ? []
      : [onWebhook(body.id, body.status === 'enabled' ? 'WebhookEnabled' : 'WebhookDisabled')]),
  ],
  deleteWebhook: ({ before }) => [onWebhook(before!.body.id, 'WebhookDeleted')],
  rotateWebhookSecret: ({ answer: { body } }) => [onWebhook(body.id, 'WebhookSecretRotated')],
  testWebhook: ({ answer: { body } }) => [onDelivery(body.id, 'WebhookDeliveryRequested', { event_id: body.event_id })],
  redeliverWebhook: ({ answer: { body } }) => [onDelivery(body.id, 'WebhookRedeliveryRequested')],
  login: ({ answer: { body } }) => [onUser(body.user.id, 'UserLoggedIn')],
  refresh: async (exchange) =>
    (await isUsedToken(exchange)) ? [await onAccount(exchange, 'RefreshTokenRepeated')] : [],
  changePassword: async (exchange) => [await onAccount(exchange, 'PasswordChanged')],
  eraseAccount: async (exchange) => [await onAccount(exchange, 'UserErased')],
  logout: async (exchange) => {
    const { all } = (parsed(exchange.sent.body ?? '') ?? {}) as { all?: unknown };
    return [await onAccount(exchange, all === true ? 'UserLoggedOutEverywhere' : 'UserLoggedOut')];
  },
};

const isSameDefinition = (one: Record<string, unknown>, other: Record<string, unknown>): boolean =>
  ['url', 'description', 'events', 'include_output'].every((name) =>
    isDeepStrictEqual(sorted(one[name]), sorted(other[name])),
  );

const sorted = (value: unknown): unknown => (Array.isArray(value) ? value.toSorted() : value);

const begun = ({ id, task_id }: { id: string; task_id: string }): Promised[] => [
  onTask(task_id, 'TaskExecutionStarted', { execution_id: id }),
  onRun(id, 'ExecutionRequested', { task_id }),
];

/** Events recorded for a 401 or a 403, for the account's owner; other refusals record nothing. */
const WARNINGS: Promises = {
  login: async ({ sent, things }) => {
    const { email } = (parsed(sent.body!) ?? {}) as { email?: unknown };
    const account = await things.known<Person>('account');
    const isTheirs = typeof email === 'string' && email.trim().toLowerCase() === account?.client.user.email;
    return isTheirs ? [onUser(account.id, 'LoginRefused')] : [];
  },
  // Sent after the grace period.
  refresh: async (exchange) => ((await isUsedToken(exchange)) ? [await onAccount(exchange, 'RefreshTokenReused')] : []),
  changePassword: async (exchange) =>
    exchange.answer.status === 403 ? [await onAccount(exchange, 'PasswordChangeRefused')] : [],
  eraseAccount: async (exchange) =>
    exchange.answer.status === 403 ? [await onAccount(exchange, 'UserErasureRefused')] : [],
};

const onAccount = async ({ things }: Exchange, type: string): Promise<Promised> =>
  onUser((await things.account()).id, type);

async function isUsedToken({ sent, things }: Exchange): Promise<boolean> {
  const { refresh_token } = (parsed(sent.body!) ?? {}) as { refresh_token?: unknown };
  return refresh_token !== undefined && refresh_token === (await things.known('used refresh token'));
}

/** The events that a response promises: all of them, in this order. */
export async function promisedBy(operationId: string, exchange: Exchange): Promise<Promised[]> {
  const { status, headers } = exchange.answer;
  if (status === 401 || status === 403) return (await WARNINGS[operationId]?.(exchange)) ?? [];
  const isRepeat = headers.get('idempotent-replayed') === 'true';
  if (status >= 300 || isRepeat) return [];
  return (await PROMISES[operationId]?.(exchange)) ?? [];
}
