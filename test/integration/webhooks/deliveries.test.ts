import type { ServerResponse } from 'node:http';

import { nextAttemptAt } from '../../../src/webhooks/domain/retry-schedule.js';
import { answer, verified } from '../../support/webhook-receiver.js';
import { WebhookScenario, type Delivery } from '../../support/webhook-scenario.js';
import { eventually } from '../../support/eventually.js';
import type { TestService } from '../../support/service.js';

let service: TestService;
let one: WebhookScenario;
beforeAll(async () => {
  service = await WebhookScenario.startService();
});
beforeEach(async () => {
  one = await WebhookScenario.start(service);
});
afterEach(() => one.close());
afterAll(() => service.close());

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

test('a receiver disappears for an hour: each attempt at its time, all with one id, and in order after its return', async () => {
  const { id, secret } = await one.subscribe('/hook', { events: ['execution.created', 'execution.completed'] });
  const { port } = one.receiver;
  await one.receiver.close();
  const execution = await one.ended();
  // Nobody listens: 0 s, 5 s, 30 s, 2 min, 10 min.
  for (const [attempts, waitMs] of [5, 30, 120, 600].map(
    (seconds, index) => [index + 1, seconds * SECOND_MS] as const,
  )) {
    const [first] = await one.shows(id, { attempts, status: 'pending' }, { attempts: 0, status: 'pending' });
    const inMs = first!.due_at!.getTime() - one.role.now().getTime();
    expect(inMs).toBeGreaterThan(waitMs * 0.5);
    expect(inMs).toBeLessThanOrEqual(waitMs * 1.2);
    one.role.pass(inMs + 1);
  }
  await one.shows(id, { attempts: 5 }, { attempts: 0 });
  await one.receiver.listen(port);
  one.role.pass(1.2 * HOUR_MS);

  await one.shows(id, { attempts: 6, status: 'delivered' }, { attempts: 1, status: 'delivered' });
  const received = one.receiver.at('/hook');
  expect(received.map(({ event }) => [event.type, event.subject])).toEqual([
    ['voidrunner.execution.created', execution],
    ['voidrunner.execution.completed', execution],
  ]);
  expect(received.map(({ event, id: sent }) => event.id === sent)).toEqual([true, true]);
  expect(secret).toMatch(/^whsec_/);
});

test('the whole schedule, and then it is abandoned', async () => {
  one.receiver.behaviours.set('/hook', answer(500));
  const { id } = await one.subscribe('/hook');
  await one.ended();
  for (let attempts = 1; attempts < 8; attempts += 1) {
    await one.shows(id, { attempts, status: 'pending' });
    one.role.pass(nextAttemptAt(attempts, new Date(0), 1)!.getTime());
  }
  const [delivery] = await one.shows(id, { attempts: 8, status: 'abandoned', abandoned_reason: 'attempts' });
  const received = one.receiver.at('/hook');
  expect(received).toHaveLength(8);
  expect(new Set(received.map((each) => each.id))).toEqual(new Set([delivery!.event_id]));
  expect(new Set(received.map(({ text }) => text)).size).toBe(1);
  expect((await one.get(id)).status).toBe('enabled');

  // And once more, on request.
  one.receiver.behaviours.delete('/hook');
  await one.user.ok('POST', `/webhooks/${id}/deliveries/${delivery!.id}/redeliver`);
  await one.shows(id, { attempts: 1, status: 'delivered', abandoned_reason: null });
  expect(one.receiver.at('/hook')[8]!.id).toBe(delivery!.event_id);
});

test('a retry is signed anew, with the time of its attempt', async () => {
  let attempts = 0;
  one.receiver.behaviours.set('/hook', (...args) => answer(++attempts === 1 ? 503 : 200)(...args));
  const { id, secret } = await one.subscribe('/hook');
  await one.ended();
  await one.shows(id, { attempts: 1 });
  one.role.pass(60 * SECOND_MS);
  await one.shows(id, { status: 'delivered' });
  const [first, second] = one.receiver.at('/hook');
  for (const each of [first!, second!]) expect(verified(secret, each)).toEqual(each.event);
  const [before, after] = [first!, second!].map(({ headers }) => Number(headers['webhook-timestamp']));
  expect(after! - before!).toBeGreaterThanOrEqual(59);
});

