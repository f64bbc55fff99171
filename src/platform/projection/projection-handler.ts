import type { PoolClient } from 'pg';

import type { DeliveredEvent, SubscriptionHandler } from '../subscription/subscription-handler.js';
import type { Projection } from './projection.js';
import { ProjectionTable } from './projection-table.js';

/** The projector: every view and the checkpoint in one transaction, then the announcement. */
export class ProjectionHandler implements SubscriptionHandler {
  private readonly tables: readonly ProjectionTable[];

  constructor(
    projections: readonly Projection[],
    private readonly announce: (position: bigint) => void,
  ) {
    this.tables = projections.map((projection) => new ProjectionTable(projection));
  }

  async write(events: readonly DeliveredEvent[], client: PoolClient): Promise<void> {
    for (const table of this.tables) await table.apply(client, events);
  }

  committed(position: bigint): void {
    this.announce(position);
  }

  async reset(client: PoolClient): Promise<void> {
    for (const { projection } of this.tables) await client.query(`delete from read.${projection.table}`);
  }
}
