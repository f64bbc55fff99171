import type { ExecutionView } from '../../src/tasks/api/execution-schemas.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { type FaultyProcess, leaderOf, startProcess } from '../support/faults-process.js';
import { expectHealed, programsRun, QUICK, startRuns } from '../support/faults.js';
import { prepareTestService, type TestService } from '../support/service.js';

const LEADS = ['relay', 'projector', 'orchestrator', 'dead_letters', 'sealer'];

let service: TestService;
let client: ApiClient;
const processes: FaultyProcess[] = [];

const start = async (): Promise<void> =>
  void processes.push(await startProcess(service, { WORKER_SHUTDOWN_TIMEOUT: '200ms' }));
const alive = () => processes.filter((process) => process.alive);

/** The process that has all the leads. */
const leader = (): Promise<FaultyProcess> =>
  eventually(
    async () => {
      const [first, ...others] = await Promise.all(LEADS.map((role) => leaderOf(processes, role)));
      for (const other of others) expect(other.pid).toBe(first!.pid);
      return first!;
    },
    { timeoutMs: 30_000 },
  );

beforeAll(async () => {
  service = await prepareTestService(QUICK);
  // One after the other, so that the first gets every lead.
  await start();
  client = await ApiClient.register(() => alive()[0]!.url!);
  await leader();
  await start();
});

afterAll(async () => {
  await Promise.all(alive().map((process) => process.terminate()));
  await service.close();
});

const retry = {
  max_attempts: 3,
  initial_delay_ms: 0,
  backoff_factor: 1,
  max_delay_ms: 0,
  retry_on: ['infrastructure'],
};

/** Whatever the number of attempts. */
async function expectCompleted(runs: readonly ExecutionView[]): Promise<ExecutionView[]> {
  const ends = await Promise.all(runs.map(({ id }) => client.follow(id)));
  expect(ends.map(({ status, stdout }) => ({ status, stdout }))).toEqual(
    runs.map((_, number) => ({ status: 'completed', stdout: `word ${number}\n` })),
  );
  return ends;
}

test('the leader of everything is killed under load: the other process takes over', async () => {
  const runs = await startRuns(client, 5, { seconds: 4, task: { retry } });
  await programsRun(service, 2);
  await (await leader()).kill();
  await leader();

  const ends = await expectCompleted(runs);
  // The executions of the surviving process were not affected.
  expect(ends.filter(({ attempt }) => attempt === 1).length).toBeGreaterThanOrEqual(3);
  await expectHealed(service);
});

test('the leader of everything is stopped: the other takes over, and no attempt is counted', async () => {
  await start();
  const runs = await startRuns(client, 5, { seconds: 4, task: { retry } });
  await programsRun(service, 2);
  expect(await (await leader()).terminate()).toBe(0);
  await leader();

  const ends = await expectCompleted(runs);
  expect(ends.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1]);
  await expectHealed(service);
});
