import type { Pool } from 'pg';

import { newId } from '../../../src/kernel/uuid.js';
import { PLANS_BY_INDEX } from '../../../src/platform/postgres/plans-by-index.js';
import { createPool } from '../../../src/platform/postgres/pool.js';
import { LANES_AT_A_TIME, PendingDeliveries } from '../../../src/webhooks/delivery/pending-deliveries.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const NOW = new Date('2026-01-10T00:00:00Z');
const ago = (ms: number) => new Date(NOW.getTime() - ms);
const DAY_MS = 86_400_000;
const NONE = { pendingMax: 1_000_000, failingSince: ago(5 * DAY_MS) };

let db: TestDatabase;
let pool: Pool;
let pending: PendingDeliveries;
beforeAll(async () => {
  db = await createTestDatabase();
  pool = createPool({ ...db.app, settings: PLANS_BY_INDEX });
  pending = new PendingDeliveries(pool);
});
beforeEach(() => db.ownerPool.query('truncate read.webhook_deliveries, read.webhook_targets'));
afterAll(async () => {
  await pool.end();
  await db.drop();
});

interface Target {
  readonly status?: 'enabled' | 'disabled';
  readonly failing_since?: Date | null;
  readonly is_gone?: boolean;
}

async function target({ status = 'enabled', failing_since = null, is_gone = false }: Target = {}): Promise<string> {
  const id = newId();
  await db.ownerPool.query(
    `insert into read.webhook_targets (webhook_id, owner_id, status, endpoint, events, include_output, failing_since, is_gone,
       version)
     values ($1::uuid, $1::uuid, $2, 'sealed ' || $1::uuid, '{}', false, $3, $4, 7)`,
    [id, status, failing_since, is_gone],
  );
  return id;
}

interface Delivery {
  readonly webhook?: string | null;
  readonly lane?: string;
  readonly source?: string;
  readonly version?: number;
  readonly attempts?: number;
  readonly due?: Date | null;
  readonly status?: string;
  readonly endpoint?: string | null;
}

async function delivery(of: Delivery): Promise<string> {
  const { webhook = null, source = newId(), version = 1, attempts = 0, due = ago(1_000), status = 'pending' } = of;
  const id = newId();
  await db.ownerPool.query(
    `insert into read.webhook_deliveries (id, webhook_id, owner_id, endpoint, include_output, event_id, event_type,
       event_time, source_id, source_version, status, attempts, due_at, lane, created_at, version)
     values ($1::uuid, $2, $1::uuid, $3, false, $1::uuid, 'execution.completed', $4::timestamptz, $5, $6, $7, $8, $9,
       $10, $4::timestamptz, 1)`,
    [id, webhook, of.endpoint ?? null, ago(1_000), source, version, status, attempts, due, of.lane ?? webhook],
  );
  return id;
}

/** Many deliveries of a webhook, each of its own source, or three of each. */
async function many(webhook: string, count: number, { perSource = 1, attempts = 0, due = ago(1_000) } = {}) {
  await db.ownerPool.query(
    `insert into read.webhook_deliveries (id, webhook_id, owner_id, include_output, event_id, event_type, event_time,
       source_id, source_version, status, attempts, due_at, lane, created_at, version)
     select gen_random_uuid(), $1::uuid, $1::uuid, false, gen_random_uuid(), 'execution.completed', $5::timestamptz,
       md5($1::uuid::text || (n / $3))::uuid, n % $3::int + 1, 'pending', $4, $5::timestamptz, $1::uuid,
       $5::timestamptz, 1
     from generate_series(0, $2::int - 1) n`,
    [webhook, count, perSource, attempts, due],
  );
}

async function allDue(except: readonly string[] = []): Promise<string[]> {
  const found: string[] = [];
  let lane: string | null = null;
  do {
    const page: Awaited<ReturnType<PendingDeliveries['due']>> = await pending.due(lane, NOW, except);
    found.push(...page.deliveries.map(({ id }) => id));
    lane = page.lane;
  } while (lane !== null);
  return found;
}

