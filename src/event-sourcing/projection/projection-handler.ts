import type { Pool, PoolClient } from 'pg';

import type { RecordedEvent } from '../core/event.js';
import type { Changes, SubscriptionHandler } from '../subscription/subscription-handler.js';
import { LiveTable } from './live-table.js';
import type { RowOfStream } from './position-announcements.js';
import type { Projection } from './projection.js';

/** The projector: writes every view and the checkpoint in one statement, then announces the position. */
export class ProjectionHandler implements SubscriptionHandler {
  private readonly tables: readonly LiveTable[];
  /** Of the change that is being committed. */
  private applied: readonly RecordedEvent[] = [];

  /**
   * @param announce called after each commit, with the events that it applied, and the rows of a view's table
   * @param canWait see {@link SubscriptionHandler.canWait}
   */
  constructor(
    pool: Pick<Pool, 'query'>,
    projections: readonly Projection[],
    private readonly announce: (
      position: bigint,
      events: readonly RecordedEvent[],
      rowsOf: (table: string) => RowOfStream,
    ) => void,
    readonly canWait: (event: RecordedEvent) => boolean = () => false,
  ) {
    this.tables = projections.map((projection) => new LiveTable(pool, projection));
  }

  async change(events: readonly RecordedEvent[]): Promise<Changes> {
    const pending = this.tables.map((table) => table.change(events));
    // Waits for all, even if one fails: a load that is still running would later remember outdated rows.
    await Promise.allSettled(pending);
    const changes = await Promise.all(pending);
    return {
      writes: changes.flatMap(({ writes }) => writes),
      applied: () => {
        for (const { applied } of changes) applied();
        this.applied = events;
      },
    };
  }

  committed(position: bigint): void {
    const events = this.applied;
    this.applied = [];
    this.announce(position, events, this.rowsOf);
  }

  private readonly rowsOf = (name: string): RowOfStream => {
    const table = this.tables.find(({ projection }) => projection.table === name);
    return (streamId) => table?.rememberedRow(streamId);
  };

  forget(): void {
    for (const table of this.tables) table.forget();
  }

  async reset(client: PoolClient): Promise<void> {
    for (const { projection } of this.tables) await client.query(`delete from read.${projection.table}`);
  }
}
