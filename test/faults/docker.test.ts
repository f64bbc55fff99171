import { ApiClient } from '../support/api-client.js';
import { dockerEndpoint } from '../support/docker.js';
import { eventually } from '../support/eventually.js';
import {
  expectHealed,
  expectUndisturbed,
  programsRun,
  queueOf,
  QUICK,
  readyWhere,
  startRuns,
  typesOf,
} from '../support/faults.js';
import { startTestService, type TestService } from '../support/service.js';
import { SocketProxy } from '../support/socket-proxy.js';

let engine: SocketProxy;
let service: TestService;
let client: ApiClient;

beforeAll(async () => {
  engine = await SocketProxy.before(dockerEndpoint);
  await engine.open();
  service = await startTestService({ ...QUICK, DOCKER_ENDPOINT: engine.endpoint });
  client = await ApiClient.register(() => service.url);
});

afterAll(async () => {
  await service.close();
  await engine.remove();
});

test('while the engine is unavailable the service reports it, and pending work uses up no attempts', async () => {
  await engine.cut();
  const runs = await startRuns(client, 3, { seconds: 0 });
  await readyWhere(service, { status: 503, notReady: ['executor'] });
  await eventually(async () => expect(await queueOf(service).stats()).toMatchObject({ waiting: 3, leased: 0 }));

  await engine.open();
  await expectUndisturbed(client, runs);
  for (const { id } of runs) expect(await typesOf(client, id)).not.toContain('ExecutionAttemptFailed');
  await readyWhere(service, { status: 200, notReady: [] });
  await expectHealed(service);
});

test('attempts that run when the engine fails are lost, and retried when it is back', async () => {
  const retry = {
    max_attempts: 2,
    initial_delay_ms: 0,
    backoff_factor: 1,
    max_delay_ms: 0,
    retry_on: ['infrastructure'],
  };
  const [run] = await startRuns(client, 1, { seconds: 6, task: { retry } });
  await programsRun(service, 1);

  await engine.cut();
  await eventually(async () => expect(await typesOf(client, run!.id)).toContain('ExecutionAttemptFailed'));
  await engine.open();

  expect(await client.follow(run!.id)).toMatchObject({ status: 'completed', attempt: 2, stdout: 'word 0\n' });
  await expectHealed(service);
});
