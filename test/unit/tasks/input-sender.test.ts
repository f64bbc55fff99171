import type { DomainEvent } from '../../../src/event-sourcing/core/event.js';
import { deterministicId } from '../../../src/kernel/uuid.js';
import type { InputAnswer, InputPiece } from '../../../src/live-input/live-input.js';
import { InputSender } from '../../../src/tasks/commands/input-sender.js';
import { encodeExecutionInput, type ExecutionInput } from '../../../src/tasks/domain/execution-input.js';
import { liveStart } from '../../../src/tasks/domain/live-source.js';
import * as event from '../../support/builders/executions.js';
import { owner, OWNER_ID } from '../../support/builders/people.js';
import { EXECUTION_ID } from '../../support/builders/tasks.js';
import { InMemoryLiveInput } from '../../support/in-memory-live-input.js';
import { InMemoryPayloadStore } from '../../support/in-memory-payload-store.js';
import { Lifecycle } from '../../support/lifecycle.js';

const PIECE: InputPiece = { bytes: Buffer.from('x'), isLast: false };
const ACCEPTED: InputAnswer = { outcome: 'accepted', bytes: 1, closed: false, replayed: false };
const startOf = (attempt: number) =>
  liveStart({ executionId: EXECUTION_ID, attempt, leaseToken: event.tokenOf(attempt) });

let lifecycle: Lifecycle;
let payloads: InMemoryPayloadStore;
let live: InMemoryLiveInput;
let sender: InputSender;

beforeEach(() => {
  lifecycle = new Lifecycle();
  payloads = new InMemoryPayloadStore();
  live = new InMemoryLiveInput();
  sender = new InputSender(lifecycle.store, payloads, live);
});

async function given(input: ExecutionInput | null, ...since: DomainEvent[]): Promise<void> {
  const stored = input && { payloadId: deterministicId('input'), kind: 'input' as const, ownerId: OWNER_ID };
  const ref = stored && (await payloads.put({ ...stored, content: encodeExecutionInput(input) }));
  await lifecycle.given({ run: [event.requested({ input: ref }), ...since] });
}
const answering = (answer: InputAnswer, attempt = 1) => live.receive(startOf(attempt), () => answer);
const send = (requester = owner, piece = PIECE) => sender.send(EXECUTION_ID, requester, piece);
const INTERACTIVE = { interactive: true };

it('goes to the worker of the attempt that runs', async () => {
  await given(INTERACTIVE, event.started(1), event.attemptReleased(1), event.started(1));
  answering(ACCEPTED);
  expect(await send()).toEqual({ ...ACCEPTED, attempt: 1 });
});

it('of a retried attempt goes to its new program', async () => {
  await given(INTERACTIVE, event.started(1), event.attemptFailed(1), event.retryScheduled(2, 0), event.started(2));
  answering({ outcome: 'closed' }, 1);
  answering(ACCEPTED, 2);
  expect(await send()).toEqual({ ...ACCEPTED, attempt: 2 });
});

it('does not read the stored input if a worker takes it', async () => {
  await given(INTERACTIVE, event.started());
  answering(ACCEPTED);
  payloads.before = () => {
    throw new Error('not needed');
  };
  expect(await send()).toMatchObject({ outcome: 'accepted' });
});

it.each([
  ['that ended', [event.started(), event.succeeded()], 'execution_ended'],
  ['that is a dead letter', [event.started(), event.attemptFailed(), event.deadLettered(1)], 'execution_ended'],
  ['that waits', [], 'execution_not_running'],
  [
    'that waits for a retry',
    [event.started(), event.attemptFailed(), event.retryScheduled(2, 0)],
    'execution_not_running',
  ],
  ['that is being cancelled', [event.started(), event.cancellationRequested()], 'execution_not_running'],
])('is refused for an execution %s', async (_, since, code) => {
  await given(INTERACTIVE, ...since);
  await expect(send()).rejects.toMatchObject({ code, kind: 'conflict' });
});

it.each([
  ['without any input', null, [event.started()]],
  ['with another input', { args: ['x'] }, [event.started()]],
  ['that waits', null, []],
  ['that runs elsewhere', null, [event.startedElsewhere()]],
])('is refused for an execution %s that is not interactive', async (_, input, since) => {
  await given(input, ...since);
  await expect(send()).rejects.toMatchObject({ code: 'execution_not_interactive', kind: 'conflict' });
});

it('is refused if the input has been erased meanwhile', async () => {
  await given(INTERACTIVE, event.started());
  payloads.destroy(deterministicId('input'));
  await expect(send()).rejects.toMatchObject({ code: 'execution_not_interactive' });
});

it.each([
  [{ outcome: 'full' }, { code: 'stdin_full', kind: 'too_many', details: { retry_after: 1 } }],
  [{ outcome: 'closed' }, { code: 'stdin_closed', kind: 'conflict' }],
] as const)('is refused when the worker answers %j', async (answer, refusal) => {
  await given(INTERACTIVE, event.started());
  answering(answer);
  await expect(send()).rejects.toMatchObject(refusal);
});

it('tells of a key that another request had', async () => {
  await given(INTERACTIVE, event.started());
  answering({ outcome: 'reused' });
  expect(await send()).toEqual({ outcome: 'reused' });
});

it('is for the owner and for admins', async () => {
  await given(INTERACTIVE, event.started());
  answering(ACCEPTED);
  await expect(send({ userId: deterministicId('stranger'), isAdmin: false })).rejects.toMatchObject({
    code: 'access_denied',
  });
  expect(await send({ userId: deterministicId('admin'), isAdmin: true })).toMatchObject({ outcome: 'accepted' });
  await expect(sender.send(deterministicId('nothing'), owner, PIECE)).rejects.toMatchObject({
    code: 'execution_not_found',
  });
});

it('passes an outage on', async () => {
  await given(INTERACTIVE, event.started());
  live.away = true;
  await expect(send()).rejects.toMatchObject({ name: 'Unavailable', dependency: 'nats' });
});

it('waits for a worker that has just recorded the start', async () => {
  await given(INTERACTIVE, event.started());
  const sent = send();
  setTimeout(() => answering(ACCEPTED), 100);
  expect(await sent).toMatchObject({ outcome: 'accepted' });
});

it('waits for the end of a program that is over, which its worker is recording', async () => {
  await given(INTERACTIVE, event.started());
  answering({ outcome: 'ended' });
  const sent = send();
  setTimeout(() => void lifecycle.given({ run: [event.succeeded()] }), 100);
  await expect(sent).rejects.toMatchObject({ code: 'execution_ended' });
});

it.each([
  ['no worker takes it', null, { name: 'Unavailable', dependency: 'worker' }],
  ['its end is not recorded', { outcome: 'ended' } as const, { code: 'execution_not_running' }],
])('gives up after a bounded time if %s', async (_, answer, refusal) => {
  await given(INTERACTIVE, event.started());
  if (answer) answering(answer);
  const startedAt = performance.now();
  await expect(send()).rejects.toMatchObject(refusal);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
