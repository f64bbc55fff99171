import type { Pool } from 'pg';

import type { EventCatalog } from '../../event-sourcing/core/event-catalog.js';
import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import type { PostgresEventStore } from '../../event-sourcing/event-store/postgres-event-store.js';
import type { PayloadRef } from '../../platform/payloads/payload-store.js';
import { type CheckReport, Faults } from './finding.js';
import { readableEvent } from './readable-event.js';

/** Receives every event of the log in order; returns how an event contradicts the earlier ones, or null. */
export type Invariant = (event: RecordedEvent) => string | null;

/**
 * One pass over the log: events can be read, each execution ends once, and payloads match the events' hashes.
 * @param parts.after earlier events were checked before; ends of executions are not checked then
 */
export async function checkContents(parts: {
  readonly log: Pick<PostgresEventStore, 'scan'>;
  readonly pool: Pool;
  readonly catalog: EventCatalog;
  readonly invariant: Invariant;
  readonly head: bigint;
  readonly after?: bigint;
}): Promise<CheckReport[]> {
  const { log, pool, catalog, invariant, head, after = 0n } = parts;
  const readable = new Faults('events can be read');
  const endings = new Faults('each execution ends once');
  const payloads = new Faults('payloads match their hashes');
  let payloadCount = 0;
  let destroyedCount = 0;
  for await (const batch of log.scan(after, head)) {
    const refs: PayloadRef[] = [];
    for (const stored of batch) {
      const event = readableEvent(catalog, stored, ({ message }) => readable.add(message));
      if (!event) continue;
      const fault = after === 0n ? invariant(event) : null;
      if (fault !== null) endings.add(`position ${event.position}: ${fault}`);
      refs.push(...catalog.payloadsOf(event));
    }
    payloadCount += refs.length;
    destroyedCount += await comparePayloads(pool, refs, payloads);
  }
  return [
    readable.report(`${head - after} events`),
    ...(after === 0n ? [endings.report(`${head} events`)] : []),
    payloads.report(`${payloadCount} payloads${destroyedCount === 0 ? '' : `, ${destroyedCount} destroyed`}`),
  ];
}

/**
 * The hash covers the ciphertext, so a payload whose key was destroyed can still be checked. The hash of a destroyed
 * payload is kept.
 * @returns how many payloads have been destroyed
 */
async function comparePayloads(pool: Pool, refs: readonly PayloadRef[], faults: Faults): Promise<number> {
  if (refs.length === 0) return 0;
  // One statement, one snapshot: a payload destroyed between two queries would be in neither result.
  const { rows } = await pool.query<{ payload_id: string; actual: string; destroyed: boolean }>(
    `select payload_id, encode(sha256(ciphertext), 'hex') as actual, false as destroyed
     from es.payloads where payload_id = any($1::uuid[])
     union all
     select payload_id, sha256, true from es.destroyed_payloads where payload_id = any($1::uuid[])`,
    [refs.map(({ payload_id }) => payload_id)],
  );
  const found = new Map(rows.map((row) => [row.payload_id, row]));
  for (const { payload_id, sha256 } of refs) {
    const actual = found.get(payload_id)?.actual;
    if (actual === undefined) faults.add(`payload ${payload_id} is missing`);
    else if (actual !== sha256) faults.add(`payload ${payload_id} has been changed`);
  }
  return rows.filter(({ destroyed }) => destroyed).length;
}
