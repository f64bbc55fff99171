import { readdirSync, readFileSync } from 'node:fs';

import { Parser } from '@asyncapi/parser';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';

import { EVENTS_BY_STREAM } from '../../../src/composition/event-catalog.js';
import { eventDocs } from '../../../src/composition/event-docs.js';
import type { StoredEvent } from '../../../src/event-sourcing/core/stored-event.js';
import { eventBody, eventHeaders, eventSubject } from '../../../src/event-sourcing/relay/event-message.js';
import { createAsyncApiDocument } from '../../../src/http/docs/asyncapi-document.js';
import { EVENT_EXAMPLES_FILE, makeEventExamples } from '../../support/event-examples.js';

const FOLDER = 'test/fixtures/events';

interface Message {
  readonly payload: object;
  readonly examples: readonly { readonly headers: object; readonly payload: { readonly data: unknown } }[];
}

interface Document {
  readonly channels: Readonly<Record<string, { address: string; parameters: { type: { enum: string[] } } }>>;
  readonly components: { readonly messages: Readonly<Record<string, Message>>; readonly schemas: object };
}

const documentOf = (prefix: string) =>
  JSON.parse(JSON.stringify(createAsyncApiDocument(eventDocs(prefix)))) as Document;
const document = documentOf('VOIDRUNNER');

const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }));
ajv.addSchema({ $id: 'document', components: document.components });
const faultsOf = (path: string, value: unknown): unknown => {
  const validate = ajv.getSchema(`document#/${path}`)!;
  return validate(value) ? [] : validate.errors;
};
const faultsOfBody = (type: string, body: unknown) => faultsOf(`components/messages/${type}/payload`, body);

const fixtures = readdirSync(FOLDER).map((file) => {
  const [, type, version] = /^(\w+)\.v(\d+)\.json$/.exec(file)!;
  return {
    type: type!,
    version: Number(version),
    data: JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as object,
  };
});

const streamTypeOf = (type: string) =>
  (Object.keys(EVENTS_BY_STREAM) as (keyof typeof EVENTS_BY_STREAM)[]).find((stream) =>
    EVENTS_BY_STREAM[stream].some((each) => each.type === type),
  )!;

/** As the event store has it. */
const recorded = (type: string, schemaVersion: number, data: unknown): StoredEvent => ({
  position: 9_007_199_254_740_993n,
  stream: { type: streamTypeOf(type), id: '018f0000-0000-7000-8000-000000000001' },
  version: 3,
  eventId: '018f0000-0000-7000-8000-000000000002',
  type,
  schemaVersion,
  data: JSON.stringify(data),
  metadata: JSON.stringify({ actor: 'system:test', correlation_id: '018f0000-0000-7000-8000-000000000003' }),
  recordedAt: '2026-01-02T03:04:05.678Z',
});

test('the parser of AsyncAPI finds no fault', async () => {
  const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document));
  const faults = diagnostics.map(({ code, severity, path, message }) => ({ code, severity, path, message }));
  expect(faults.filter(({ code }) => code !== 'asyncapi-latest-version')).toEqual([]);
  expect(parsed!.allMessages().length).toBe(Object.values(EVENTS_BY_STREAM).flat().length);
});

test('it finds a planted fault', async () => {
  const faulty = structuredClone(document) as Document & { readonly operations: Record<string, object> };
  Object.assign(faulty.operations['send.task']!, { action: 'publish' });
  const { diagnostics } = await new Parser().parse(JSON.stringify(faulty));
  expect(diagnostics.map(({ path }) => path.join('.'))).toContain('operations.send.task.action');
});

test.each(Object.entries(document.components.messages))('the example of %s is as described', (type, { examples }) => {
  expect(examples).toHaveLength(1);
  expect(faultsOfBody(type, examples[0]!.payload)).toEqual([]);
  expect(faultsOf('components/schemas/EventHeaders', examples[0]!.headers)).toEqual([]);
});

test('every event type has a message, in the channel of its streams', () => {
  const types = [...new Set(fixtures.map(({ type }) => type))].sort();
  expect(Object.keys(document.components.messages).sort()).toEqual(types);
  const inChannels = Object.entries(document.channels).flatMap(([stream, { parameters }]) =>
    parameters.type.enum.map((type) => [stream, type]),
  );
  expect(inChannels.map(([, type]) => type).sort()).toEqual(types);
  for (const [stream, type] of inChannels) expect(stream).toBe(streamTypeOf(type!));
});

test.each(fixtures.map((each) => [each.type, each.version, each] as const))(
  'a message with %s, version %d, is as described',
  (type, version, { data }) => {
    const event = recorded(type, version, data);
    expect(faultsOfBody(type, JSON.parse(eventBody(event)))).toEqual([]);
    const headers = eventHeaders('VOIDRUNNER', event, 1, undefined);
    headers.set('Nats-Msg-Id', event.eventId);
    const values = Object.fromEntries(headers.keys().map((name) => [name, headers.get(name)]));
    expect(faultsOf('components/schemas/EventHeaders', values)).toEqual([]);
    const address = document.channels[event.stream.type]!.address;
    expect(address.replace('{type}', type).replace('{stream_id}', event.stream.id)).toBe(
      eventSubject('VOIDRUNNER', event),
    );
  },
);

/** Each version, with one of its fields missing. */
const lacking = fixtures.flatMap(({ type, version, data }) => {
  const { required } = (document.components.schemas as Record<string, { required?: string[] }>)[`${type}.v${version}`]!;
  return (required ?? []).map((field) => [type, version, field, data] as const);
});

test.each(lacking)('%s, version %d, without its %s is not as described', (type, version, field, data) => {
  const { [field]: _missing, ...rest } = data as Record<string, unknown>;
  expect(faultsOfBody(type, JSON.parse(eventBody(recorded(type, version, rest))))).not.toEqual([]);
});

test.each([
  ['another version', 'TaskDeleted', 2, {}],
  ['another type', 'TaskCreated', 4, {}],
  [
    'an older version that says it is the newest',
    'TaskCreated',
    4,
    fixtures.find(({ type }) => type === 'TaskCreated')!.data,
  ],
])('%s is not as described', (_, type, version, data) => {
  expect(faultsOfBody(type, JSON.parse(eventBody(recorded(type, version, data))))).not.toEqual([]);
});

test('further fields are allowed', () => {
  const body = JSON.parse(eventBody(recorded('TaskDeleted', 1, { new_field: 1 }))) as object;
  expect(faultsOfBody('TaskDeleted', { ...body, new_member: 2 })).toEqual([]);
});

test('the examples are the fixtures: npm run generate:event-examples', async () => {
  expect(JSON.parse(readFileSync(EVENT_EXAMPLES_FILE, 'utf8'))).toEqual(JSON.parse(await makeEventExamples()));
});

test('subjects and stream have the configured prefix', () => {
  const text = JSON.stringify(documentOf('ACME'));
  expect(text).toContain('acme.events.task.{type}.{stream_id}');
  expect(text).toContain('ACME_EVENTS');
  expect(text).not.toMatch(/VOIDRUNNER_EVENTS|voidrunner\.events/);
});
