import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import type { ExecutionView } from '../../src/tasks/api/execution-schemas.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import {
  CommandLoad,
  cutFromPostgres,
  expectHealed,
  expectUndisturbed,
  isRunning,
  noProgramRuns,
  programsRun,
  QUICK,
  readyWhere,
  startRuns,
} from '../support/faults.js';
import { holdLog } from '../support/held-log.js';
import { startTestService, type TestService } from '../support/service.js';
import { SocketProxy } from '../support/socket-proxy.js';

let service: TestService;
let client: ApiClient;
let proxy: SocketProxy;

beforeAll(async () => {
  const { DB_HOST, DB_PORT } = process.env;
  proxy = await SocketProxy.before(`tcp://${DB_HOST}:${DB_PORT}`);
  // Where a Postgres client connects if its host is a folder.
  const socket = proxy.endpoint.slice('unix://'.length);
  await symlink(socket, join(dirname(socket), '.s.PGSQL.5432'));
  await proxy.open();
  service = await startTestService({ ...QUICK, DB_HOST: dirname(socket), DB_PORT: '5432' });
  client = await ApiClient.register(() => service.url);
});

afterAll(async () => {
  await service.close();
  await proxy.remove();
});

test('connections cut repeatedly under load: no acknowledged write is lost, and no run is killed', async () => {
  const runs = await startRuns(client, 4, { seconds: 1 });
  const load = new CommandLoad(client, 8);
  for (let cuts = 0; cuts < 5; cuts += 1) {
    await load.more(30);
    expect(await cutFromPostgres(service)).toBeGreaterThan(0);
  }
  await load.more(30);
  await load.stop();

  // Refused clients were told when to try again.
  for (const refusal of load.refusals)
    expect(refusal).toEqual({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) });
  const { rows } = await service.database.ownerPool.query<{ id: string }>(
    "select stream_id as id from es.events where type = 'TaskCreated'",
  );
  const recorded = new Set(rows.map(({ id }) => id));
  expect(load.created.filter((id) => !recorded.has(id))).toEqual([]);
  await expectUndisturbed(client, runs);
  await expectHealed(service);
});

test('connections cut while ends are recorded: every end is recorded once', async () => {
  const runs = await startRuns(client, 6, { seconds: 0 });
  for (const { id } of runs) {
    const begun = client.follow(id, (execution) => isRunning(execution) || execution.completed_at !== null);
    await ignoreErrors(begun, 'the cut before this one may last');
    await cutFromPostgres(service);
  }
  await eventually(() => expectUndisturbed(client, runs), { timeoutMs: 30_000 });
  await expectHealed(service);
});

test('unavailable for a while: it is reported, and ends during the outage are recorded afterwards', async () => {
  const runs = await startRuns(client, 3, { seconds: 3 });
  const [{ id }] = runs as [ExecutionView];
  await programsRun(service, 1);
  await proxy.cut();

  await readyWhere(service, { status: 503, notReady: ['database'] });
  for (const [method, path, body] of [
    ['GET', '/tasks'],
    ['GET', `/executions/${id}`],
    ['POST', '/tasks', { name: 'n', script_type: 'bash', script_content: 'true' }],
    ['DELETE', `/executions/${id}`],
  ] as const) {
    const answer = await client.request(method, path, body);
    expect({ path, status: answer.status }).toEqual({ path, status: 503 });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  }
  // The programs end while nothing can be recorded.
  await noProgramRuns(service);

  await proxy.open();
  await readyWhere(service, { status: 200, notReady: [] });
  await expectUndisturbed(client, runs);
  await expectHealed(service);
});

test('the log locked by a suspended client: writers get an error in time, and continue when it ends', async () => {
  const runs = await startRuns(client, 2, { seconds: 3 });
  await programsRun(service, 1);
  const frozen = await holdLog(service.database.ownerPool);
  try {
    const refused = await client.request('POST', '/tasks', { name: 'n', script_type: 'bash', script_content: 'true' });
    expect(refused).toMatchObject({ status: 503 });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    // Readers do not wait.
    expect(await client.request('GET', '/tasks')).toMatchObject({ status: 200 });
  } finally {
    await frozen.release();
  }
  await expectUndisturbed(client, runs);
  await expectHealed(service);
});
