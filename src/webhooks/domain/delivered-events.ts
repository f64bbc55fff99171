import type { SubscribableEvent } from '../../tasks/domain/subscribable-events.js';

/** Sent on request only. */
export const TEST_EVENT = 'webhook.test';

/** What a delivery can be about. */
export type DeliveredEvent = SubscribableEvent | typeof TEST_EVENT;
