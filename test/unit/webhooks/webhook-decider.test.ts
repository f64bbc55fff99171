import {
  CreateWebhook,
  DeleteWebhook,
  DisableWebhook,
  RotateWebhookSecret,
  UpdateWebhook,
  type WebhookCommand,
} from '../../../src/webhooks/domain/webhook-commands.js';
import { webhookDecider } from '../../../src/webhooks/domain/webhook-decider.js';
import {
  WebhookDeleted,
  WebhookDisabled,
  WebhookEnabled,
  type WebhookEvent,
  WebhookSecretRotated,
  WebhookUpdated,
} from '../../../src/webhooks/domain/webhook-events.js';
import { admin, metadata, owner, OWNER_ID, stranger } from '../../support/builders/people.js';
import { definition, WEBHOOK_ID, webhookCreated } from '../../support/builders/webhooks.js';
import { given } from '../../support/given.js';

const update = (changes: UpdateWebhook['changes'], requester: UpdateWebhook['requester'] = owner) =>
  new UpdateWebhook(WEBHOOK_ID, requester, changes, 1, metadata);
const create = new CreateWebhook(WEBHOOK_ID, OWNER_ID, definition, metadata);
const disable = new DisableWebhook(WEBHOOK_ID, 'failing', 1, metadata);
const rotate = new RotateWebhookSecret(WEBHOOK_ID, owner, 'bmV3', 1, metadata);
const remove = new DeleteWebhook(WEBHOOK_ID, owner, metadata);

const disabled = WebhookDisabled({ reason: 'failing' });
const enabled = given(webhookDecider, webhookCreated());
const off = given(webhookDecider, webhookCreated(), disabled);
const on = given(webhookDecider, webhookCreated(), disabled, WebhookEnabled({}));
const deleted = given(webhookDecider, webhookCreated(), WebhookDeleted({}));
const absent = given(webhookDecider);

test('created once', () => {
  absent.when(create).then(webhookCreated());
  for (const before of [enabled, off, deleted]) before.when(create).thenNothing();
});

test('disabled by the service, once, and not after it was deleted', () => {
  for (const before of [enabled, on]) before.when(disable).then(disabled);
  for (const before of [off, deleted, absent]) before.when(disable).thenNothing();
});

test('disabled and enabled by its owner', () => {
  const byOwner = WebhookDisabled({ reason: 'requested' });
  for (const before of [enabled, on]) {
    before.when(update({ enabled: false })).then(byOwner);
    before.when(update({ enabled: true })).thenNothing();
  }
  off.when(update({ enabled: true })).then(WebhookEnabled({}));
  off.when(update({ enabled: false })).thenNothing();
  const changes = { enabled: true, include_output: true };
  off.when(update(changes)).then(WebhookUpdated({ ...definition, include_output: true }), WebhookEnabled({}));
});

test('an update changes what it names', () => {
  enabled
    .when(update({ events: ['execution.started'] }))
    .then(WebhookUpdated({ ...definition, events: ['execution.started'] }));
  enabled.when(update({ endpoint: 'bmV3' })).then(WebhookUpdated({ ...definition, endpoint: 'bmV3' }));
  enabled.when(update({})).thenNothing();
});

test('a secret is rotated and a webhook deleted in every status', () => {
  for (const before of [enabled, off, on]) {
    before.when(rotate).then(WebhookSecretRotated({ endpoint: 'bmV3' }));
    before.when(remove).then(WebhookDeleted({}));
  }
});

test.each<[string, WebhookCommand]>([
  ['update', update({ include_output: true })],
  ['rotate', rotate],
  ['delete', remove],
])('%s: not what is absent or deleted', (_, command) => {
  absent.when(command).thenRefused('webhook_not_found');
  deleted.when(command).thenRefused('webhook_not_found');
});

test.each<[string, WebhookCommand]>([
  ['update', update({ include_output: true }, stranger)],
  ['rotate', { ...rotate, requester: stranger }],
  ['delete', { ...remove, requester: stranger }],
])('%s: not by another user', (_, command) => {
  for (const before of [enabled, off]) before.when(command).thenRefused('access_denied');
});

test('an admin does not rotate a secret, which the response shows', () => {
  enabled.when({ ...rotate, requester: admin }).thenRefused('access_denied');
  enabled.when({ ...remove, requester: admin }).then(WebhookDeleted({}));
});

test('an event on a webhook that is not there is a bug', () => {
  const on =
    (...events: WebhookEvent[]) =>
    () =>
      given(webhookDecider, ...events);
  expect(on(disabled)).toThrow('no webhook');
  expect(on(webhookCreated(), WebhookDeleted({}), disabled)).toThrow('no webhook');
});