describe('what is due', () => {
  test('at its time, not before, and not what has ended', async () => {
    const webhook = await target();
    const due = await delivery({ webhook, due: NOW });
    await delivery({ webhook, due: new Date(NOW.getTime() + 1) });
    for (const status of ['delivered', 'abandoned']) await delivery({ webhook, status, due: null });
    expect(await allDue()).toEqual([due]);
    expect((await pending.dueIn([webhook], NOW, [])).map(({ id }) => id)).toEqual([due]);
    expect(await pending.dueIn([newId()], NOW, [])).toEqual([]);
  });

  test('with its endpoint, and whether its webhook fails', async () => {
    const [well, failing] = [await target(), await target({ failing_since: ago(1) })];
    const own = newId();
    await delivery({ webhook: well });
    await delivery({ webhook: failing, attempts: 1 });
    await delivery({ lane: own, endpoint: 'own', attempts: 1 });
    const { deliveries } = await pending.due(null, NOW, []);
    expect(deliveries.map(({ lane, target_endpoint, is_failing }) => ({ lane, target_endpoint, is_failing }))).toEqual(
      [
        { lane: well, target_endpoint: `sealed ${well}`, is_failing: false },
        { lane: failing, target_endpoint: `sealed ${failing}`, is_failing: true },
        { lane: own, target_endpoint: 'own', is_failing: false },
      ].toSorted((one, other) => (one.lane < other.lane ? -1 : 1)),
    );
  });

  test('in the order of the versions of a source; other sources go on', async () => {
    const webhook = await target();
    const source = newId();
    const [third, first, second] = [
      await delivery({ webhook, source, version: 7, due: ago(3_000) }),
      await delivery({ webhook, source, version: 2, due: ago(2_000) }),
      await delivery({ webhook, source, version: 4, due: ago(1_000) }),
    ];
    const other = await delivery({ webhook, version: 9, due: ago(1) });
    expect(await allDue()).toEqual([first, other]);
    // Under way, or scheduled for later: it still comes first.
    expect(await allDue([first])).toEqual([other]);
    await db.ownerPool.query('update read.webhook_deliveries set due_at = $2 where id = $1', [first, ago(-1_000)]);
    expect(await allDue()).toEqual([other]);
    for (const [ended, next] of [
      [first, second],
      [second, third],
    ] as const) {
      await db.ownerPool.query("update read.webhook_deliveries set status = 'delivered' where id = $1", [ended]);
      expect(new Set(await allDue())).toEqual(new Set([next, other]));
    }
  });

  test('the same event to two webhooks: neither waits for the other', async () => {
    const source = newId();
    const [one, other] = [await target(), await target()];
    await delivery({ webhook: one, source, version: 1, due: ago(-DAY_MS) });
    const due = await delivery({ webhook: other, source, version: 2 });
    expect(await allDue()).toEqual([due]);
  });

  test('the oldest of a lane first, four at a time', async () => {
    const webhook = await target();
    const ids: string[] = [];
    for (let no = 0; no < 6; no += 1) ids.push(await delivery({ webhook, due: ago(10_000 - no) }));
    expect(await allDue()).toEqual(ids.slice(0, 4));
    expect(await allDue(ids.slice(0, 4))).toEqual(ids.slice(4));
  });

  test('nothing for a webhook that is disabled or deleted', async () => {
    await delivery({ webhook: await target({ status: 'disabled' }) });
    await delivery({ webhook: newId() });
    expect(await allDue()).toEqual([]);
  });

  test('all lanes, page by page', async () => {
    const ids: string[] = [];
    for (let no = 0; no < 2 * LANES_AT_A_TIME + 1; no += 1) ids.push(await delivery({ webhook: await target() }));
    expect(new Set(await allDue())).toEqual(new Set(ids));
    const first = await pending.due(null, NOW, []);
    expect([first.lanes, first.deliveries.length]).toEqual([LANES_AT_A_TIME, LANES_AT_A_TIME]);
    // Also lanes in which nothing is due are counted: something waits there.
    const early = await pending.due(null, ago(DAY_MS), []);
    expect([early.lanes, early.deliveries.length, early.lane]).toEqual([LANES_AT_A_TIME, 0, first.lane]);
  });

  test('nothing waits', async () => {
    expect(await pending.due(null, NOW, [])).toEqual({ deliveries: [], lane: null, lanes: 0 });
  });
});

