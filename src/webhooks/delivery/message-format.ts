import type { DeliveryRow } from '../queries/delivery-projection.js';

/** What a webhook sends. The body is made anew for each attempt, from the log, and is the same each time. */
export interface MessageFormat {
  readonly method: 'POST' | 'PUT';
  readonly mediaType: string;
  /** @throws Unavailable */
  bodyOf(delivery: DeliveryRow): Promise<string>;
}
