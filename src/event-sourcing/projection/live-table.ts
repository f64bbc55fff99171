import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import type { RecordedEvent } from '../core/event.js';
import type { Changes } from '../subscription/subscription-handler.js';
import { ProjectionTable, type Row, type RowChanges } from './projection-table.js';
import type { Projection } from './projection.js';

const REMEMBERED_ROWS_MAX = 2_000;
/** Of all rows as JSON; as objects they are larger. */
const REMEMBERED_CHARS_MAX = 4 * 1024 ** 2;

/**
 * A table of a projection as the leader of its subscription sees it. Only the leader writes to it: any other writer
 * moves the checkpoint or raises its generation. Then the next write of the leader is refused and it starts over. So a
 * row that was read or written under this leadership is not read again, and the first event of a stream needs no read
 * at all.
 */
export class LiveTable {
  private readonly table: ProjectionTable;
  private readonly remembered = new LRUCache<string, Row>({
    max: REMEMBERED_ROWS_MAX,
    maxSize: REMEMBERED_CHARS_MAX,
    sizeCalculation: (row) => JSON.stringify(row).length,
  });

  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    readonly projection: Projection,
  ) {
    this.table = new ProjectionTable(projection);
  }

  /** The changes that events cause. Errors of the projection itself are faults of the event. @throws Unavailable */
  async change(events: readonly RecordedEvent[]): Promise<Changes> {
    const byKey = this.table.group(events);
    const changes = this.table.fold(byKey, await this.load(byKey));
    return { writes: this.table.writes(changes), applied: () => this.remember(changes) };
  }

  /** The rows that events affect, as they are before them. @throws Unavailable */
  async rows(events: readonly RecordedEvent[]): Promise<ReadonlyMap<string, Row>> {
    return await this.load(this.table.group(events));
  }

  /** As it was last read or written; undefined if it is not remembered. */
  rememberedRow(key: string): Row | undefined {
    return this.remembered.get(key);
  }

  forget(): void {
    this.remembered.clear();
  }

  private async load(byKey: ReadonlyMap<string, readonly RecordedEvent[]>): Promise<Map<string, Row>> {
    const rows = new Map<string, Row>();
    const unknown: string[] = [];
    for (const [key, events] of byKey) {
      const row = this.remembered.get(key);
      if (row) rows.set(key, row);
      else if (!isBeginning(events[0]!, key)) unknown.push(key);
    }
    if (unknown.length === 0) return rows;
    for (const [key, row] of await reportingOutages(() => this.table.load(this.pool, unknown))) {
      rows.set(key, row);
      this.remembered.set(key, row);
    }
    return rows;
  }

  private remember({ upserted, deleted }: RowChanges): void {
    const { key } = this.projection;
    for (const row of upserted) this.remembered.set(row[key] as string, row);
    for (const deletedKey of deleted) this.remembered.delete(deletedKey);
  }
}

/** The stream's own row, before its first event. */
const isBeginning = ({ stream, version }: RecordedEvent, key: string): boolean => version === 1 && stream.id === key;
