import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';

import { ApiClient } from '../support/api-client.js';
import { voidrunner } from '../support/cli.js';
import { ConfiguredNats } from '../support/configured-nats.js';
import { eventually } from '../support/eventually.js';
import { connectedLink } from '../support/nats.js';
import { prepareTestService, type TestService } from '../support/service.js';

let service: TestService;
let server: ConfiguredNats;
let folder: string;

beforeAll(async () => {
  service = await prepareTestService({ VOIDRUNNER_ROLES: 'api,relay,projector' });
  const { NATS_STREAM_PREFIX } = service.config;
  server = await ConfiguredNats.start({ NATS_STREAM_PREFIX });
  await service.start({ NATS_URL: server.url, NATS_USER: server.user, NATS_PASSWORD: server.password });
  folder = await mkdtemp(join(tmpdir(), 'voidrunner-consumer-'));
  const [, program] = /```js\n([^]*?)```/.exec(await readFile('docs/events.md', 'utf8'))!;
  await writeFile(join(folder, 'consumer.mjs'), program!);
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
});
afterAll(async () => {
  await service?.close();
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

const consumers: Consumer[] = [];
afterEach(async () => {
  for (const each of consumers.splice(0)) await each.kill();
});

/** The program of docs/events.md, word for word. */
class Consumer {
  private output = '';
  errors = '';
  private readonly child: ChildProcess;

  constructor() {
    const env = {
      PATH: process.env['PATH'],
      NATS_URL: server.url,
      NATS_READER_PASSWORD: server.reader.pass,
      NATS_STREAM_PREFIX: service.config.NATS_STREAM_PREFIX,
    };
    consumers.push(this);
    this.child = spawn(process.execPath, ['consumer.mjs'], { cwd: folder, env });
    this.child.stdout!.on('data', (text: Buffer) => (this.output += text.toString()));
    this.child.stderr!.on('data', (text: Buffer) => (this.errors += text.toString()));
  }

  get lines(): string[] {
    return this.output.split('\n').slice(0, -1);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

/** What the consumer prints of the log, after a position. */
async function recorded(after: number): Promise<string[]> {
  const { rows } = await service.database.ownerPool.query<{ line: string }>(
    `SELECT position || ' ' || type || ' ' || stream_id AS line FROM es.events WHERE position > $1 ORDER BY position`,
    [after],
  );
  return rows.map(({ line }) => line);
}

const withoutData = (lines: readonly string[]): string[] => lines.map((line) => line.split(' ', 3).join(' '));

/** Of a registration: UserRegistered, UserLoggedIn. */
const EVENTS_OF_A_USER = 2;

/** @returns the position of the last event, which the consumer has stored */
async function expectAll(consumer: Consumer, after: number): Promise<number> {
  const last = after + EVENTS_OF_A_USER;
  await eventually(async () => {
    const expected = await recorded(after);
    expect(expected).toHaveLength(EVENTS_OF_A_USER);
    expect([withoutData(consumer.lines), consumer.errors]).toEqual([expected, '']);
    expect(JSON.parse(await readFile(join(folder, 'last.json'), 'utf8'))).toMatchObject({ position: String(last) });
  });
  return last;
}

test('the consumer of docs/events.md prints each event once, also after a crash and after a loss of the stream', async () => {
  await ApiClient.register(() => service.url);
  const first = new Consumer();
  const read = await expectAll(first, 0);
  await first.kill();

  await ApiClient.register(() => service.url);
  const second = new Consumer();
  const readThen = await expectAll(second, read);

  // As the service does if the stream differs from Postgres.
  const link = await connectedLink(server);
  const stream = `${service.config.NATS_STREAM_PREFIX}_EVENTS`;
  await (await link.manager()).streams.delete(stream);
  expect(await second.ended()).not.toBeNull();
  await ApiClient.register(() => service.url);
  await eventually(async () => expect((await (await link.manager()).streams.info(stream)).state.messages).not.toBe(0));
  const third = new Consumer();
  await ApiClient.register(() => service.url);
  await eventually(async () => {
    const expected = await recorded(readThen);
    const printed = withoutData(third.lines);
    expect(printed).not.toEqual([]);
    expect(printed).toEqual(expected.slice(-printed.length));
    // The service fills a new stream with what its own subscriptions need.
    expect(third.errors).toBe(printed.length < expected.length ? `events after ${readThen} are missing\n` : '');
  });
  await link.close();
});

test('voidrunner docs --asyncapi prints the same document', async () => {
  const { code, stdout } = await voidrunner({ ...process.env, ...service.env }, ['docs', '--asyncapi']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(await (await fetch(`${service.url}/asyncapi.json`)).json());
});

test('what the stream holds is as /asyncapi.json says', async () => {
  const response = await fetch(`${service.url}/asyncapi.json`);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  const document = (await response.json()) as { components: object };
  expect(await (await fetch(`${service.url}/api`)).json()).toMatchObject({ asyncapi: '/asyncapi.json' });
  const ajv = addFormats.default(new Ajv({ strict: false }));
  ajv.addSchema({ $id: 'document', components: document.components });

  await ApiClient.register(() => service.url);
  const link = await connectedLink(server);
  const consumer = await link.jetstream().consumers.get(`${service.config.NATS_STREAM_PREFIX}_EVENTS`);
  const message = (await consumer.next({ expires: 10_000 }))!;
  const { type } = message.json<{ type: string }>();
  const headers = Object.fromEntries(message.headers!.keys().map((name) => [name, message.headers!.get(name)]));
  const [body, head] = [`components/messages/${type}/payload`, 'components/schemas/EventHeaders'].map((path) =>
    ajv.getSchema(`document#/${path}`)!,
  );
  expect([body!(message.json()), body!.errors]).toEqual([true, null]);
  expect([head!(headers), head!.errors]).toEqual([true, null]);
  await link.close();
});
