import { LeaderLock } from '../../../src/platform/postgres/leader-lock.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { type Running, running } from '../../support/toy-pipeline.js';

describe('LeaderLock', () => {
  let database: TestDatabase;
  let leading: string[] = [];
  let contenders: Running[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    await Promise.all(contenders.map((contender) => contender.stop()));
    contenders = [];
    expect(leading).toEqual([]);
  });

  afterAll(() => database.drop());

  const lock = (name: string, timing = {}) =>
    new LeaderLock({
      name: 'test',
      postgres: { ...database.app, applicationName: name },
      log: silentLog,
      retryIntervalMs: 20,
      ...timing,
    });

  /** Leads until its lead or its time is over. */
  const contend = (name: string, timing = {}): LeaderLock => {
    const contender = lock(name, timing);
    contenders.push(
      running((signal) =>
        contender.run(signal, async (lead) => {
          leading.push(name);
          await new Promise<void>((resolve) => lead.addEventListener('abort', () => resolve(), { once: true }));
          leading = leading.filter((each) => each !== name);
        }),
      ),
    );
    return contender;
  };

  const killBackend = async (name: string): Promise<void> => {
    await database.appPool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = $1',
      [name],
    );
  };

  const connected = (name: string): Promise<void> =>
    eventually(async () => {
      const sql = 'select from pg_stat_activity where datname = current_database() and application_name = $1';
      expect((await database.appPool.query(sql, [name])).rowCount).toBe(1);
    });

  it('has one leader, and another one after the leader lost its connection', async () => {
    const first = contend('first', { retryIntervalMs: 60_000 });
    await eventually(() => expect(leading).toEqual(['first']));
    const second = contend('second');
    await connected('second');
    expect([first.leads, second.leads]).toEqual([true, false]);
    await killBackend('first');
    await eventually(() => expect(leading).toEqual(['second']));
    expect([first.leads, second.leads]).toEqual([false, true]);
  });

  it('has another leader after the leader stops', async () => {
    contend('first');
    await eventually(() => expect(leading).toEqual(['first']));
    contend('second');
    await contenders[0]!.stop();
    await eventually(() => expect(leading).toEqual(['second']));
  });

  it('takes the lead from a suspended process', async () => {
    // To Postgres, a process that never pings looks like one that cannot.
    const frozen = contend('frozen', { pingIntervalMs: 60_000, silenceMsMax: 300, retryIntervalMs: 5_000 });
    await eventually(() => expect(leading).toEqual(['frozen']));
    contend('second');
    await eventually(() => expect(leading).toEqual(['second']));
    expect(frozen.leads).toBe(false);
  });

  it('contends again after the led work has failed', async () => {
    let leads = 0;
    contenders.push(
      running((signal) =>
        lock('failing').run(signal, async () => {
          leads += 1;
          throw new Error('a bug');
        }),
      ),
    );
    await eventually(() => expect(leads).toBeGreaterThan(2));
  });

  it('waits for an unavailable Postgres', async () => {
    const away = new LeaderLock({
      name: 'test',
      postgres: { ...database.app, port: 1 },
      log: silentLog,
      retryIntervalMs: 10,
    });
    const controller = new AbortController();
    const done = away.run(controller.signal, () => Promise.resolve());
    controller.abort();
    await done;
    expect(away.leads).toBe(false);
  });
});
