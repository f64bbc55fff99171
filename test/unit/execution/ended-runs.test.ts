import type { Pool } from 'pg';

import { EndedRuns } from '../../../src/execution/read/ended-runs.js';
import { PositionAnnouncements } from '../../../src/platform/projection/position-announcements.js';

const A_MINUTE_MS = 60_000;

describe('the wait for ended runs', () => {
  const never = new AbortController().signal;
  let projected: PositionAnnouncements;
  let runs: EndedRuns;
  /** Each look at the read model: what was asked for, and how to answer it. */
  let looks: { ids: string[]; answer: (ended: string[]) => void; fail: () => void }[];

  beforeEach(() => {
    looks = [];
    projected = new PositionAnnouncements({ nats: null, prefix: 'test', subscription: 'projector' });
    const query = ({ values: [ids] }: { values: [string[]] }) =>
      new Promise((resolve, reject) => {
        const answer = (ended: string[]) => resolve({ rows: ended.map((id) => ({ id })) });
        looks.push({ ids, answer, fail: () => reject(new Error('an outage')) });
      });
    runs = new EndedRuns({ query } as unknown as Pool, projected);
  });

  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

  it('looks at once, then at every announcement, for all who wait', async () => {
    const waits = [runs.wait('a', A_MINUTE_MS, never), runs.wait('b', A_MINUTE_MS, never)];
    looks[0]!.answer([]);
    await nextTurn();
    // For the one who came during the first look.
    looks[1]!.answer([]);
    await nextTurn();

    projected.announce(1n);
    expect(looks[2]!.ids).toEqual(['a', 'b']);
    looks[2]!.answer(['b']);
    await waits[1];

    projected.announce(2n);
    expect(looks[3]!.ids).toEqual(['a']);
    looks[3]!.answer(['a']);
    await waits[0];
  });

  it('looks again after what is announced during a look', async () => {
    const wait = runs.wait('a', A_MINUTE_MS, never);
    projected.announce(1n);
    expect(looks).toHaveLength(1);
    looks[0]!.answer([]);
    await nextTurn();
    looks[1]!.answer(['a']);
    await wait;
  });

  it('tells everyone who waits for the same run, and watches no longer than somebody waits', async () => {
    const waits = [runs.wait('a', A_MINUTE_MS, never), runs.wait('a', A_MINUTE_MS, never)];
    looks[0]!.answer(['a']);
    await Promise.all(waits);
    await nextTurn();
    projected.announce(1n);
    expect(looks).toHaveLength(1);
  });

  it('goes on after an outage', async () => {
    const wait = runs.wait('a', A_MINUTE_MS, never);
    looks[0]!.fail();
    await nextTurn();
    projected.announce(1n);
    looks[1]!.answer(['a']);
    await wait;
  });

  it('ends with the time, and with the signal', async () => {
    const leaving = new AbortController();
    const waits = [runs.wait('a', 1, never), runs.wait('b', A_MINUTE_MS, leaving.signal)];
    await waits[0];
    leaving.abort();
    await waits[1];
    await runs.wait('c', A_MINUTE_MS, leaving.signal);
    projected.announce(1n);
    expect(looks).toHaveLength(1);
  });
});
