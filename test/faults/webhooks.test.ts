import type { ServerResponse } from 'node:http';

import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { type FaultyProcess, leaderOf, startProcess } from '../support/faults-process.js';
import { cutFromPostgres, expectHealed, QUICK } from '../support/faults.js';
import { PrivateNats } from '../support/nats.js';
import { startTestService, type TestService } from '../support/service.js';
import { answer, WebhookReceiver } from '../support/webhook-receiver.js';

const EVENTS = ['execution.created', 'execution.completed'];

let nats: PrivateNats;
let service: TestService;
let receiver: WebhookReceiver;
let client: ApiClient;
let taskId: string;
let senders: FaultyProcess[];
/** Where the client sends its requests; null: to the service in this process. */
let apiUrl: string | null = null;

beforeAll(async () => {
  nats = await PrivateNats.start();
  service = await startTestService({
    ...QUICK,
    VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator,sealer',
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    NATS_URL: nats.url,
    NATS_USER: '',
    NATS_PASSWORD: '',
  });
  client = await ApiClient.register(() => apiUrl ?? service.url);
  ({ id: taskId } = await client.createTask({ script_type: 'bash', script_content: 'true', max_parallel: 100 }));
  senders = await Promise.all([startSender(), startSender()]);
});
beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});
afterEach(async () => {
  await receiver.close();
  // Each test has two.
  while (senders.filter(({ alive }) => alive).length < 2) senders.push(await startSender());
});
afterAll(async () => {
  await Promise.all(senders.filter(({ alive }) => alive).map((each) => each.terminate()));
  await service.close();
  await nats.remove();
});

const startSender = () => startProcess(service, { VOIDRUNNER_ROLES: 'webhooks' });
const leader = () => leaderOf(senders, 'webhooks');

const subscribe = async (path = '/hook'): Promise<string> =>
  (await client.ok<{ id: string }>('POST', '/webhooks', { url: receiver.url(path), events: EVENTS })).id;
const unsubscribe = (id: string) => client.ok('DELETE', `/webhooks/${id}`);

/** An execution that somebody else runs. */
async function ended(): Promise<string> {
  const { id } = await client.start(taskId, { executor: 'external' });
  await client.ok('PUT', `/executions/${id}`, { status: 'completed', return_code: 0 });
  return id;
}

async function severalEnded(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let no = 0; no < count; no += 1) ids.push(await ended());
  return ids;
}

/** What the log holds of deliveries. */
async function eventsOf(webhookId: string): Promise<{ type: string; stream_id: string }[]> {
  const sql = `select type, stream_id from es.events where stream_type = 'delivery' and stream_id in
    (select stream_id from es.events where type = 'WebhookDeliveryRequested' and data ->> 'webhook_id' = $1)
    order by position`;
  return (await service.database.ownerPool.query<{ type: string; stream_id: string }>(sql, [webhookId])).rows;
}

/**
 * Every event of the executions was delivered, under its own id, and the first time in the order of its execution.
 * Another time only because its outcome was lost.
 */
async function expectAllDelivered(webhookId: string, executions: readonly string[], path = '/hook'): Promise<void> {
  await eventually(
    async () => {
      const { rows } = await service.database.ownerPool.query<{ id: string; subject: string; status: string }>(
        `select e.event_id as id, e.stream_id as subject, d.status from es.events e
         left join read.webhook_deliveries d on d.event_id = e.event_id and d.webhook_id = $1
         where e.stream_id = any ($2::uuid[]) and e.type in ('ExecutionRequested', 'ExecutionReported')
         order by e.position`,
        [webhookId, executions],
      );
      expect(rows).toHaveLength(2 * executions.length);
      expect(rows.filter(({ status }) => status !== 'delivered')).toEqual([]);
      for (const execution of executions) {
        const sent = receiver.at(path).filter(({ event }) => event.subject === execution);
        expect(sent.every(({ id, event }) => id === event.id)).toBe(true);
        const expected = rows.filter(({ subject }) => subject === execution).map(({ id }) => id);
        expect([...new Set(sent.map(({ id }) => id))]).toEqual(expected);
      }
    },
    { timeoutMs: 60_000, intervalMs: 100 },
  );
  const requested = (await eventsOf(webhookId)).filter(({ type }) => type === 'WebhookDeliveryRequested');
  expect(new Set(requested.map(({ stream_id }) => stream_id)).size).toBe(requested.length);
}

