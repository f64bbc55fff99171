import { randomUUID } from 'node:crypto';

import { ok, withId } from '../../../../support/api-client.js';
import { type Api, aTask, type Person } from '../api.js';
import { startAttempt } from '../attempts.js';
import { endedDelivery, pendingDelivery } from '../deliveries.js';
import { interactiveRun } from '../interactive-run.js';

/** None of its executions ends by itself during the test. */
const LONG = { timeout_seconds: 3_600 };
const FILE = 'out/plot.png';
const PASSWORD = 'correct horse battery';

/** The objects of the requests: created when first needed, and created again after one was used up. */
export class Things {
  private readonly made = new Map<string, Promise<unknown>>();

  private constructor(
    private readonly api: Api,
    readonly owner: Person,
    private readonly stranger: Person,
    /** May read everything. */
    readonly admin: Person,
  ) {}

  static async of(api: Api): Promise<Things> {
    return new Things(api, await api.register(), await api.register(), await api.registerAdmin());
  }

  /** @param name as in MAKERS, with the prefix `foreign` for another user's object */
  named(name: string): Promise<string> | undefined {
    const make = MAKERS[name.replace(/^foreign /, '')];
    return (
      make && this.once(name, () => make(this, name.startsWith('foreign ') ? this.stranger : this.owner, this.api))
    );
  }

  /** Undefined if no request has needed it. */
  known<Thing = string>(name: string): Promise<Thing> | undefined {
    return this.made.get(name) as Promise<Thing> | undefined;
  }

  /** A user whose session may be ended. */
  account(): Promise<Person> {
    return this.once('account', () => this.api.register());
  }

  /** From now on, every object is created again. */
  renew(): void {
    this.made.clear();
  }

  private once<Thing>(name: string, make: () => Promise<Thing>): Promise<Thing> {
    const thing = this.known<Thing>(name) ?? make();
    this.made.set(name, thing);
    return thing;
  }
}

type Maker = (things: Things, who: Person, api: Api) => Promise<string>;

const MAKERS: Readonly<Record<string, Maker>> = {
  token: async (_, who) => who.token,
  'session token': async (things) => (await things.account()).token,
  'refresh token': async (things) => (await things.account()).client.refreshToken,
  'used refresh token': async (things, _, api) => {
    const { refreshToken } = (await things.account()).client;
    await api.anonymous('POST', '/auth/refresh', { refresh_token: refreshToken });
    return refreshToken;
  },
  email: async (things) => (await things.account()).client.user.email,
  password: async () => PASSWORD,
  // In every list by default: each uses the other's.
  cursor: async (_, who) => {
    await who.createTask();
    await who.createTask();
    return (await who.ok('GET', '/tasks?limit=1&cursor=')).pagination.next_cursor;
  },
  'new email': async () => `${randomUUID()}@example.com`,

  task: async (_, who) => (await who.createTask(LONG)).id,
  'busy task': async (_, who) => (await who.startExternal(LONG)).task_id,
  'deleted task': async (_, who) => {
    const { id } = await who.createTask();
    await ok(who.api.DELETE('/api/v1/tasks/{id}', withId(id)));
    return id;
  },
  'external run': async (_, who) => (await who.startExternal(LONG)).id,
  'embedded run': async (_, who) => (await who.start((await who.createTask(LONG)).id)).id,
  'running run': async (_, who) => {
    const { id } = await who.startExternal(LONG);
    return (await who.report(id, { status: 'running' })).id;
  },
  'ended run': async (_, who) => (await endedRun(who)).id,
  'ended task': async (_, who) => (await endedRun(who)).task_id,
  'interactive run': (_, who, api) => interactiveRun(api, who),
  'run with a file': async (_, who, api) => {
    const { id } = await who.start((await who.createTask(LONG)).id);
    await (await startAttempt(api, id)).succeed([FILE]);
    return id;
  },
  batch: async (_, who) => (await aBatch(who)).id,
  'ended batch': async (_, who) => {
    const { id } = await aBatch(who);
    await ok(who.api.DELETE('/api/v1/batches/{id}', withId(id)));
    return id;
  },
  key: async (_, who) => (await aKey(who)).id,
  'revoked key': async (_, who) => {
    const { id } = await aKey(who);
    await ok(who.api.DELETE('/api/v1/keys/{id}', withId(id)));
    return id;
  },
  webhook: async (_, who) => aWebhook(who),
  'disabled webhook': async (_, who) => {
    const id = await aWebhook(who);
    await ok(who.api.PUT('/api/v1/webhooks/{id}', { ...withId(id), body: { enabled: false } }));
    return id;
  },
  'deleted webhook': async (_, who) => {
    const id = await aWebhook(who);
    await ok(who.api.DELETE('/api/v1/webhooks/{id}', withId(id)));
    return id;
  },
  'pending delivery': async (things, who) => pendingDelivery(who, await webhookOf(things, who)),
  'ended delivery': async (things, who, api) => endedDelivery(api, who, await webhookOf(things, who)),
  file: async () => FILE,
  'another file': async () => 'other.txt',
  'dead letter': async (_, who, api) => deadLetter(who, api),
  'discarded dead letter': async (_, who, api) => {
    const id = await deadLetter(who, api);
    await ok(who.api.DELETE('/api/v1/dead-letters/{id}', withId(id)));
    return id;
  },
};

async function endedRun(who: Person) {
  const { id } = await who.startExternal(LONG);
  return who.report(id, { status: 'completed', return_code: 0, stdout: 'done' });
}

const aKey = (who: Person) => ok(who.api.POST('/api/v1/keys', { body: { name: 'ci', scopes: ['tasks:read'] } }));

const aWebhook = async (who: Person) =>
  (await ok(who.api.POST('/api/v1/webhooks', { body: { url: 'https://example.com' } }))).id;

const webhookOf = (things: Things, who: Person) => things.named(who === things.owner ? 'webhook' : 'foreign webhook')!;

const aBatch = (who: Person) => ok(who.api.POST('/api/v1/batches', { body: { items: [{ ...aTask, ...LONG }] } }));

async function deadLetter(who: Person, api: Api): Promise<string> {
  const task = await who.createTask({ ...LONG, retry: { max_attempts: 1, retry_on: ['exit_code'] } });
  const { id } = await who.start(task.id);
  await (await startAttempt(api, id)).fail(3);
  await who.client.follow(id, ({ dead_lettered }) => dead_lettered);
  return id;
}
