import { createServer } from 'node:net';

import { eventually } from '../support/eventually.js';
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
    for (const subscription of ['projector', 'orchestrator', 'dead_letters']) {
      expect(text).toMatch(new RegExp(`^voidrunner_subscription_lag\\{subscription="${subscription}".*\\} 0$`, 'm'));
    }
  });
  expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return free;
}