async function healed(webhookId: string): Promise<void> {
  await expectHealed(service);
  await unsubscribe(webhookId);
}

describe('the sender is killed', () => {
  test('while an attempt hangs', async () => {
    receiver.behaviours.set('/hook', () => undefined);
    const webhook = await subscribe();
    const execution = await ended();
    await receiver.next('/hook', 1);
    await (await leader()).kill();
    receiver.behaviours.delete('/hook');

    await expectAllDelivered(webhook, [execution]);
    const [first, second] = receiver.at('/hook');
    expect(second!.id).toBe(first!.id);
    expect(second!.text).toBe(first!.text);
    await healed(webhook);
  });

  test('after the receiver answered, before that is recorded', async () => {
    const webhook = await subscribe();
    const killing: Promise<void>[] = [];
    const current = await leader();
    receiver.behaviours.set('/hook', (response, request, received) => {
      if (killing.length === 0) killing.push(current.kill());
      answer(204)(response, request, received);
    });
    const executions = await severalEnded(3);
    await expectAllDelivered(webhook, executions);
    await Promise.all(killing);
    expect(killing).toHaveLength(1);
    await healed(webhook);
  });

  test('just after an execution has ended', async () => {
    const webhook = await subscribe();
    const executions: string[] = [];
    for (let kills = 0; kills < 3; kills += 1) {
      const current = await leader();
      executions.push(await ended());
      await current.kill();
      senders.push(await startSender());
    }
    await expectAllDelivered(webhook, executions);
    await healed(webhook);
  });

  test('again and again, under load, by a receiver that fails every third time', async () => {
    const webhook = await subscribe();
    let requests = 0;
    receiver.behaviours.set('/hook', (...args) => answer((requests += 1) % 3 === 0 ? 500 : 200)(...args));
    const executions: string[] = [];
    for (let kills = 0; kills < 4; kills += 1) {
      executions.push(...(await severalEnded(5)));
      await (await leader()).kill();
      senders.push(await startSender());
    }
    executions.push(...(await severalEnded(5)));
    receiver.behaviours.delete('/hook');
    await expectAllDelivered(webhook, executions);
    await healed(webhook);
  });

  test('between 410 and the end of the webhook: it ends nevertheless', async () => {
    const killing: Promise<void>[] = [];
    const current = await leader();
    receiver.behaviours.set('/hook', answer(410));
    const webhook = await subscribe();
    const watch = eventually(
      async () => {
        const types = (await eventsOf(webhook)).map(({ type }) => type);
        expect(types).toContain('WebhookDeliveryAbandoned');
        killing.push(current.kill());
      },
      { intervalMs: 1 },
    );
    await ended();
    await watch;
    await Promise.all(killing);
    await eventually(async () =>
      expect(await client.ok('GET', `/webhooks/${webhook}`)).toMatchObject({
        status: 'disabled',
        disabled_reason: 'gone',
      }),
    );
    await eventually(async () => {
      const last = new Map((await eventsOf(webhook)).map(({ stream_id, type }) => [stream_id, type]));
      expect([...new Set(last.values())]).toEqual(['WebhookDeliveryAbandoned']);
    });
    await healed(webhook);
  });
});