describe('webhooks to disable', () => {
  const toDisable = (max = NONE.pendingMax) => pending.toDisable(max, NONE.failingSince);

  test('that answered 410', async () => {
    const gone = await target({ is_gone: true, failing_since: ago(1) });
    await target({ is_gone: true, failing_since: ago(1), status: 'disabled' });
    expect(await toDisable()).toEqual([{ webhook_id: gone, reason: 'gone', version: 7 }]);
  });

  test('that have failed for five days and still do', async () => {
    const failing = await target({ failing_since: ago(5 * DAY_MS + 1) });
    await delivery({ webhook: failing, attempts: 3, due: ago(-DAY_MS) });
    const recently = await target({ failing_since: ago(5 * DAY_MS - 1) });
    await delivery({ webhook: recently, attempts: 3 });
    // All was abandoned long ago: its next delivery may succeed.
    const quiet = await target({ failing_since: ago(9 * DAY_MS) });
    await delivery({ webhook: quiet });
    await delivery({ webhook: await target({ failing_since: ago(9 * DAY_MS), status: 'disabled' }), attempts: 1 });
    expect(await toDisable()).toEqual([{ webhook_id: failing, reason: 'failing', version: 7 }]);
  });

  test('that are behind', async () => {
    const [behind, at, disabled] = [await target(), await target(), await target({ status: 'disabled' })];
    await many(behind, 11);
    await many(at, 10);
    await many(disabled, 11);
    await many(newId(), 11);
    expect(await toDisable(10)).toEqual([{ webhook_id: behind, reason: 'backlog', version: 7 }]);
  });

  test('each for one reason', async () => {
    const all = await target({ is_gone: true, failing_since: ago(9 * DAY_MS) });
    await many(all, 11, { attempts: 1 });
    expect(await toDisable(10)).toEqual([{ webhook_id: all, reason: 'gone', version: 7 }]);
  });
});

describe('what waits for webhooks that have ended', () => {
  test('for those that are disabled or deleted, without what is under way', async () => {
    const [disabled, deleted, enabled] = [await target({ status: 'disabled' }), newId(), await target()];
    const [off, underWay, gone] = [
      await delivery({ webhook: disabled }),
      await delivery({ webhook: disabled }),
      await delivery({ webhook: deleted, due: ago(-DAY_MS) }),
    ];
    await delivery({ webhook: enabled });
    await delivery({ lane: newId(), endpoint: 'own' });
    const ended = await pending.ofEndedWebhooks([underWay]);
    expect(new Set(ended.map(({ id, reason }) => `${id} ${reason}`))).toEqual(
      new Set([`${off} disabled`, `${gone} deleted`]),
    );
  });

  test('not all at once', async () => {
    await many(newId(), 150);
    await many(await target({ status: 'disabled' }), 150);
    expect(await pending.ofEndedWebhooks([])).toHaveLength(200);
  });
});

