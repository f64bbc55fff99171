import { answer } from '../../support/webhook-receiver.js';
import { WebhookScenario } from '../../support/webhook-scenario.js';
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

describe('what an event says', () => {
  test('output, if asked for, up to 64 KiB, and the same in each attempt', async () => {
    let attempts = 0;
    one.receiver.behaviours.set('/hook', (...args) => answer(++attempts === 1 ? 500 : 200)(...args));
    const { id } = await one.subscribe('/hook', { include_output: true });
    await one.ended({ stdout: 'ü\0'.repeat(50_000), stderr: 'x'.repeat(100_000) });
    await one.shows(id, { attempts: 1 });
    one.role.pass(6 * SECOND_MS);
    await one.shows(id, { status: 'delivered' });
    const [first, second] = one.receiver.at('/hook');
    expect(first!.text).toBe(second!.text);
    const { stdout, stderr } = first!.event.data as { stdout: string; stderr: string };
    // Each says in a line of its own how much is left out.
    const bytes = [stdout, stderr].map((text) => Buffer.byteLength(text.replace(/\n?… .* left out …\n/, '')));
    expect(bytes[0]! + bytes[1]!).toBeLessThanOrEqual(65_536);
    expect(bytes[0]! + bytes[1]!).toBeGreaterThan(60_000);
  });

  test('none without it', async () => {
    await one.subscribe('/hook');
    await one.ended({ stdout: 'secret' });
    const [received] = await one.receiver.next('/hook', 1);
    expect(received!.text).not.toContain('secret');
    expect(received!.event.data).toMatchObject({ status: 'completed', stdout: null, stderr: null });
  });

  test('output that has been destroyed meanwhile', async () => {
    one.receiver.behaviours.set('/hook', answer(500));
    const { id } = await one.subscribe('/hook', { include_output: true });
    await one.ended({ stdout: 'kept for a while' });
    await one.shows(id, { attempts: 1 });
    await service.database.ownerPool.query('delete from es.payloads where owner_id = $1', [one.user.user.id]);
    one.receiver.behaviours.delete('/hook');
    one.role.pass(6 * SECOND_MS);
    await one.shows(id, { status: 'delivered' });
    expect(one.receiver.at('/hook')[1]!.event.data).toMatchObject({ status: 'completed', stdout: null });
  });
});

test('an execution is told about from the moment at which its webhook exists', async () => {
  const execution = await one.started();
  const { id } = await one.subscribe('/hook', { events: ['execution.created', 'execution.completed'] });
  await one.report(execution);
  await one.shows(id, { status: 'delivered' });
  expect(one.receiver.at('/hook').map(({ event }) => event.type)).toEqual(['voidrunner.execution.completed']);
});

test('an erased owner: nothing is sent, what waits is abandoned', async () => {
  one.receiver.behaviours.set('/hook', answer(500));
  const { id } = await one.subscribe('/hook');
  await one.ended();
  await one.shows(id, { attempts: 1 });
  await service.database.ownerPool.query(
    'update es.data_keys set wrapped_key = null, destroyed_at = now() where owner_id = $1',
    [one.user.user.id],
  );
  await one.restartRole();
  one.role.pass(6 * SECOND_MS);
  await one.shows(id, { status: 'abandoned', attempts: 1, abandoned_reason: 'erased' });
});
