import type { Pool } from 'pg';

import { EndedRuns } from '../../../src/execution/read/ended-runs.js';
import { PositionAnnouncements } from '../../../src/platform/projection/position-announcements.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';

const A_MINUTE_MS = 60_000;

describe('the wait for ended runs', () => {
  const never = new AbortController().signal;
  let projected: PositionAnnouncements;
  let runs: EndedRuns;
  /** Each look at the read model: what was asked for, and how to answer it. */
  let looks: { ids: string[]; answer: (ended: string[]) => void; fail: (error: Error) => void }[];

  beforeEach(() => {
    looks = [];
    projected = new PositionAnnouncements({ nats: null, prefix: 'test', subscription: 'projector' });
    const query = ({ values: [ids] }: { values: [string[]] }) =>
      new Promise((resolve, fail) => {
        const answer = (ended: string[]) => resolve({ rows: ended.map((id) => ({ id })) });
        looks.push({ ids, answer, fail });
      });
    runs = new EndedRuns({ query } as unknown as Pool, projected, silentLog);
  });

  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

  it('looks at once, then without rest at every announcement, and tells everyone of the same run', async () => {
    const waits = ['a', 'b', 'b'].map((id) => runs.wait(id, A_MINUTE_MS, never));
    expect(looks[0]!.ids).toEqual(['a']);
    looks[0]!.answer([]);
    projected.announce(1n);
    await nextTurn();
    expect(looks[1]!.ids).toEqual(['a', 'b', 'b']);
    looks[1]!.answer(['b']);
    expect(await Promise.all(waits.slice(1))).toEqual([{ id: 'b' }, { id: 'b' }]);

    projected.announce(2n);
    await nextTurn();
    looks[2]!.answer(['a']);
    expect(await waits[0]).toEqual({ id: 'a' });
  });

  it('goes on after an outage', async () => {
    const wait = runs.wait('a', A_MINUTE_MS, never);
    looks[0]!.fail(new Error('Connection terminated unexpectedly'));
    await nextTurn();
    projected.announce(1n);
    await nextTurn();
    looks[1]!.answer(['a']);
    expect(await wait).toEqual({ id: 'a' });
  });

  it('ends with the time, and with the signal', async () => {
    const leaving = new AbortController();
    const waits = [runs.wait('a', 1, never), runs.wait('b', A_MINUTE_MS, leaving.signal)];
    expect(await waits[0]).toBe(false);
    leaving.abort();
    expect(await waits[1]).toBe(false);
  });
});