test('410: the webhook is disabled, what waits is abandoned, nothing more is sent', async () => {
  one.receiver.behaviours.set('/hook', answer(410));
  const { id } = await one.subscribe('/hook');
  await one.ended();
  await eventually(async () =>
    expect(await one.get(id)).toMatchObject({ status: 'disabled', disabled_reason: 'gone' }),
  );
  await one.shows(id, { status: 'abandoned', abandoned_reason: 'gone', attempts: 1 });
  await one.ended();
  expect(await one.typesOf('webhook', id)).toEqual(['WebhookCreated', 'WebhookDisabled']);

  one.receiver.behaviours.delete('/hook');
  await one.update(id, { enabled: true });
  const later = await one.ended();
  await eventually(() => expect(one.receiver.at('/hook').at(-1)!.event.subject).toBe(later));
  // What happened while it was disabled is not sent.
  expect(one.receiver.at('/hook')).toHaveLength(2);
  expect((await one.get(id)).status).toBe('enabled');
});

test('five days of failures disable it and say so in an event', async () => {
  one.receiver.behaviours.set('/hook', answer(500));
  const { id } = await one.subscribe('/hook');
  await one.ended();
  await one.shows(id, { attempts: 1, status: 'pending' });
  one.role.pass(5 * DAY_MS - 60 * SECOND_MS);
  await one.shows(id, { attempts: 2, status: 'pending' });
  expect((await one.get(id)).status).toBe('enabled');
  one.role.pass(60 * SECOND_MS);
  await eventually(async () =>
    expect(await one.get(id)).toMatchObject({ status: 'disabled', disabled_reason: 'failing' }),
  );
  await eventually(async () => expect((await one.deliveriesOf(id))[0]!.status).toBe('abandoned'));
  expect(await one.typesOf('webhook', id)).toEqual(['WebhookCreated', 'WebhookDisabled']);
});

test('a success within the five days keeps it, and so does being enabled again', async () => {
  const statuses = new Map<string, number>();
  one.receiver.behaviours.set('/hook', (response, request, received) =>
    answer(statuses.get(received.event.subject) ?? 500)(response, request, received),
  );
  const { id } = await one.subscribe('/hook');
  await one.ended();
  await one.shows(id, { attempts: 1 });
  one.role.pass(3 * DAY_MS);
  const well = await one.started();
  statuses.set(well, 200);
  await one.report(well);
  await one.shows(id, { status: 'pending' }, { status: 'delivered' });
  one.role.pass(3 * DAY_MS);
  await one.shows(id, { attempts: 3, status: 'pending' }, { status: 'delivered' });
  expect((await one.get(id)).status).toBe('enabled');
});

test('an old delivery that is requested again and fails does not disable a webhook that works', async () => {
  const { id } = await one.subscribe('/hook');
  await one.ended();
  const [delivery] = await one.shows(id, { status: 'delivered' });
  await one.role.stop();
  const old = "created_at = created_at - interval '10 days', completed_at = completed_at - interval '10 days'";
  await service.database.ownerPool.query(`update read.webhook_deliveries set ${old} where webhook_id = $1`, [id]);
  await one.restartRole();
  one.receiver.behaviours.set('/hook', answer(500));
  await one.user.ok('POST', `/webhooks/${id}/deliveries/${delivery!.id}/redeliver`);
  for (let attempts = 1; attempts < 4; attempts += 1) {
    await one.shows(id, { attempts, status: 'pending' });
    one.role.pass(nextAttemptAt(attempts, new Date(0), 1)!.getTime());
  }
  expect(await one.typesOf('webhook', id)).toEqual(['WebhookCreated']);
});

test('too many deliveries wait: it is disabled, and all are abandoned', async () => {
  const open: ServerResponse[] = [];
  one.receiver.behaviours.set('/hook', (response) => void open.push(response));
  const { id } = await one.subscribe('/hook');
  for (let no = 0; no < 31; no += 1) await one.ended();
  await eventually(async () => {
    one.role.pass(0);
    expect(await one.get(id)).toMatchObject({ status: 'disabled', disabled_reason: 'backlog' });
  });
  for (const response of open) response.end();
  await eventually(async () => {
    const statuses = Object.groupBy(await one.deliveriesOf(id), ({ status }) => status);
    expect([statuses['delivered']?.length, statuses['abandoned']?.length]).toEqual([open.length, 31 - open.length]);
  });
  expect(one.receiver.at('/hook')).toHaveLength(open.length);
});

