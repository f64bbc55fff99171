import { withId, ok } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api } from './support/api.js';

const SLOTS = 4;
/** Longer than any wait in this file. */
const FOR_LONG = 'sleep 600';

let api: Api;
beforeAll(async () => {
  // The service's default; other tests have fewer slots.
  api = await Api.start({ WORKER_POOL_SIZE: String(SLOTS) });
});
afterAll(() => api.close());

test('a user who occupies every allowed slot leaves one to other users', async () => {
  const [ada, bob] = [await api.register(), await api.register()];
  const { id } = await ada.createTask({ script_type: 'bash', script_content: FOR_LONG, max_parallel: 2 * SLOTS });
  const runs = await Promise.all(Array.from({ length: 2 * SLOTS }, () => ada.start(id)));
  const statuses = async () => {
    const { executions } = await ok(ada.api.GET('/api/v1/tasks/{id}/executions', withId(id)));
    return executions.map(({ status }) => status).toSorted();
  };
  const running = (count: number) => [
    ...Array.from({ length: runs.length - count }, () => 'pending'),
    ...Array.from({ length: count }, () => 'running'),
  ];
  await eventually(async () => expect(await statuses()).toEqual(running(SLOTS - 1)));

  const bobs = await bob.createTask({ script_type: 'bash', script_content: 'echo mine' });
  const ended = await bob.client.follow((await bob.start(bobs.id)).id);
  expect(ended).toMatchObject({ status: 'completed', stdout: 'mine\n' });
  expect(await statuses()).toEqual(running(SLOTS - 1));
  for (const run of runs) await ada.cancel(run.id);
});
