import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { AckPolicy, type JetStreamManager, nanos, type NatsConnection } from 'nats';

import { EventsStream } from '../../../src/event-sourcing/relay/events-stream.js';
import { NatsLiveInput } from '../../../src/live-input/nats-live-input.js';
import { NatsLiveOutput } from '../../../src/live-output/nats-live-output.js';
import { ignoreErrors } from '../../../src/platform/async/ignore-errors.js';
import type { NatsLink } from '../../../src/platform/nats/nats-link.js';
import { aTarget } from '../../contract/live-input.contract.js';
import { ConfiguredNats } from '../../support/configured-nats.js';
import { eventually } from '../../support/eventually.js';
import { connectedLink } from '../../support/nats.js';

const STREAM = 'VOIDRUNNER_EVENTS';
const EVENTS = 5;
const DOMAIN = { domain: 'voidrunner' };

let server: ConfiguredNats;
let link: NatsLink;
let service: JetStreamManager;
let reader: NatsConnection;
let readers: JetStreamManager;

beforeAll(async () => {
  server = await ConfiguredNats.start();
  link = await connectedLink(server);
  service = await link.manager();
  await new EventsStream({ nats: link, prefix: 'VOIDRUNNER', bytesMax: 1024 ** 2 }).ensure();
  await service.consumers.add(STREAM, { durable_name: 'projector', ack_policy: AckPolicy.All });
  for (let index = 1; index <= EVENTS; index += 1)
    await link.jetstream().publish(`voidrunner.events.task.TaskDeleted.${index}`, String(index));
  reader = await server.connect(server.reader);
  readers = await reader.jetstreamManager({ ...DOMAIN, checkAPI: false });
});
afterAll(async () => {
  await reader?.close();
  await link?.close();
  await server?.remove();
});
afterEach(async () => {
  await ignoreErrors(service.consumers.delete(STREAM, 'reader'), 'not every test creates it');
});

const read = async (count: number): Promise<string[]> => {
  const consumer = await reader.jetstream(DOMAIN).consumers.get(STREAM, 'reader');
  const texts: string[] = [];
  for await (const message of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
    texts.push(message.string());
    message.ack();
  }
  return texts;
};

describe('The reader may', () => {
  test.each([
    ['a durable consumer', { durable_name: 'reader' }],
    ['an ephemeral consumer', { name: 'reader', inactive_threshold: nanos(60_000) }],
    ['a consumer of some events', { durable_name: 'reader', filter_subject: 'voidrunner.events.task.>' }],
  ])('create %s, fetch, acknowledge, and continue', async (_, config) => {
    await readers.consumers.add(STREAM, { ...config, ack_policy: AckPolicy.Explicit });
    expect(await read(2)).toEqual(['1', '2']);
    expect(await read(3)).toEqual(['3', '4', '5']);
    await eventually(async () =>
      expect((await service.consumers.info(STREAM, 'reader')).ack_floor.stream_seq).toBe(EVENTS),
    );
    expect((await readers.consumers.info(STREAM, 'reader')).num_pending).toBe(0);
    expect(await readers.consumers.delete(STREAM, 'reader')).toBe(true);
  });

  test('read what the stream is, and a single message', async () => {
    expect((await readers.streams.info(STREAM)).state.messages).toBe(EVENTS);
    expect((await readers.streams.getMessage(STREAM, { seq: 2 })).string()).toBe('2');
  });
});

/** What the service's account has, whatever the reader tries. */
const unchanged = async (): Promise<void> => {
  expect((await service.streams.info(STREAM)).state).toMatchObject({ messages: EVENTS, last_seq: EVENTS });
  const consumers = await service.consumers.list(STREAM).next();
  expect(consumers.map(({ name }) => name)).toEqual(['projector']);
  expect(consumers[0]!.delivered.stream_seq).toBe(0);
};

const SEND_TIMEOUT = { timeout: 500 };