test('what waits for a webhook that is disabled is abandoned, and not sent', async () => {
  one.receiver.behaviours.set('/hook', answer(500));
  const { id } = await one.subscribe('/hook');
  for (let no = 0; no < 5; no += 1) await one.ended();
  const five = (expected: Partial<Delivery>) => Array.from({ length: 5 }, () => expected);
  await one.shows(id, ...five({ attempts: 1 }));
  await one.update(id, { enabled: false });
  await one.shows(id, ...five({ attempts: 1, status: 'abandoned', abandoned_reason: 'disabled' }));
  await one.update(id, { enabled: true });
  one.receiver.behaviours.delete('/hook');
  one.role.pass(HOUR_MS);
  const last = await one.ended();
  await eventually(() => expect(one.receiver.at('/hook').at(-1)!.event.subject).toBe(last));
  expect(one.receiver.at('/hook')).toHaveLength(6);
});

test('the clock jumps back by an hour and forward again: nothing is lost', async () => {
  one.receiver.behaviours.set('/hook', answer(500));
  const { id } = await one.subscribe('/hook');
  await one.ended();
  await one.shows(id, { attempts: 1 });
  one.role.pass(-HOUR_MS);
  await one.ended();
  one.role.pass(HOUR_MS + 6 * SECOND_MS);
  await one.shows(id, { attempts: 2 }, { attempts: 1 });
});

test('who is told is decided by the log, however much of it is applied at once', async () => {
  await one.role.stop();
  const early = await one.ended();
  const { id } = await one.subscribe('/hook');
  const { id: deleted } = await one.subscribe('/deleted');
  const first = await one.ended();
  await one.update(id, { enabled: false });
  await one.ended();
  await one.user.ok('DELETE', `/webhooks/${deleted}`);
  await one.update(id, { enabled: true, events: ['execution.created'] });
  const last = await one.started();
  await one.report(last);
  await one.restartRole();

  await one.shows(id, { status: 'delivered' }, { status: 'delivered' });
  const told = one.receiver.at('/hook').map(({ event }) => [event.type, event.subject]);
  expect(told).toEqual(
    expect.arrayContaining([
      ['voidrunner.execution.completed', first],
      ['voidrunner.execution.created', last],
    ]),
  );
  expect(told).toHaveLength(2);
  expect(JSON.stringify(told)).not.toContain(early);
  // Requested while it existed, and never sent.
  const never = { status: 'abandoned', abandoned_reason: 'deleted', attempts: 0 };
  await one.shows(deleted, never, never);
});

test('a slow receiver delays no other of the same user', async () => {
  one.receiver.behaviours.set('/slow', () => undefined);
  const slow = await one.subscribe('/slow');
  const quick = await one.subscribe('/quick');
  for (let no = 0; no < 20; no += 1) await one.ended();
  await one.receiver.next('/quick', 20);
  expect((await one.deliveriesOf(slow.id)).every(({ status }) => status === 'pending')).toBe(true);
  expect(one.receiver.at('/slow').length).toBeLessThanOrEqual(4);
  await one.shows(quick.id, ...Array.from({ length: 20 }, () => ({ status: 'delivered' })));
});

test('a delivery is requested once, however often its event is applied', async () => {
  const { id } = await one.subscribe('/hook');
  await one.ended();
  await one.shows(id, { status: 'delivered' });
  await one.role.stop();
  // As after a crash before the checkpoint was saved, or a restore.
  await service.database.ownerPool.query("update read.checkpoints set position = 0 where subscription = 'webhooks'");
  await service.database.ownerPool.query('truncate read.webhook_deliveries, read.webhook_targets');
  await one.restartRole();
  await one.shows(id, { status: 'delivered', attempts: 1 });
  await one.ended();
  await one.shows(id, { status: 'delivered', attempts: 1 }, { status: 'delivered', attempts: 1 });
});
