import { type Answer, ok, withId } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api, aTask, type Person } from './support/api.js';
import { startAttempt } from './support/attempts.js';

let api: Api;
let ada: Person;

const NO_PROJECTOR = { VOIDRUNNER_ROLES: 'api,relay,orchestrator' };

const start = async (settings: Record<string, string>): Promise<void> => {
  api = await Api.start(settings);
  ada = await api.register();
};

type Item = Record<string, unknown> & { id: string };

/** What lists show of one item right after a write. */
const listed = async (path: string, name: string, id: string): Promise<Item | undefined> =>
  (await ada.ok<Record<string, Item[]>>('GET', `${path}?limit=100`))[name]!.find((item) => item.id === id);

const projected = async (): Promise<void> => {
  const head = await api.head();
  const { visibility } = api.service.processes[0]!.infra;
  await eventually(async () => expect(await visibility.waitFor(head, 1_000)).toMatchObject({ reached: true }));
};

const positionOf = ({ headers }: Answer): string | null => headers.get('x-read-position');

describe('without a projector', () => {
  beforeAll(() => start({ ...NO_PROJECTOR, SERVER_OWN_WRITES_TIMEOUT: '1s' }));
  // The views contain active executions only if a projector runs.
  afterAll(async () => {
    await api.service.start({ VOIDRUNNER_ROLES: 'projector' });
    await projected();
    await api.close();
  });

  test('the response to a write comes within its time limit, with the position of the views', async () => {
    const answer = await ada.send('POST', '/tasks', aTask);
    expect(answer.status).toBe(201);
    expect(positionOf(answer)).toMatch(/^\d+$/);
    expect(BigInt(positionOf(answer)!)).toBeLessThan(await api.head());
    // Lists do not show it yet; the item itself can be read.
    expect(await listed('/tasks', 'tasks', answer.body.id)).toBeUndefined();
    expect(await ada.task(answer.body.id)).toMatchObject(aTask);
    // The created object is in the response nevertheless, and can be used.
    expect(answer.body).toMatchObject(aTask);
    expect((await ada.send('POST', `/tasks/${answer.body.id}/executions`)).status).toBe(201);
  });

  test('a client may decline to wait', async () => {
    // A client that waited would learn in vain how far the views lag.
    for (const prefer of ['respond-async', 'RESPOND-ASYNC', 'return=minimal, respond-async']) {
      const answer = await ada.send('POST', '/tasks', aTask, { prefer });
      expect([answer.status, positionOf(answer)]).toEqual([201, null]);
    }
    expect(positionOf(await ada.send('POST', '/tasks', aTask, { prefer: 'wait=1' }))).not.toBeNull();
  });
});

describe('with a projector in its own process', () => {
  beforeAll(async () => {
    await start(NO_PROJECTOR);
    await api.service.start({ VOIDRUNNER_ROLES: 'projector' });
    await projected();
  });
  afterAll(() => api.close());

  test('a process that sends no commands does not start Nest', () => {
    const [withApi, projector] = api.service.processes;
    expect([withApi!.commands !== null, projector!.commands, projector!.app]).toEqual([true, null, null]);
  });

  test('every write is readable when its response arrives', async () => {
    const created = await ada.send('POST', '/tasks', aTask);
    expect(positionOf(created)).toBeNull();
    const { id } = created.body;
    expect(await listed('/tasks', 'tasks', id)).toMatchObject({ name: aTask.name });

    await ada.ok('PUT', `/tasks/${id}`, { name: 'changed', retry: { max_attempts: 1, retry_on: ['exit_code'] } });
    expect(await listed('/tasks', 'tasks', id)).toMatchObject({ name: 'changed' });

    const run = await ada.start(id);
    expect(await listed('/executions', 'executions', run.id)).toMatchObject({ status: 'pending' });
    expect(await listed(`/tasks/${id}/executions`, 'executions', run.id)).toMatchObject({ status: 'pending' });
    expect(await listed('/tasks', 'tasks', id)).toMatchObject({ status: 'running' });

    await (await startAttempt(api, run.id)).fail(1);
    await ada.client.follow(run.id, ({ dead_lettered }) => dead_lettered);
    await ok(ada.api.POST('/api/v1/dead-letters/{id}/redrive', withId(run.id)));
    expect(await listed('/dead-letters', 'dead_letters', run.id)).toBeUndefined();
    expect(await listed('/executions', 'executions', run.id)).toMatchObject({ status: 'pending' });

    await (await startAttempt(api, run.id, 2)).fail(1);
    await ada.client.follow(run.id, ({ dead_lettered }) => dead_lettered);
    await ok(ada.api.DELETE('/api/v1/dead-letters/{id}', withId(run.id)));
    expect(await listed('/dead-letters', 'dead_letters', run.id)).toBeUndefined();

    const second = await ada.start(id, { executor: 'external' });
    await ada.report(second.id, { status: 'running' });
    expect(await listed('/executions', 'executions', second.id)).toMatchObject({ status: 'running' });
    await ada.cancel(second.id);
    expect(await listed('/executions', 'executions', second.id)).toMatchObject({ status: 'cancelled' });

    await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(id)));
    expect(await listed('/tasks', 'tasks', id)).toBeUndefined();
  });

  test('every one of twenty concurrent writes is readable, too', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const { id } = await ada.createTask({ name: `parallel ${index}` });
        expect(await ada.task(id)).toMatchObject({ name: `parallel ${index}` });
      }),
    );
  });
});