test('the sender is suspended during an attempt: another takes over, and what wakes up changes nothing', async () => {
  const open: ServerResponse[] = [];
  receiver.behaviours.set('/hook', (response) => void open.push(response));
  const webhook = await subscribe();
  const execution = await ended();
  await receiver.next('/hook', 1);
  const suspended = await leader();
  suspended.freeze();
  receiver.behaviours.delete('/hook');
  await eventually(async () => expect(await leader()).not.toBe(suspended), { timeoutMs: 30_000 });
  await expectAllDelivered(webhook, [execution]);
  const before = await eventsOf(webhook);

  // Its attempt is answered now, or has taken too long.
  for (const response of open) response.writeHead(500).end();
  suspended.thaw();
  const another = await ended();
  await expectAllDelivered(webhook, [execution, another]);
  expect((await eventsOf(webhook)).slice(0, before.length)).toEqual(before);
  const ofFirst = new Set(before.map(({ stream_id }) => stream_id));
  expect((await eventsOf(webhook)).filter(({ stream_id }) => ofFirst.has(stream_id))).toEqual(before);
  await healed(webhook);
});

test('the sender is stopped while attempts hang: they are stopped, counted for nothing, and made by the next one', async () => {
  const closed: string[] = [];
  receiver.behaviours.set('/hook', (response, _, { id }) => response.on('close', () => closed.push(id)));
  const webhook = await subscribe();
  const executions = await severalEnded(3);
  await receiver.next('/hook', 3);
  const stopped = await leader();
  expect(await stopped.terminate()).toBe(0);
  await eventually(() => expect(closed.length).toBeGreaterThanOrEqual(3));
  receiver.behaviours.delete('/hook');
  await expectAllDelivered(webhook, executions);
  expect((await eventsOf(webhook)).filter(({ type }) => type === 'WebhookDeliveryFailed')).toEqual([]);
  await healed(webhook);
});

test('NATS is away: deliveries go on', async () => {
  const webhook = await subscribe();
  const before = await severalEnded(2);
  await nats.kill();
  const meanwhile = await severalEnded(3);
  await expectAllDelivered(webhook, [...before, ...meanwhile]);
  await nats.start();
  const after = await severalEnded(2);
  await expectAllDelivered(webhook, [...before, ...meanwhile, ...after]);
  await healed(webhook);
});

test('connections to Postgres are cut while attempts are under way: their outcomes are recorded', async () => {
  const open: ServerResponse[] = [];
  receiver.behaviours.set('/hook', (response) => void open.push(response));
  const webhook = await subscribe();
  const executions = await severalEnded(3);
  await receiver.next('/hook', 3);
  expect(await cutFromPostgres(service)).toBeGreaterThan(0);
  for (const response of open) response.writeHead(204).end();
  receiver.behaviours.delete('/hook');
  await expectAllDelivered(webhook, executions);
  for (let cuts = 0; cuts < 3; cuts += 1) {
    executions.push(await eventually(() => ended()));
    await cutFromPostgres(service);
  }
  await expectAllDelivered(webhook, executions);
  await healed(webhook);
});

test.each(['api', 'relay,orchestrator', 'api,relay,projector,orchestrator,webhooks'])(
  'a process with the roles %s is killed: every execution that was accepted is told about',
  async (roles) => {
    const other = await startProcess(service, { VOIDRUNNER_ROLES: roles });
    apiUrl = other.url;
    const webhook = await subscribe();
    const executions = await severalEnded(5);
    await other.kill();
    apiUrl = null;
    executions.push(...(await severalEnded(2)));
    await expectAllDelivered(webhook, executions);
    await healed(webhook);
  },
);

test('a receiver that is dead holds up no other, also after a change of the sender', async () => {
  receiver.behaviours.set('/dead', () => undefined);
  const dead = await subscribe('/dead');
  const webhook = await subscribe();
  const executions = await severalEnded(20);
  await expectAllDelivered(webhook, executions);
  await (await leader()).kill();
  executions.push(...(await severalEnded(5)));
  await expectAllDelivered(webhook, executions);
  await unsubscribe(dead);
  await healed(webhook);
});
