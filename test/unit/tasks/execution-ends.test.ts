import type { RecordedEvent } from '../../../src/event-sourcing/core/event.js';
import { PositionAnnouncements } from '../../../src/event-sourcing/projection/position-announcements.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import type { ExecutionEvent } from '../../../src/tasks/domain/execution-events.js';
import { currentExecutions } from '../../../src/tasks/queries/current-executions.js';
import { ExecutionEnds } from '../../../src/tasks/queries/execution-ends.js';
import * as run from '../../support/builders/executions.js';
import { recorded, EXECUTION_STREAM } from '../../support/builders/recorded.js';
import { EXECUTION_ID } from '../../support/builders/tasks.js';

const A_MINUTE_MS = 60_000;

describe('the wait for ended executions', () => {
  const never = new AbortController().signal;
  let projected: PositionAnnouncements;
  let runs: ExecutionEnds;
  /** Each query of the database: its ids, and how to complete it. */
  let looks: { ids: string[]; answer: (rows: object[]) => void; fail: (error: Error) => void }[];
  let stream: readonly RecordedEvent<ExecutionEvent>[];
  let streamReads: number;

  beforeEach(() => {
    looks = [];
    stream = [];
    streamReads = 0;
    projected = new PositionAnnouncements({
      nats: null,
      prefix: 'test',
      subscription: 'projector',
      isShared: () => true,
    });
    const query = ({ values: [{ values: ids }] }: { values: [{ values: string[] }] }) =>
      new Promise((resolve, fail) => looks.push({ ids, answer: (rows) => resolve({ rows }), fail }));
    const readStream = async (_: unknown, { afterVersion = 0 } = {}) => {
      streamReads += 1;
      return stream.filter(({ version }) => version > afterVersion) as readonly RecordedEvent[];
    };
    runs = new ExecutionEnds(currentExecutions({ query } as never, { readStream }), projected, silentLog);
  });

  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
  const completed = (id: string) => ({ id, status: 'completed', version: 3, head_version: 3, head_type: null });
  const inView = (id: string) => ({ row: { id, status: 'completed', version: 3 }, aheadOfView: null });
  const running = (id: string, head_version: number, head_type: string) =>
    ({ id, status: 'running', version: 2, head_version, head_type }) as const;

  it('polls at once, then when an end is announced, and serves all callers of the same execution', async () => {
    const waits = ['a', 'b', 'b'].map((id) => runs.wait(id, A_MINUTE_MS, never));
    expect(looks[0]!.ids).toEqual(['a']);
    looks[0]!.answer([]);
    await nextTurn();
    expect(looks[1]!.ids).toEqual(['a', 'b']);
    looks[1]!.answer([completed('b')]);
    expect(await Promise.all(waits.slice(1))).toEqual([inView('b'), inView('b')]);

    projected.announce(1n);
    projected.announce(2n, ['b', 'c']);
    await nextTurn();
    expect(looks).toHaveLength(2);
    projected.announce(3n, ['b', 'a']);
    await nextTurn();
    looks[2]!.answer([completed('a')]);
    expect(await waits[0]).toEqual(inView('a'));
  });

  it('polls for a new execution only when its end is announced, and not if the projector tells its row', async () => {
    const ended = new Map([
      ['told', { id: 'told', status: 'completed', version: 3 }],
      ['redriven', { id: 'redriven', status: 'pending', version: 5 }],
    ]);
    const [told, untold, redriven] = ['told', 'untold', 'redriven'].map((id) =>
      runs.wait(id, A_MINUTE_MS, never, { isNew: true }),
    );
    await nextTurn();
    expect(looks).toEqual([]);
    projected.announce(1n, ['told', 'untold', 'redriven'], (id) => ended.get(id));
    expect(await told).toEqual(inView('told'));
    await nextTurn();
    expect(looks[0]!.ids).toEqual(['untold', 'redriven']);
    looks[0]!.answer([completed('untold'), completed('redriven')]);
    expect(await Promise.all([untold, redriven])).toEqual([inView('untold'), inView('redriven')]);
  });

  it('finds an end that only the log contains, with its position', async () => {
    stream = recorded(EXECUTION_STREAM, [run.requested(), run.started(), run.succeeded()]);
    const wait = runs.wait(EXECUTION_ID, A_MINUTE_MS, never);
    looks[0]!.answer([running(EXECUTION_ID, 3, 'ExecutionSucceeded')]);
    expect(await wait).toMatchObject({ row: { id: EXECUTION_ID, status: 'completed', version: 3 }, aheadOfView: 3n });
  });

  it('reads no stream of a running execution, however far the view lags', async () => {
    const wait = runs.wait(EXECUTION_ID, A_MINUTE_MS, never);
    looks[0]!.answer([running(EXECUTION_ID, 4, 'ExecutionRetryScheduled')]);
    projected.announce(1n, [EXECUTION_ID]);
    await nextTurn();
    expect(streamReads).toBe(0);
    looks[1]!.answer([completed(EXECUTION_ID)]);
    expect(await wait).toEqual(inView(EXECUTION_ID));
  });

  it('treats an execution that was redriven since as running, whatever the view shows', async () => {
    stream = recorded(EXECUTION_STREAM, [run.requested(), run.started(), run.deadLettered(1), run.redriven(2)]);
    const leaving = new AbortController();
    const wait = runs.wait(EXECUTION_ID, A_MINUTE_MS, leaving.signal);
    looks[0]!.answer([
      { ...completed(EXECUTION_ID), status: 'failed', head_version: 4, head_type: 'ExecutionRedriven' },
    ]);
    await nextTurn();
    expect(streamReads).toBe(1);
    leaving.abort();
    expect(await wait).toBe(false);
  });

  it('continues after an outage', async () => {
    const wait = runs.wait('a', A_MINUTE_MS, never);
    looks[0]!.fail(new Error('Connection terminated unexpectedly'));
    await nextTurn();
    projected.announce(1n, ['a']);
    await nextTurn();
    looks[1]!.answer([completed('a')]);
    expect(await wait).toEqual(inView('a'));
  });

  it('ends at the timeout and on abort', async () => {
    const leaving = new AbortController();
    const waits = [runs.wait('a', 1, never), runs.wait('b', A_MINUTE_MS, leaving.signal)];
    expect(await waits[0]).toBe(false);
    leaving.abort();
    expect(await waits[1]).toBe(false);
  });
});
