import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';

import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import type { ExecutionEvent, ExecutionSpec } from '../../tasks/domain/execution-events.js';

const REMEMBERED_MAX = 20_000;

/** What the deliverer needs to know of an execution. It never changes. */
export type ExecutionOwner = Pick<ExecutionSpec, 'owner_id' | 'webhook'>;

/** The owners of executions: an execution's first event names them, the others do not. */
export class ExecutionOwners {
  private readonly remembered = new LRUCache<string, ExecutionOwner>({ max: REMEMBERED_MAX });

  constructor(private readonly pool: Pick<Pool, 'query'>) {}

  /** @returns by execution. @throws Unavailable */
  async of(events: readonly RecordedEvent<ExecutionEvent>[]): Promise<ReadonlyMap<string, ExecutionOwner>> {
    const found = new Map<string, ExecutionOwner>();
    const unknown = new Set<string>();
    for (const { stream, type, data } of events) {
      if (type === 'ExecutionRequested')
        this.remembered.set(stream.id, { owner_id: data.owner_id, webhook: data.webhook });
      const owner = this.remembered.get(stream.id);
      if (owner) found.set(stream.id, owner);
      else unknown.add(stream.id);
    }
    for (const [id, owner] of await this.load([...unknown])) found.set(id, owner);
    return found;
  }

  private async load(ids: readonly string[]): Promise<readonly (readonly [string, ExecutionOwner])[]> {
    if (ids.length === 0) return [];
    const { rows } = await reportingOutages(() =>
      this.pool.query<{ id: string; owner_id: string; webhook: ExecutionOwner['webhook'] }>(
        `select stream_id as id, data ->> 'owner_id' as owner_id, nullif(data -> 'webhook', 'null') as webhook
         from es.events where stream_id = any ($1::uuid[]) and version = 1`,
        [ids],
      ),
    );
    return rows.map(({ id, ...owner }) => {
      this.remembered.set(id, owner);
      return [id, owner] as const;
    });
  }
}
