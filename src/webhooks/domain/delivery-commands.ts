import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { Requester } from '../../kernel/requester.js';
import type { AbandonedReason, AttemptFailure, RequestedDelivery } from './delivery-events.js';

/** May be repeated: an event is delivered once to each webhook. */
export class RequestDelivery {
  readonly type = 'RequestDelivery';
  constructor(
    readonly delivery: RequestedDelivery,
    readonly metadata: EventMetadata,
  ) {}
}

export type AttemptOutcome =
  | { readonly delivered: true; readonly statusCode: number; readonly durationMs: number }
  | {
      readonly delivered: false;
      readonly failure: AttemptFailure;
      readonly statusCode: number | null;
      readonly durationMs: number;
      /** Null: it is not tried again. */
      readonly nextAttemptAt: Date | null;
    };

/** The outcome of an attempt that is not the next one of the delivery is ignored: another process reported it first. */
export class RecordAttempt {
  readonly type = 'RecordAttempt';
  constructor(
    readonly deliveryId: string,
    readonly attempt: number,
    readonly outcome: AttemptOutcome,
    readonly metadata: EventMetadata,
  ) {}
}

export class AbandonDelivery {
  readonly type = 'AbandonDelivery';
  constructor(
    readonly deliveryId: string,
    readonly reason: AbandonedReason,
    readonly metadata: EventMetadata,
  ) {}
}

export class Redeliver {
  readonly type = 'Redeliver';
  constructor(
    readonly deliveryId: string,
    readonly webhookId: string,
    readonly requester: Requester,
    readonly metadata: EventMetadata,
  ) {}
}

export type DeliveryCommand = RequestDelivery | RecordAttempt | AbandonDelivery | Redeliver;
