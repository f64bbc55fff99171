import { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { startTestService, type TestService } from '../../support/service.js';
import { answer, verified, WebhookReceiver } from '../../support/webhook-receiver.js';

interface Webhook {
  readonly id: string;
  readonly secret: string;
  readonly status: string;
}

let service: TestService;
let receiver: WebhookReceiver;
let ada: ApiClient;

beforeAll(async () => {
  service = await startTestService({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' });
  receiver = await WebhookReceiver.start();
  ada = await ApiClient.register(() => service.url);
});
afterAll(async () => {
  await receiver.close();
  await service.close();
});

const create = (path: string, more: object = {}): Promise<Webhook> =>
  ada.ok<Webhook>('POST', '/webhooks', { url: receiver.url(path), ...more });

test('an execution that ends is sent to the webhook of its owner, signed', async () => {
  const { secret } = await create('/ends');
  const execution = await ada.run({ script_type: 'bash', script_content: 'echo hi' });

  const [received] = await receiver.next('/ends', 1);
  expect(verified(secret, received!)).toEqual(received!.event);
  expect(received!.event).toMatchObject({
    specversion: '1.0',
    type: 'voidrunner.execution.completed',
    subject: execution.id,
    source: '/api/v1/executions',
    data: { id: execution.id, status: 'completed', stdout: null },
  });
  expect(received!.headers['content-type']).toBe('application/cloudevents+json');
});

test('a failed attempt is repeated with the same id, and shown', async () => {
  let attempts = 0;
  receiver.behaviours.set('/flaky', (response, request, event) =>
    answer(++attempts === 1 ? 500 : 200)(response, request, event),
  );
  const { id } = await create('/flaky', { events: ['execution.completed'] });
  await ada.run({ script_type: 'bash', script_content: 'true' });

  const received = await receiver.next('/flaky', 2);
  expect(new Set(received.map((one) => one.id)).size).toBe(1);
  await eventually(async () => {
    const { deliveries } = await ada.ok<{ deliveries: object[] }>('GET', `/webhooks/${id}/deliveries`);
    expect(deliveries).toMatchObject([{ status: 'delivered', attempts: 2, response_status: 200 }]);
  });
});

test('a webhook of one execution', async () => {
  await ada.ok('POST', '/executions', {
    name: 'one',
    script_type: 'bash',
    script_content: 'echo out',
    webhook: { url: receiver.url('/one'), include_output: true },
  });
  const [received] = await receiver.next('/one', 1);
  expect(received!.event).toMatchObject({ type: 'voidrunner.execution.completed', data: { stdout: 'out\n' } });
  expect(received!.headers['webhook-signature']).toBeUndefined();
});
