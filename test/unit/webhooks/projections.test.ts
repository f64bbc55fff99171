import { fold } from '../../../src/event-sourcing/core/decider.js';
import type { DomainEvent } from '../../../src/event-sourcing/core/event.js';
import { foldTarget, targetProjection, type WebhookTarget } from '../../../src/webhooks/delivery/target-projection.js';
import {
  WebhookDeleted,
  WebhookDisabled,
  WebhookEnabled,
  WebhookSecretRotated,
  WebhookUpdated,
} from '../../../src/webhooks/domain/webhook-events.js';
import {
  deliveryProjection,
  type DeliveryRow,
  projectDelivery,
} from '../../../src/webhooks/queries/delivery-projection.js';
import {
  projectWebhook,
  webhookProjection,
  type WebhookRow,
} from '../../../src/webhooks/queries/webhook-projection.js';
import { OWNER_ID } from '../../support/builders/people.js';
import { EXECUTION_STREAM, recorded, recordedAtOf, TRACEPARENT } from '../../support/builders/recorded.js';
import * as webhook from '../../support/builders/webhooks.js';

const disabled = WebhookDisabled({ reason: 'backlog' });
const enabled = WebhookEnabled({});
const rotated = WebhookSecretRotated({ endpoint: 'cm90YXRlZA==' });
const moved = WebhookUpdated({ ...webhook.definition, endpoint: 'bW92ZWQ=' });

describe('read.webhook_deliveries', () => {
  const rowAfter = (...events: readonly DomainEvent[]) =>
    fold(
      { evolve: projectDelivery as never },
      null as DeliveryRow | null,
      recorded(webhook.DELIVERY_STREAM, events, { traceparent: TRACEPARENT }) as never[],
    );
  const { delivery_id: id, ...facts } = webhook.requested;
  const REQUESTED: DeliveryRow = {
    id,
    ...facts,
    status: 'pending',
    attempts: 0,
    status_code: null,
    failure: null,
    abandoned_reason: null,
    due_at: recordedAtOf(1),
    lane: webhook.WEBHOOK_ID,
    created_at: recordedAtOf(1),
    completed_at: null,
    traceparent: TRACEPARENT,
    version: 1,
  };
  const FAILED = {
    ...REQUESTED,
    attempts: 1,
    status_code: 500,
    failure: 'status',
    due_at: webhook.NEXT_AT,
    version: 2,
  };

  test('requested, failed, delivered', () => {
    const events = [webhook.deliveryRequested(), webhook.failed(1), webhook.delivered(2)];
    expect(rowAfter(...events.slice(0, 1))).toEqual(REQUESTED);
    expect(rowAfter(...events.slice(0, 2))).toEqual(FAILED);
    const done = { status: 'delivered', attempts: 2, status_code: 204, failure: null, due_at: null };
    expect(rowAfter(...events)).toEqual({ ...FAILED, ...done, completed_at: recordedAtOf(3), version: 3 });
  });

  test('abandoned, and requested again', () => {
    const events = [webhook.deliveryRequested(), webhook.failed(1, 410, null), webhook.abandoned('gone')];
    const ended = { ...FAILED, status_code: 410, due_at: null, status: 'abandoned', abandoned_reason: 'gone' };
    expect(rowAfter(...events)).toEqual({ ...ended, completed_at: recordedAtOf(3), version: 3 });
    const again = {
      status: 'pending',
      attempts: 0,
      abandoned_reason: null,
      completed_at: null,
      due_at: recordedAtOf(4),
    };
    expect(rowAfter(...events, webhook.redelivered)).toEqual({ ...ended, ...again, version: 4 });
  });

  test('the deliveries of all own webhooks of executions share the lane of their owner', () => {
    expect(rowAfter(webhook.deliveryRequested({ webhook_id: null, endpoint: 'c2VhbGVk' }))).toMatchObject({
      lane: OWNER_ID,
      endpoint: 'c2VhbGVk',
    });
  });

  test('a column for each field, and events of deliveries only', () => {
    expect(Object.keys(deliveryProjection.columns).sort()).toEqual(Object.keys(REQUESTED).sort());
    const [own] = recorded(webhook.DELIVERY_STREAM, [webhook.deliveryRequested()]);
    const [other] = recorded(webhook.WEBHOOK_STREAM, [webhook.webhookCreated()]);
    expect([own!, other!].map((event) => deliveryProjection.keyOf(event))).toEqual([webhook.DELIVERY_ID, null]);
    expect(rowAfter(webhook.delivered())).toBeNull();
  });
});