describe('ten thousand deliveries wait for a dead receiver', () => {
  /** The blocks that a query touches, and the nodes that read all of a table. */
  async function costOf(read: (pending: PendingDeliveries) => Promise<unknown>) {
    let asked: { text: string; values: unknown[] } | undefined;
    await read(
      new PendingDeliveries({
        query: (text: string, values: unknown[]) => {
          asked = { text, values };
          return Promise.resolve({ rows: [] });
        },
      } as unknown as Pool),
    );
    const { text, values } = asked!;
    const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (analyze, buffers, format json) ${text}`,
      values,
    );
    const nodes = nodesOf(rows[0]!['QUERY PLAN'][0].Plan);
    const isAll = (node: PlanNode) =>
      node['Node Type'] === 'Seq Scan' && node['Relation Name'] === 'webhook_deliveries';
    return {
      blocks: nodes[0]!['Shared Hit Blocks'] + nodes[0]!['Shared Read Blocks'],
      readsAll: nodes.some(isAll),
    };
  }

  interface PlanNode {
    readonly 'Node Type': string;
    readonly 'Relation Name'?: string;
    readonly 'Shared Hit Blocks': number;
    readonly 'Shared Read Blocks': number;
    readonly Plans?: readonly PlanNode[];
  }
  const nodesOf = (plan: PlanNode): PlanNode[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

  let dead: string;
  let well: string;
  beforeEach(async () => {
    dead = await target({ failing_since: ago(1_000) });
    well = await target();
    await many(dead, 10_000);
    await db.ownerPool.query(
      `insert into read.webhook_deliveries
       select gen_random_uuid(), webhook_id, owner_id, endpoint, include_output, event_id, event_type, event_time,
         source_id, source_version, 'delivered', attempts, status_code, failure, abandoned_reason, null, lane,
         created_at, created_at, traceparent, version
       from read.webhook_deliveries`,
    );
    await delivery({ webhook: well });
    await db.ownerPool.query('vacuum (analyze) read.webhook_deliveries, read.webhook_targets');
  });

  test('the others are found as if nothing did', async () => {
    expect((await pending.due(null, NOW, [])).lanes).toBe(2);
    const all = await costOf((one) => one.due(null, NOW, []));
    expect(all.readsAll).toBe(false);
    expect(all.blocks).toBeLessThan(200);
    const one = await costOf((of) => of.dueIn([well], NOW, []));
    expect(one.readsAll).toBe(false);
    expect(one.blocks).toBeLessThan(50);
  });

  describe('and most of them wait for an earlier event of their execution', () => {
    beforeEach(async () => {
      await db.ownerPool.query('truncate read.webhook_deliveries');
      await many(dead, 30_000, { perSource: 3 });
      await db.ownerPool.query(
        'update read.webhook_deliveries set attempts = 1, due_at = $1 where source_version = 1',
        [ago(-DAY_MS)],
      );
      await delivery({ webhook: well });
      await db.ownerPool.query('vacuum (analyze) read.webhook_deliveries');
    });

    test('the others are found all the same, and its own cost little', async () => {
      expect((await allDue()).length).toBe(1);
      const [all, one, own] = [
        await costOf((of) => of.due(null, NOW, [])),
        await costOf((of) => of.dueIn([well], NOW, [])),
        await costOf((of) => of.dueIn([dead], NOW, [])),
      ];
      expect([all.readsAll, one.readsAll, own.readsAll]).toEqual([false, false, false]);
      expect(one.blocks).toBeLessThan(50);
      // Two probes of an index for each that is looked at.
      expect(own.blocks).toBeLessThan(2_000);
      expect(all.blocks).toBeLessThan(2_000);
    });

    test('its retries that are due, and what has happened just now, are found', async () => {
      const now = await delivery({ webhook: dead, due: ago(1) });
      const retry = await delivery({ webhook: dead, attempts: 1, due: ago(500) });
      const found = await pending.dueIn([dead], NOW, []);
      expect(found.map(({ id }) => id)).toEqual([retry, now]);
    });
  });

  test('checks are cheap', async () => {
    const ended = await costOf((one) => one.ofEndedWebhooks([]));
    const checked = await costOf((one) => one.toDisable(50_000, NONE.failingSince));
    expect([ended.readsAll, checked.readsAll]).toEqual([false, false]);
    expect(ended.blocks).toBeLessThan(200);
    // The backlog is counted in the index.
    expect(checked.blocks).toBeLessThan(1_000);
  });
});