describe('The reader may not', () => {
  const over = (prefix: string) => (subject: string, body: unknown) =>
    reader.request(`${prefix}.${subject}`, JSON.stringify(body), SEND_TIMEOUT);
  const ways = [
    ['by its own API', '$JS.voidrunner.API'],
    ['by the API of its account', '$JS.API'],
  ] as const;
  const calls: readonly (readonly [string, string, unknown])[] = [
    ['purge the stream', `STREAM.PURGE.${STREAM}`, {}],
    ['delete the stream', `STREAM.DELETE.${STREAM}`, {}],
    ['update the stream', `STREAM.UPDATE.${STREAM}`, { name: STREAM, subjects: ['voidrunner.events.>'], max_msgs: 1 }],
    ['create a stream', 'STREAM.CREATE.MINE', { name: 'MINE', subjects: ['mine.>'] }],
    ['delete a message', `STREAM.MSG.DELETE.${STREAM}`, { seq: 1 }],
    ['list streams', 'STREAM.NAMES', {}],
    ['list consumers', `CONSUMER.NAMES.${STREAM}`, {}],
    ['delete a consumer of the service', `CONSUMER.DELETE.${STREAM}.projector`, {}],
    ['read a consumer of the service', `CONSUMER.INFO.${STREAM}.projector`, {}],
    ['take messages of the service', `CONSUMER.MSG.NEXT.${STREAM}.projector`, { batch: 1 }],
    [
      'change a consumer of the service',
      `CONSUMER.DURABLE.CREATE.${STREAM}.projector`,
      { stream_name: STREAM, config: { durable_name: 'projector', ack_policy: 'all', max_ack_pending: 1 } },
    ],
    [
      'change a consumer of the service under its own name',
      `CONSUMER.DURABLE.CREATE.${STREAM}.reader`,
      { stream_name: STREAM, config: { durable_name: 'projector', ack_policy: 'all', max_ack_pending: 1 } },
    ],
    [
      'create a consumer without a name',
      `CONSUMER.CREATE.${STREAM}`,
      { stream_name: STREAM, config: { ack_policy: 'explicit' } },
    ],
    [
      'create a consumer of live output',
      'CONSUMER.CREATE.VOIDRUNNER_OUTPUT.reader',
      { stream_name: 'VOIDRUNNER_OUTPUT', config: { name: 'reader', ack_policy: 'none' } },
    ],
    ['read live output', 'STREAM.MSG.GET.VOIDRUNNER_OUTPUT', { seq: 1 }],
    ['read dead letters', 'STREAM.MSG.GET.VOIDRUNNER_DLQ', { seq: 1 }],
  ];

  test.each(calls.flatMap(([what, subject, body]) => ways.map(([by, api]) => [what, by, api, subject, body] as const)))(
    '%s, %s',
    async (_what, _by, api, subject, body) => {
      const answer = await over(api)(subject, body).catch((error: unknown) => error);
      // No account of its own has JetStream; what is not shared has no responder; a wrong name is an error.
      const refusal = answer instanceof Error ? { error: answer.message } : (answer as { json(): unknown }).json();
      expect(refusal).toHaveProperty('error');
      await unchanged();
    },
  );

  test('change a consumer of the service by naming it in a request for its own', async () => {
    const config = { name: 'projector', ack_policy: 'all', max_ack_pending: 1 };
    const answer = await over(ways[0][1])(`CONSUMER.CREATE.${STREAM}.reader`, { stream_name: STREAM, config });
    // The name in the subject counts.
    if (!('error' in answer.json<object>())) await readers.consumers.delete(STREAM, 'reader');
    expect((await service.consumers.info(STREAM, 'projector')).config.max_ack_pending).toBeGreaterThan(1);
    await unchanged();
  });

  test('be anybody else: it has no other password', async () => {
    const wrong = { user: server.user, pass: server.reader.pass };
    await expect(server.connect(wrong)).rejects.toThrow('Authorization');
  });

  const target = aTarget();
  const source = { executionId: target.executionId, attempt: 1, startId: target.startId, stream: 'stdout' as const };
  const stdin = `voidrunner.stdin.${target.executionId}.${target.attempt}.${target.startId}`;
  const output = `voidrunner.output.${source.executionId}.1.${source.startId}.stdout`;

  test.each([
    ['an event', 'voidrunner.events.task.TaskDeleted.6'],
    ['standard input', stdin],
    ['live output', output],
    ['an announcement', 'voidrunner.announce.projector'],
  ])('publish %s', async (_, subject) => {
    const heard: string[] = [];
    const subscription = link
      .connection()
      .subscribe(subject, { callback: (_error, { data }) => heard.push(Buffer.from(data).toString()) });
    reader.publish(subject, 'forged');
    // The answer of the server to a call of the API goes to any subject that the caller names.
    reader.publish(`$JS.voidrunner.API.STREAM.INFO.${STREAM}`, '', { reply: subject });
    // The server answers in the order of the calls.
    await readers.streams.info(STREAM);
    await link.connection().flush();
    expect(heard).toEqual([]);
    subscription.unsubscribe();
    await unchanged();
  });

  test.each(['voidrunner.output.>', 'voidrunner.stdin.>', 'voidrunner.events.>', '_INBOX.>', '>'])(
    'listen to what the service sends on %s',
    async (subject) => {
      const heard: string[] = [];
      const subscription = reader.subscribe(subject, { callback: (_error, message) => heard.push(message.subject) });
      await reader.flush();
      for (const place of [output, stdin, 'voidrunner.events-of-others.x', '_INBOX.x.y'])
        link.connection().publish(place, 'secret');
      await link.connection().flush();
      await reader.flush();
      expect(heard).toEqual([]);
      subscription.unsubscribe();
    },
  );

  test('have events pushed to programs or followers: they ignore what the service did not send', async () => {
    const pieces: string[] = [];
    const input = new NatsLiveInput({ nats: link, prefix: 'VOIDRUNNER' });
    const stop = input.receive(target, ({ bytes }) => {
      pieces.push(bytes.toString());
      return { outcome: 'accepted', bytes: bytes.length, closed: false, replayed: false };
    });
    const followed: string[] = [];
    const ended = new AbortController();
    const outputs = new NatsLiveOutput({ nats: link, prefix: 'VOIDRUNNER', bytesMax: 1024 ** 2 });
    const following = (async () => {
      for await (const { bytes } of outputs.read(source, ended.signal)) {
        followed.push(bytes.toString());
        ended.abort();
      }
    })();
    for (const deliver_subject of [stdin, output]) {
      const config = { name: 'reader', deliver_subject, ack_policy: AckPolicy.None };
      // The server pushes only to subjects that somebody listens to.
      await eventually(async () => {
        await ignoreErrors(readers.consumers.delete(STREAM, 'reader'), 'the first attempt has none');
        await readers.consumers.add(STREAM, config);
        expect((await service.consumers.info(STREAM, 'reader')).delivered.stream_seq).toBe(EVENTS);
      });
      await readers.consumers.delete(STREAM, 'reader');
    }
    const piece = { bytes: Buffer.from('real'), isLast: false };
    await input.send(target, piece);
    await outputs.publish(source, { offset: 0, bytes: Buffer.from('real') });
    await following;
    expect([pieces, followed]).toEqual([['real'], ['real']]);
    stop();
  });
});