describe('read.webhooks', () => {
  const rowAfter = (...events: readonly DomainEvent[]) =>
    fold(
      { evolve: projectWebhook as never },
      null as WebhookRow | null,
      recorded(webhook.WEBHOOK_STREAM, events) as never[],
    );
  const CREATED: WebhookRow = {
    id: webhook.WEBHOOK_ID,
    owner_id: OWNER_ID,
    status: 'enabled',
    disabled_reason: null,
    ...webhook.definition,
    created_at: recordedAtOf(1),
    updated_at: recordedAtOf(1),
    version: 1,
  };
  const at = (version: number) => ({ updated_at: recordedAtOf(version), version });

  test('from its creation to its end', () => {
    const events = [webhook.webhookCreated(), moved, rotated, disabled, enabled, WebhookDeleted({})];
    const rows = events.map((_, index) => rowAfter(...events.slice(0, index + 1)));
    const ROTATED = { ...CREATED, ...rotated.data };
    expect(rows).toEqual([
      CREATED,
      { ...CREATED, ...moved.data, ...at(2) },
      { ...ROTATED, ...at(3) },
      { ...ROTATED, status: 'disabled', disabled_reason: 'backlog', ...at(4) },
      { ...ROTATED, ...at(5) },
      null,
    ]);
    expect(rowAfter(disabled)).toBeNull();
  });

  test('a column for each field, and events of webhooks only', () => {
    expect(Object.keys(webhookProjection.columns).sort()).toEqual(Object.keys(CREATED).sort());
    const [other] = recorded(webhook.DELIVERY_STREAM, [webhook.deliveryRequested()]);
    expect(webhookProjection.keyOf(other!)).toBeNull();
  });
});

describe('read.webhook_targets', () => {
  /** Events of the webhook and of its deliveries, in the order of the log. */
  const rowAfter = (...events: readonly DomainEvent[]) =>
    fold(
      { evolve: foldTarget as never },
      null as WebhookTarget | null,
      recorded(webhook.WEBHOOK_STREAM, events) as never[],
    );
  const CREATED: WebhookTarget = {
    webhook_id: webhook.WEBHOOK_ID,
    owner_id: OWNER_ID,
    status: 'enabled',
    ...webhook.definition,
    failing_since: null,
    is_gone: false,
    version: 1,
  };
  const created = webhook.webhookCreated();
  const FAILING = { ...CREATED, failing_since: recordedAtOf(2) };

  test('it fails from its first failure after a success', () => {
    expect(rowAfter(created)).toEqual(CREATED);
    expect(rowAfter(created, webhook.failed(1))).toEqual(FAILING);
    expect(rowAfter(created, webhook.failed(1), webhook.failed(2), webhook.failed(1))).toEqual(FAILING);
    expect(rowAfter(created, webhook.failed(1), webhook.delivered(2))).toEqual(CREATED);
    expect(rowAfter(created, webhook.failed(1), webhook.delivered(2), webhook.failed(1))).toEqual({
      ...CREATED,
      failing_since: recordedAtOf(4),
    });
  });

  test('further failures and successes write nothing', () => {
    const events = recorded(webhook.WEBHOOK_STREAM, [created, webhook.failed(1), webhook.failed(2)]);
    const [first, second, third] = events as never[];
    const failing = foldTarget(foldTarget(null, first!), second!);
    expect(foldTarget(failing, third!)).toBe(failing);
    const well = foldTarget(null, first!);
    const [success] = recorded(webhook.DELIVERY_STREAM, [webhook.delivered()]) as never[];
    expect(foldTarget(well, success!)).toBe(well);
  });

  test('410, as the first failure and after others', () => {
    expect(rowAfter(created, webhook.failed(1, 410, null))).toEqual({ ...FAILING, is_gone: true });
    expect(rowAfter(created, webhook.failed(1), webhook.failed(2, 410, null))).toEqual({ ...FAILING, is_gone: true });
  });

  test('what the last endpoint did is forgotten with it, and when its owner enables it', () => {
    const gone = [created, webhook.failed(1, 410, null)];
    expect(rowAfter(...gone, moved)).toEqual({ ...CREATED, ...moved.data, version: 3 });
    expect(rowAfter(...gone, disabled)).toEqual({ ...FAILING, is_gone: true, status: 'disabled', version: 3 });
    expect(rowAfter(...gone, disabled, enabled)).toEqual({ ...CREATED, version: 4 });
    const described = WebhookUpdated({ ...webhook.definition, include_output: true });
    expect(rowAfter(...gone, described)).toEqual({
      ...{ ...FAILING, is_gone: true, include_output: true, version: 3 },
    });
    expect(rowAfter(...gone, rotated)).toEqual({ ...FAILING, is_gone: true, ...rotated.data, version: 3 });
  });

  test('nothing is kept of one that is deleted, even if its deliveries go on', () => {
    expect(rowAfter(created, WebhookDeleted({}))).toBeNull();
    expect(rowAfter(created, WebhookDeleted({}), webhook.failed(1))).toBeNull();
  });

  test('a column for each field; of deliveries only the outcomes of attempts', () => {
    expect(Object.keys(targetProjection.columns).sort()).toEqual(Object.keys(CREATED).sort());
    const events = recorded(webhook.DELIVERY_STREAM, [
      webhook.deliveryRequested(),
      webhook.failed(),
      webhook.delivered(),
      webhook.abandoned(),
      webhook.redelivered,
    ]);
    const { WEBHOOK_ID } = webhook;
    expect(events.map((event) => targetProjection.keyOf(event))).toEqual([null, WEBHOOK_ID, WEBHOOK_ID, null, null]);
    expect(targetProjection.keyOf(recorded(EXECUTION_STREAM, [created])[0]!)).toBeNull();
  });
});
