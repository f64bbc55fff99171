import type { PoolClient } from 'pg';

import type { RecordedEvent } from '../core/event.js';
import type { Write } from '../subscription/move-statement.js';
import type { Projection } from './projection.js';

export type Row = Record<string, unknown>;
type Client = Pick<PoolClient, 'query'>;

/** The changes of a batch to a table: each row at most once, however many events affect it. */
export interface RowChanges {
  readonly upserted: Row[];
  readonly deleted: string[];
}

/**
 * One table of a projection. A batch costs one load of the affected rows, and one write of the changed rows, however
 * many events affect them.
 */
export class ProjectionTable {
  private readonly loadSql: string;
  private readonly upsertSql: Write['sql'];
  private readonly deleteSql: Write['sql'];
  private readonly bigints: string[];

  /** @param table holds the rows: by default the table of the projection, in a rebuild its shadow */
  constructor(
    readonly projection: Projection,
    private readonly table = projection.table,
  ) {
    const { columns, key } = projection;
    const names = Object.keys(columns);
    const list = names.join(', ');
    this.bigints = names.filter((name) => columns[name] === 'bigint');
    this.loadSql = `select ${list} from read.${table} where ${key} = any($1::${columns[key]}[])`;
    // JSON, not a parameter per column: jsonb and arrays pass through unnest only with manual quoting.
    const insert = `insert into read.${table} (${list}) select ${list} from json_to_recordset(`;
    const rows = `::json) as r(${names.map((name) => `${name} ${columns[name]}`).join(', ')}) where `;
    const others = names.filter((name) => name !== key).map((name) => `${name} = excluded.${name}`);
    const update = ` on conflict (${key}) do update set ${others.join(', ')}`;
    this.upsertSql = (parameter, condition) => insert + parameter + rows + condition + update;
    this.deleteSql = (parameter, condition) =>
      `delete from read.${table} where ${key} = any(${parameter}::${columns[key]}[]) and ${condition}`;
  }

  /** Applies events in order. Errors of the projection itself count as faults of the event. @returns rows written */
  async apply(client: Client, events: readonly RecordedEvent[]): Promise<number> {
    const byKey = this.group(events);
    if (byKey.size === 0) return 0;
    const rows = await this.load(client, [...byKey.keys()]);
    const changes = this.fold(byKey, rows);
    await this.write(client, changes);
    return changes.upserted.length + changes.deleted.length;
  }

  /** The existing rows of these keys. */
  async load(client: Client, keys: readonly string[]): Promise<Map<string, Row>> {
    const { rows } = await client.query<Row>(this.loadSql, [keys]);
    const { key } = this.projection;
    for (const row of rows) {
      for (const name of this.bigints) if (row[name] !== null) row[name] = Number(row[name]);
    }
    return new Map(rows.map((row) => [row[key] as string, row]));
  }

  group(events: readonly RecordedEvent[]): Map<string, RecordedEvent[]> {
    const byKey = new Map<string, RecordedEvent[]>();
    for (const event of events) {
      const key = this.projection.keyOf(event);
      if (key === null) continue;
      const known = byKey.get(key);
      if (known) known.push(event);
      else byKey.set(key, [event]);
    }
    return byKey;
  }

  fold(byKey: ReadonlyMap<string, readonly RecordedEvent[]>, rows: ReadonlyMap<string, Row>): RowChanges {
    const upserted: Row[] = [];
    const deleted: string[] = [];
    for (const [key, events] of byKey) {
      const before = rows.get(key) ?? null;
      let after = before;
      for (const event of events) after = this.projection.project(after, event);
      if (after === before) continue;
      if (after === null) deleted.push(key);
      else upserted.push(after);
    }
    return { upserted, deleted };
  }

  /** The writes for these changes, each its own statement or part of one. */
  writes({ upserted, deleted }: RowChanges): Write[] {
    const writes: Write[] = [];
    if (upserted.length > 0) {
      writes.push({ name: `${this.table}_upsert`, sql: this.upsertSql, value: JSON.stringify(upserted) });
    }
    if (deleted.length > 0) writes.push({ name: `${this.table}_delete`, sql: this.deleteSql, value: deleted });
    return writes;
  }

  private async write(client: Client, changes: RowChanges): Promise<void> {
    for (const { name, sql, value } of this.writes(changes)) {
      await client.query({ name, text: sql('$1', 'true'), values: [value] });
    }
  }
}
