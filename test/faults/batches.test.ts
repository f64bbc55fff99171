import { delay } from '../../src/platform/async/delay.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { type FaultyProcess, leaderOf, startProcess } from '../support/faults-process.js';
import { expectHealed, QUICK } from '../support/faults.js';
import { prepareTestService, type TestService } from '../support/service.js';

const SOURCES = 30;
const NO_WORKER = { VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator,sealer' };

interface Batch {
  readonly id: string;
  readonly status: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly executions: readonly { readonly id: string; readonly rerun_of: string; readonly status: string }[];
}

let service: TestService;
let client: ApiClient;
const processes: FaultyProcess[] = [];
const alive = () => processes.filter((process) => process.alive);
const start = async () => void processes.push(await startProcess(service, NO_WORKER));

beforeAll(async () => {
  service = await prepareTestService(QUICK);
  await Promise.all([start(), start()]);
  client = await ApiClient.register(() => alive()[0]!.url!);
});
afterAll(async () => {
  await Promise.all(alive().map((process) => process.terminate()));
  await service.close();
});

const report = (id: string) => client.ok('PUT', `/executions/${id}`, { status: 'completed', return_code: 0 });
const batchOf = (id: string) => client.ok<Batch>('GET', `/batches/${id}`);

test('leaders are killed while a batch starts: each item is started once, and none is lost', async () => {
  const sources: string[] = [];
  for (let no = 0; no < SOURCES; no += 1) {
    const { id: taskId } = await client.createTask({ script_type: 'bash', script_content: 'true' });
    const { id } = await client.start(taskId, { executor: 'external', input: { args: ['x'] } });
    sources.push(id);
    await report(id);
  }
  const { id } = await client.ok<Batch>('POST', '/executions/rerun', { filter: {}, limit: 1_000 });
  for (let kills = 0; kills < 3; kills += 1) {
    const leader = await leaderOf(processes, 'orchestrator');
    const before = (await batchOf(id)).counts['waiting']!;
    await eventually(async () => expect((await batchOf(id)).counts['waiting']).toBeLessThan(Math.max(1, before)));
    // Between two starts, or within one.
    await delay(Math.random() * 50);
    await leader.kill();
    await start();
  }
  await eventually(async () => expect((await batchOf(id)).status).toBe('started'), { timeoutMs: 60_000 });
  const { executions, counts } = await batchOf(id);
  expect(counts).toMatchObject({ pending: SOURCES, refused: 0, waiting: 0 });
  expect(executions.map(({ rerun_of }) => rerun_of)).toEqual(sources);
  const { rows } = await service.database.ownerPool.query<{ count: number }>(
    `select count(*)::int as count from es.events where type = 'ExecutionRequested' and data ->> 'rerun_of' is not null`,
  );
  expect(rows[0]!.count).toBe(SOURCES);
  await client.ok('DELETE', `/batches/${id}`);
  expect((await batchOf(id)).counts).toMatchObject({ cancelled: SOURCES });
  await eventually(async () => expect((await batchOf(id)).status).toBe('cancelled'));
  await expectHealed(service);
});
