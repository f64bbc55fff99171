import { DecisionRunner } from '../../../src/event-sourcing/core/decision-runner.js';
import { EventCatalog } from '../../../src/event-sourcing/core/event-catalog.js';
import { decideWebhook } from '../../../src/webhooks/commands/decide-webhook.js';
import {
  CreateWebhook,
  DisableWebhook,
  RotateWebhookSecret,
  UpdateWebhook,
} from '../../../src/webhooks/domain/webhook-commands.js';
import { webhookEvents } from '../../../src/webhooks/domain/webhook-events.js';
import { metadata, owner, OWNER_ID } from '../../support/builders/people.js';
import { definition, WEBHOOK_ID, WEBHOOK_STREAM } from '../../support/builders/webhooks.js';
import { InMemoryEventStore } from '../../support/in-memory-event-store.js';
import { InMemorySnapshotStore } from '../../support/in-memory-snapshot-store.js';

const catalog = new EventCatalog(Object.values(webhookEvents));
let store: InMemoryEventStore;
let decide: (command: Parameters<typeof decideWebhook>[1]) => ReturnType<typeof decideWebhook>;

const update = (changes: UpdateWebhook['changes'], version = 1) =>
  new UpdateWebhook(WEBHOOK_ID, owner, changes, version, metadata);

beforeEach(async () => {
  store = new InMemoryEventStore(catalog);
  const decisions = new DecisionRunner(store, catalog, new InMemorySnapshotStore());
  decide = (command) => decideWebhook(decisions, command);
  await decide(new CreateWebhook(WEBHOOK_ID, OWNER_ID, definition, metadata));
});

const typesOf = async () => (await store.readStream(WEBHOOK_STREAM)).map(({ type }) => type);

test('the service does not undo what the owner has changed since it looked', async () => {
  const disable = (version: number) => new DisableWebhook(WEBHOOK_ID, 'failing', version, metadata);
  await decide(disable(1));
  await decide(update({ enabled: true }));
  expect(await decide(disable(1))).toMatchObject({ position: null });
  expect(await decide(disable(2))).toMatchObject({ position: null });
  expect(await typesOf()).toEqual(['WebhookCreated', 'WebhookDisabled', 'WebhookEnabled']);
  await decide(disable(3));
  expect(await typesOf()).toHaveLength(4);
});

test('an endpoint that was sealed on top of an older version is refused', async () => {
  await decide(update({ endpoint: 'bmV3' }));
  const late = 'webhook_changed';
  await expect(decide(update({ endpoint: 'b2xk' }))).rejects.toMatchObject({ code: late });
  await expect(decide(new RotateWebhookSecret(WEBHOOK_ID, owner, 'b2xk', 1, metadata))).rejects.toMatchObject({
    code: late,
  });
  await decide(update({ include_output: true }));
  expect(await typesOf()).toEqual(['WebhookCreated', 'WebhookUpdated', 'WebhookUpdated']);
});
