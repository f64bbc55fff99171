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

describe('while an attempt is under way', () => {
  /** A webhook whose attempt hangs until `respond` is called. */
  async function hanging() {
    let respond!: (status: number) => void;
    one.receiver.behaviours.set('/hook', (response) => (respond = (status) => void response.writeHead(status).end()));
    const webhook = await one.subscribe('/hook');
    await one.ended();
    await one.receiver.next('/hook', 1);
    return { ...webhook, respond: (status: number) => respond(status) };
  }

  test('the webhook is deleted: the attempt ends and nothing is sent again', async () => {
    const { id, respond } = await hanging();
    await one.user.ok('DELETE', `/webhooks/${id}`);
    respond(500);
    await one.shows(id, { status: 'abandoned', attempts: 1, abandoned_reason: 'deleted' });
    expect(one.receiver.at('/hook')).toHaveLength(1);
  });

  test('it is disabled and enabled: the delivery goes on', async () => {
    const { id, respond } = await hanging();
    await one.update(id, { enabled: false });
    await one.update(id, { enabled: true });
    respond(500);
    await one.shows(id, { attempts: 1, status: 'pending' });
    one.role.pass(6 * SECOND_MS);
    await one.receiver.next('/hook', 2);
    respond(200);
    await one.shows(id, { attempts: 2, status: 'delivered' });
  });

  test('it is disabled: the outcome counts, and no retry follows', async () => {
    const { id, respond } = await hanging();
    await one.update(id, { enabled: false });
    respond(500);
    await one.shows(id, { attempts: 1, status: 'abandoned', abandoned_reason: 'disabled' });
  });

  test('it gets another URL: the next one is sent there, also if the old one still hangs', async () => {
    const { id, respond } = await hanging();
    await one.update(id, { url: one.receiver.url('/new') });
    const execution = await one.ended();
    const [received] = await one.receiver.next('/new', 1);
    expect(received!.event.subject).toBe(execution);
    respond(500);
    await one.shows(id, { attempts: 1, status: 'pending' }, { status: 'delivered' });
    one.role.pass(6 * SECOND_MS);
    await one.shows(id, { attempts: 2, status: 'delivered' }, { status: 'delivered' });
    expect(one.receiver.at('/hook')).toHaveLength(1);
  });

  test('the role stops: the attempt is stopped, and made again by the next one, with the same id', async () => {
    const { id } = await hanging();
    await one.restartRole();
    one.receiver.behaviours.delete('/hook');
    await one.shows(id, { attempts: 1, status: 'delivered' });
    const received = one.receiver.at('/hook');
    expect(received).toHaveLength(2);
    expect(received[0]!.id).toBe(received[1]!.id);
  });
});
