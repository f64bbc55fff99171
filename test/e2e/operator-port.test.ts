import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { prepareTestService, type TestService } from '../support/service.js';

let service: TestService;
let port: number;

beforeAll(async () => {
  service = await prepareTestService();
  port = await freePort();
  await service.start({ METRICS_PORT: String(port) });
});

afterAll(() => service.close());

test('figures are served on a port of their own, and not on the public one', async () => {
  await eventually(async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toMatch(/^voidrunner_queue_jobs\{state="waiting".*\} 0$/m);
    expect(text).toMatch(/^voidrunner_workers.* 1$/m);
    expect(text).toMatch(/^voidrunner_cells\{state="ready".*\} 0$/m);
    expect(text).toMatch(/^voidrunner_cold_starts_total.* 0$/m);
    for (const subscription of ['projector', 'orchestrator', 'dead_letters']) {
      expect(text).toMatch(new RegExp(`^voidrunner_subscription_lag\\{subscription="${subscription}".*\\} 0$`, 'm'));
    }
  });
  expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
});

const readiness = async (operatorPort: number) => {
  const answer = await fetch(`http://127.0.0.1:${operatorPort}/ready`);
  return { status: answer.status, body: (await answer.json()) as { status: string; checks: Record<string, string> } };
};

test('a process without the API tells there whether it can do the work of its roles', async () => {
  for (const settings of [
    { VOIDRUNNER_ROLES: 'worker' },
    { VOIDRUNNER_ROLES: 'relay', DOCKER_ENDPOINT: 'unix:///nowhere/docker.sock' },
  ]) {
    const own = await freePort();
    await service.start({ ...settings, METRICS_PORT: String(own) });
    await eventually(async () => expect(await readiness(own)).toMatchObject({ status: 200 }));
  }
});

test('a worker whose own engine is away is not ready, whatever others say of theirs', async () => {
  const lonely = await freePort();
  await service.start({
    VOIDRUNNER_ROLES: 'worker',
    METRICS_PORT: String(lonely),
    DOCKER_ENDPOINT: 'unix:///nowhere/docker.sock',
  });
  // Redis is connected to in the background.
  await eventually(async () =>
    expect(await readiness(lonely)).toMatchObject({
      status: 503,
      body: { status: 'not ready', checks: { database: 'ready', redis: 'ready', executor: 'not ready' } },
    }),
  );
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
});

test('nothing else is served there', async () => {
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/tasks'],
    ['POST', '/ready'],
  ] as const) {
    expect((await fetch(`http://127.0.0.1:${port}${path}`, { method })).status).toBe(404);
  }
});
