import type { StoredEventType } from '../../event-sourcing/core/event-type.js';
import type { StreamType } from '../../event-sourcing/core/event.js';
import {
  CloudEventHeader,
  cloudEventSource,
  cloudEventType,
  EventHeader,
  eventSubject,
  subjectPrefix,
} from '../../event-sourcing/relay/event-message.js';
import { COMMON_SCHEMAS, dataSchema, dataSchemaName, payloadSchema } from './event-schemas.js';

export interface EventDocsOptions {
  readonly version: string;
  /** Of streams and subjects. */
  readonly prefix: string;
  readonly types: Readonly<Record<StreamType, readonly StoredEventType[]>>;
  /** Data of the newest version, by event type. */
  readonly examples: Readonly<Record<string, unknown>>;
}

type Members = Record<string, unknown>;

const ref = (...path: string[]): { $ref: string } => ({ $ref: `#/${path.join('/')}` });
const named = <Item>(items: readonly Item[], name: (item: Item) => string, of: (item: Item) => unknown): Members =>
  Object.fromEntries(items.map((item) => [name(item), of(item)]));
const nameOf = ({ type }: StoredEventType): string => type;

/** The AsyncAPI document of the events stream, made from the schemas of the events. */
export function createAsyncApiDocument({ version, prefix, types, examples }: EventDocsOptions): Members {
  const streams = Object.entries(types) as [StreamType, readonly StoredEventType[]][];
  const all = Object.values(types).flat();
  const versions = all.flatMap((type) =>
    Array.from({ length: type.schemaVersion }, (_, index) => ({ type, schemaVersion: index + 1 })),
  );
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'VoidRunner events',
      version,
      description: descriptionOf(prefix),
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    servers: { nats: SERVER },
    channels: Object.fromEntries(streams.map(([stream, ofStream]) => [stream, channel(prefix, stream, ofStream)])),
    operations: Object.fromEntries(
      streams.map(([stream, ofStream]) => [
        `send.${stream}`,
        {
          action: 'send',
          summary: `The service publishes the events of every ${stream}`,
          channel: ref('channels', stream),
          messages: ofStream.map(({ type }) => ref('channels', stream, 'messages', type)),
        },
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        streams.flatMap(([stream, ofStream]) =>
          ofStream.map((type) => [type.type, message(prefix, stream, type, examples[type.type])]),
        ),
      ),
      schemas: {
        ...COMMON_SCHEMAS,
        ...named(
          versions,
          ({ type, schemaVersion }) => dataSchemaName(type.type, schemaVersion),
          ({ type, schemaVersion }) => dataSchema(type, schemaVersion),
        ),
      },
      correlationIds: {
        correlation: {
          description: 'The same for all events that follow from one request',
          location: '$message.payload#/metadata/correlation_id',
        },
      },
      securitySchemes: { reader: { type: 'userPassword', description: 'NATS_READER_USER and NATS_READER_PASSWORD' } },
    },
  };
}

const descriptionOf = (prefix: string): string =>
  `Every change that VoidRunner records is an event. The relay publishes all of them to the JetStream stream
\`${prefix}_EVENTS\`, in the order of their positions, at least once.

A message is a CloudEvent in binary mode; its data is the body. \`schema_version\` is the version of the body's \`data\`.
Events are never changed after they were recorded, so old ones keep the version that they were recorded in. Each version
has a schema here. New event types, new versions and new optional fields may come with any release: ignore what you do
not know.`;

const SERVER = {
  host: '{host}',
  protocol: 'nats',
  description:
    'NATS with JetStream. The reader is in an account of its own, which calls the API of JetStream by the domain `voidrunner`',
  variables: { host: { default: 'localhost:4222', description: 'Host and port of NATS' } },
  security: [ref('components', 'securitySchemes', 'reader')],
};

const channel = (prefix: string, stream: StreamType, types: readonly StoredEventType[]): Members => ({
  address: `${subjectPrefix(prefix)}.events.${stream}.{type}.{stream_id}`,
  title: `Events of every ${stream}`,
  description: `Stored in the JetStream stream \`${prefix}_EVENTS\``,
  servers: [ref('servers', 'nats')],
  parameters: {
    type: { description: 'The type of the event', enum: types.map(nameOf) },
    stream_id: { description: `The id of the ${stream}` },
  },
  messages: named(types, nameOf, ({ type }) => ref('components', 'messages', type)),
});

const EXAMPLE_STREAM = '018f0000-0000-7000-8000-000000000001';
const EXAMPLE_EVENT = '018f0000-0000-7000-8000-0000000000ee';
const EXAMPLE_TIME = '2026-01-02T03:04:05.678Z';

function message(prefix: string, stream: StreamType, of: StoredEventType, data: unknown): Members {
  const { type, schemaVersion: newest } = of;
  const event = { type, stream: { type: stream, id: EXAMPLE_STREAM } };
  const place = { position: '42', stream_type: stream, stream_id: EXAMPLE_STREAM, version: 1 };
  const metadata = { actor: 'system:example', correlation_id: '018f0000-0000-7000-8000-0000000000cc' };
  return {
    name: type,
    title: type,
    summary: newest === 1 ? `${type}, version 1` : `${type}, versions 1 to ${newest}`,
    contentType: 'application/json',
    headers: ref('components', 'schemas', 'EventHeaders'),
    payload: payloadSchema(of, stream),
    correlationId: ref('components', 'correlationIds', 'correlation'),
    examples: [
      {
        name: `${type}.v${newest}`,
        summary: `On the subject ${eventSubject(prefix, event)}`,
        headers: exampleHeaders(prefix, stream, type),
        payload: {
          ...place,
          event_id: EXAMPLE_EVENT,
          type,
          schema_version: newest,
          data,
          metadata,
          recorded_at: EXAMPLE_TIME,
        },
      },
    ],
  };
}

const exampleHeaders = (prefix: string, stream: StreamType, type: string): Members => ({
  'Nats-Msg-Id': EXAMPLE_EVENT,
  [EventHeader.position]: '42',
  [EventHeader.epoch]: '1',
  [EventHeader.version]: '1',
  [EventHeader.stream]: `${stream}-${EXAMPLE_STREAM}`,
  [CloudEventHeader.specversion]: '1.0',
  [CloudEventHeader.id]: EXAMPLE_EVENT,
  [CloudEventHeader.source]: cloudEventSource(prefix, stream),
  [CloudEventHeader.type]: cloudEventType(type),
  [CloudEventHeader.subject]: EXAMPLE_STREAM,
  [CloudEventHeader.time]: EXAMPLE_TIME,
  [CloudEventHeader.datacontenttype]: 'application/json',
});
