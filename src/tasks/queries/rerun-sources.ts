import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import { type Outcome, OUTCOMES } from '../domain/execution-shape.js';

/** Which executions are to be repeated. */
export interface RerunFilter {
  readonly status?: Outcome | undefined;
  readonly task_id?: string | undefined;
  /** ISO 8601; of the request, included. */
  readonly since?: string | undefined;
  /** Not included. */
  readonly until?: string | undefined;
  readonly termination_reason?: string | undefined;
}

/** The ids of a user's executions that have ended and match, oldest first. Reads the view, which may lag. */
export class FindRerunSources extends Query<readonly string[]> {
  constructor(
    readonly ownerId: string,
    readonly filter: RerunFilter,
    readonly limit: number,
  ) {
    super();
  }
}

/** The number of a user's batches with executions that wait to be started. */
export class CountStartingBatches extends Query<number> {
  constructor(readonly ownerId: string) {
    super();
  }
}

@QueryHandler(FindRerunSources)
export class FindRerunSourcesHandler implements IQueryHandler<FindRerunSources> {
  constructor(private readonly pool: Pool) {}

  async execute({ ownerId, filter, limit }: FindRerunSources): Promise<readonly string[]> {
    const { status, task_id, since, until, termination_reason } = filter;
    const values: unknown[] = [ownerId];
    const terms: string[] = [];
    const add = (term: string, value: unknown): void => {
      if (value !== undefined) terms.push(`${term} $${values.push(value)}`);
    };
    if (status === undefined) terms.push(`status = any($${values.push(OUTCOMES)})`);
    add('status =', status);
    add('task_id =', task_id);
    add('created_at >=', since);
    add('created_at <', until);
    add('termination_reason =', termination_reason);
    const { rows } = await reportingOutages(() =>
      this.pool.query<{ id: string }>(
        `select id from read.executions where owner_id = $1 and ${terms.join(' and ')}
         order by created_at, id limit $${values.push(limit)}`,
        values,
      ),
    );
    return rows.map(({ id }) => id);
  }
}

@QueryHandler(CountStartingBatches)
export class CountStartingBatchesHandler implements IQueryHandler<CountStartingBatches> {
  constructor(private readonly pool: Pool) {}

  async execute({ ownerId }: CountStartingBatches): Promise<number> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<{ count: number }>(
        `select count(*)::int as count from read.batches where owner_id = $1 and status = 'starting'`,
        [ownerId],
      ),
    );
    return rows[0]!.count;
  }
}

export const rerunQueryHandlers = [FindRerunSourcesHandler, CountStartingBatchesHandler];