test('without a password for it there is no reader', async () => {
  const alone = await ConfiguredNats.start({ NATS_READER_PASSWORD: '' });
  try {
    await expect(alone.connect(alone.reader)).rejects.toThrow('Authorization');
  } finally {
    await alone.remove();
  }
});

test('the names of consumers, and the prefix, are settings', async () => {
  const other = await ConfiguredNats.start({ NATS_STREAM_PREFIX: 'OTHER', NATS_READER_CONSUMERS: 'billing audit' });
  const nats = await connectedLink(other);
  const connection = await other.connect(other.reader);
  try {
    await new EventsStream({ nats, prefix: 'OTHER', bytesMax: 1024 ** 2 }).ensure();
    const manager = await connection.jetstreamManager({ ...DOMAIN, checkAPI: false });
    const add = (durable_name: string) =>
      manager.consumers.add('OTHER_EVENTS', { durable_name, ack_policy: AckPolicy.Explicit });
    expect((await add('billing')).name).toBe('billing');
    expect((await add('audit')).name).toBe('audit');
    await expect(add('reader')).rejects.toThrow('503');
  } finally {
    await connection.close();
    await nats.close();
    await other.remove();
  }
});

test('streams of a server that had no accounts stay those of the service', async () => {
  const upgraded = await ConfiguredNats.start();
  try {
    const first = await connectedLink(upgraded);
    await new EventsStream({ nats: first, prefix: 'VOIDRUNNER', bytesMax: 1024 ** 2 }).ensure();
    await first.jetstream().publish('voidrunner.events.task.TaskDeleted.1', 'kept');
    await first.close();
    await upgraded.stop();
    const folder = join(upgraded.folder, 'jetstream');
    await rename(join(folder, 'VOIDRUNNER'), join(folder, '$G'));
    await upgraded.start();
    const second = await connectedLink(upgraded);
    expect((await (await second.manager()).streams.getMessage(STREAM, { seq: 1 })).string()).toBe('kept');
    await second.close();
    // A downgrade may leave both; nothing is overwritten then.
    await mkdir(join(folder, '$G', 'streams'), { recursive: true });
    await upgraded.stop();
    await upgraded.start();
  } finally {
    await upgraded.remove();
  }
});
