import type { Pool } from 'pg';

import { reportingOutages } from '../postgres/outage.js';

/** Destroyed in one statement: a payload has up to 64 MiB, but most have a few KiB. */
export const PAYLOADS_AT_A_TIME = 200;

/** What was destroyed. */
export interface Destroyed {
  readonly payloads: number;
  readonly bytes: number;
}

const OWNED = 'select payload_id from es.payloads where owner_id = $1 limit $2';

const DESTROY =
  'select count(*)::int as payloads, coalesce(sum(bytes), 0)::float8 as bytes from es.destroy_payloads($1)';

/**
 * Destroys payloads. Their hashes stay, in their events and in es.destroyed_payloads, so that a history is as provable
 * as before. May be repeated, and run in several processes at a time. Every method may throw Unavailable.
 */
export class PayloadDestruction {
  private destroyed: Destroyed = { payloads: 0, bytes: 0 };

  constructor(private readonly pool: Pool) {}

  /** Since the start of the process. */
  get figures(): Destroyed {
    return this.destroyed;
  }

  /** Destroys all payloads of an owner. @param signal stops it between two statements */
  destroyOf(ownerId: string, signal: AbortSignal): Promise<void> {
    return this.destroySelected(OWNED, ownerId, signal);
  }

  /** @param select selects payload_id by one value and a limit; it no longer finds destroyed payloads */
  async destroySelected(select: string, value: string | number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const { rows } = await reportingOutages(() =>
        this.pool.query<{ payload_id: string }>(select, [value, PAYLOADS_AT_A_TIME]),
      );
      await this.destroy(rows.map(({ payload_id }) => payload_id));
      if (rows.length < PAYLOADS_AT_A_TIME) return;
    }
  }

  async destroy(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += PAYLOADS_AT_A_TIME) {
      const some = ids.slice(at, at + PAYLOADS_AT_A_TIME);
      const { rows } = await reportingOutages(() => this.pool.query<Destroyed>(DESTROY, [some]));
      const { payloads, bytes } = this.destroyed;
      this.destroyed = { payloads: payloads + rows[0]!.payloads, bytes: bytes + rows[0]!.bytes };
    }
  }
}
