import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { delay } from '../../src/platform/async/delay.js';
import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import { closeRedis } from '../../src/platform/redis/create-redis.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { type FaultyProcess, startProcess } from '../support/faults-process.js';
import { cutFromPostgres, expectHealed, QUICK } from '../support/faults.js';
import { PrivateNats } from '../support/nats.js';
import { type PrivateRedis, startPrivateRedis } from '../support/redis.js';
import { prepareTestService, type TestService } from '../support/service.js';

/** Started between two faults, so that each fault meets executions in every state. */
const RUNS_PER_FAULT = 3;
const CALLERS = 3;

const execute = promisify(execFile);

let nats: PrivateNats;
let redis: PrivateRedis;
let service: TestService;
let client: ApiClient;
const processes: FaultyProcess[] = [];
const killed: number[] = [];

const alive = () => processes.filter((process) => process.alive);
const anyOf = <T>(choices: readonly T[]): T => choices[Math.floor(Math.random() * choices.length)]!;
const start = async (): Promise<void> =>
  void processes.push(await startProcess(service, { WORKER_SHUTDOWN_TIMEOUT: '300ms' }));

beforeAll(async () => {
  [nats, redis] = await Promise.all([PrivateNats.start(), startPrivateRedis()]);
  service = await prepareTestService({
    ...QUICK,
    // After a restart of Redis a process may need a second to connect, and the leader may be back earlier.
    QUEUE_LEASE_DURATION: '4s',
    NATS_URL: nats.url,
    NATS_USER: '',
    NATS_PASSWORD: '',
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis.port),
    REDIS_PASSWORD: '',
  });
  await Promise.all([start(), start()]);
  client = await ApiClient.register(() => anyOf(alive()).url!);
});

afterAll(async () => {
  await Promise.all(alive().map((process) => process.terminate()));
  await service.close();
  await Promise.all([nats.remove(), redis.stop()]);
});

/** Each fault is over when it resolves: the recovery follows. */
const FAULTS: Record<string, () => Promise<void>> = {
  async 'Redis flushed'() {
    const connection = await redis.connect();
    await connection.flushall();
    await closeRedis(connection);
  },
  async 'Redis killed'() {
    await redis.kill();
    await redis.start();
  },
  async 'NATS killed'() {
    await nats.kill();
    await nats.start();
  },
  async 'NATS wiped'() {
    await nats.kill();
    await nats.wipe();
    await nats.start();
  },
  async 'Postgres cut'() {
    await cutFromPostgres(service);
  },
  async 'process killed'() {
    const victim = anyOf(alive());
    killed.push(victim.pid);
    await Promise.all([victim.kill(), start()]);
  },
  async 'process stopped'() {
    const [exitCode] = await Promise.all([anyOf(alive()).terminate(), start()]);
    expect(exitCode).toBe(0);
  },
};

const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ item }) => item);

/** Clients that start executions and cancel some of them, during all faults. */
class People {
  readonly acknowledged: string[] = [];
  private left = false;
  private readonly gone = Promise.all(Array.from({ length: CALLERS }, () => this.live()));

  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    const enough = eventually(() => expect(this.acknowledged.length).toBeGreaterThanOrEqual(wanted), {
      timeoutMs: 30_000,
    });
    // Stopped by a wrong response.
    await Promise.race([enough, this.gone]);
  }

  async leave(): Promise<void> {
    this.left = true;
    await this.gone;
  }

  private async live(): Promise<void> {
    const retry = { max_attempts: 10, initial_delay_ms: 0, max_delay_ms: 0, retry_on: ['infrastructure'] };
    const script_content = 'sleep 0.$((RANDOM % 9)); echo fine';
    while (!this.left) {
      const task = await this.ask('POST', '/tasks', { name: 'n', script_type: 'bash', script_content, retry });
      const run = task && (await this.ask('POST', `/tasks/${task.id}/executions`));
      if (run) this.acknowledged.push(run.id);
      if (run && Math.random() < 0.3) await this.ask('DELETE', `/executions/${run.id}`);
      await delay(Math.random() * 600);
    }
  }

  /** @returns null if it was refused: by a process that is gone, or properly by one that cannot serve now */
  private async ask(method: string, path: string, body?: unknown): Promise<{ id: string } | null> {
    const answer = await ignoreErrors(client.request<{ id: string }>(method, path, body), 'the process is gone');
    if (!answer) return null;
    expect([200, 201, 409, 503]).toContain(answer.status);
    return answer.status < 300 ? answer.body : null;
  }
}

/** Lost attempts: who reported the loss, why, and how long after their start. */
const LOST = `
  select started.data ->> 'worker' as worker, failed.metadata ->> 'actor' as actor,
    failed.data ->> 'reason' as reason, failed.data ->> 'detail' as detail,
    extract(epoch from failed.recorded_at - started.recorded_at)::float8 as after_seconds
  from es.events failed
  join es.events started on started.stream_id = failed.stream_id and started.type = 'ExecutionAttemptStarted'
    and started.version = (select max(version) from es.events before where before.stream_id = failed.stream_id
      and before.type = 'ExecutionAttemptStarted' and before.version < failed.version)
  where failed.type = 'ExecutionAttemptFailed'`;

/** Events that the projector has not applied yet. */
const BEHIND = `
  select (head.position - checkpoint.position)::int as behind from es.head head, read.checkpoints checkpoint
  where checkpoint.subscription = 'projector'`;

test('random faults under load: each execution ends once, and attempts are lost only with their worker', async () => {
  const { ownerPool } = service.database;
  const order = shuffled(Object.keys(FAULTS));
  const people = new People();
  for (const fault of order) {
    await people.more(RUNS_PER_FAULT);
    await FAULTS[fault]!();
  }
  await people.more(RUNS_PER_FAULT);
  await people.leave();

  const open = "select id, status, attempt from read.executions where status in ('pending', 'running')";
  await eventually(
    async () => {
      // An execution that the views do not contain yet may not have ended.
      const { behind } = (await ownerPool.query<{ behind: number }>(BEHIND)).rows[0]!;
      expect({ order, behind, open: (await ownerPool.query(open)).rows }).toEqual({ order, behind: 0, open: [] });
    },
    { timeoutMs: 90_000, intervalMs: 100 },
  );
  const ended = await ownerPool.query<{ id: string; status: string }>('select id, status from read.executions');
  expect(ended.rows.filter(({ status }) => status !== 'completed' && status !== 'cancelled')).toEqual([]);
  expect(ended.rows.map(({ id }) => id)).toEqual(expect.arrayContaining(people.acknowledged));
  const lost = await ownerPool.query<{ worker: string }>(LOST);
  const healthy = lost.rows.filter(({ worker }) => !killed.some((pid) => worker.includes(`-${pid}-`)));
  expect({ order, healthy }).toEqual({ order, healthy: [] });
  await expectHealed(service);
  // The command that an operator would use agrees.
  const verify = execute(process.execPath, ['dist/cli.js', 'verify'], {
    env: { ...service.env, NODE_OPTIONS: '' },
  });
  expect((await verify).stdout).not.toContain('FAULT');
}, 300_000);
