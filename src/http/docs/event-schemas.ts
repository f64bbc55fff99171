import { z } from 'zod';

import type { StoredEventType } from '../../event-sourcing/core/event-type.js';
import type { StreamType } from '../../event-sourcing/core/event.js';
import { CloudEventHeader, EventHeader } from '../../event-sourcing/relay/event-message.js';
import { eachSchema, type JsonSchema, refTo } from './json-schema.js';

/** The component with the schema of an event's data in one of its versions. */
export const dataSchemaName = (type: string, schemaVersion: number): string => `${type}.v${schemaVersion}`;

/**
 * The data of an event in one of its versions. That of an older version lacks the fields that its upcasters add. Further
 * fields are allowed: a version may get optional ones.
 */
export function dataSchema(type: StoredEventType, schemaVersion: number): JsonSchema {
  const { $schema: _dialect, definitions: _json, ...schema } = z.toJSONSchema(type.schema, { target: 'draft-7' });
  eachSchema(schema, (inner) => {
    // `z.json()` is the only schema that contains itself.
    delete inner['$ref'];
    if (inner['additionalProperties'] === false) delete inner['additionalProperties'];
    // The pattern that zod derives from a format adds nothing.
    if (inner['format'] !== undefined) delete inner['pattern'];
  });
  omit(schema, type.addedSince(schemaVersion));
  return schema;
}

function omit(schema: JsonSchema, added: Record<string, unknown>): void {
  const properties = schema['properties'] as Record<string, JsonSchema>;
  for (const [name, value] of Object.entries(added)) {
    const isNested = typeof value === 'object' && value !== null && properties[name]?.['properties'] !== undefined;
    if (isNested) {
      omit(properties[name]!, value as Record<string, unknown>);
      continue;
    }
    delete properties[name];
    schema['required'] = (schema['required'] as string[]).filter((each) => each !== name);
  }
}

const uuid = { type: 'string', format: 'uuid' };
const text = { type: 'string' };
const traceContext = { type: 'string', description: 'W3C Trace Context' };

/** Named by the messages' payloads and headers. */
export const COMMON_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  EventMetadata: {
    type: 'object',
    description: 'Who caused the event, and by which request',
    required: ['actor', 'correlation_id'],
    properties: {
      actor: { type: 'string', description: '`user:<id>`, `system:<part>` or `operator:<name>`' },
      correlation_id: { type: 'string', description: 'The same for all events that follow from one request' },
      causation_id: { type: 'string', description: 'The event or command that caused this event' },
      request_id: { type: 'string', description: 'Of the HTTP request' },
      key_id: { type: 'string', description: 'Of the API key with which the actor sent the request' },
      traceparent: traceContext,
      command_id: text,
      command_digest: text,
    },
  },
  EventHeaders: {
    type: 'object',
    required: [
      'Nats-Msg-Id',
      ...Object.values(EventHeader).filter((name) => name !== 'traceparent'),
      ...Object.values(CloudEventHeader),
    ],
    properties: {
      'Nats-Msg-Id': { ...uuid, description: 'The id of the event' },
      [EventHeader.position]: { type: 'string', pattern: '^[0-9]+$', description: 'As in the body' },
      [EventHeader.epoch]: { type: 'string', pattern: '^[0-9]+$', description: 'Raised when the log is restored' },
      [EventHeader.version]: { type: 'string', pattern: '^[0-9]+$', description: 'As in the body' },
      [EventHeader.stream]: { type: 'string', description: '`<stream type>-<stream id>`' },
      [EventHeader.traceparent]: traceContext,
      [CloudEventHeader.specversion]: { type: 'string', const: '1.0' },
      [CloudEventHeader.id]: { ...uuid, description: 'The id of the event' },
      [CloudEventHeader.source]: { type: 'string', description: '`/<prefix>/events/<stream type>`' },
      [CloudEventHeader.type]: { type: 'string', description: '`voidrunner.event.<type>`' },
      [CloudEventHeader.subject]: { ...uuid, description: 'The id of the stream' },
      [CloudEventHeader.time]: { type: 'string', format: 'date-time' },
      [CloudEventHeader.datacontenttype]: { type: 'string', const: 'application/json' },
    },
  },
};

/** The body of an event's message, in all versions of its data. */
export function payloadSchema({ type, schemaVersion: newest }: StoredEventType, streamType: StreamType): JsonSchema {
  const versions = Array.from({ length: newest }, (_, index) => newest - index);
  const inVersion = (version: number): JsonSchema => ({
    properties: { schema_version: { const: version }, data: { $ref: refTo(dataSchemaName(type, version)) } },
  });
  return {
    type: 'object',
    required: [
      ...['position', 'stream_type', 'stream_id', 'version', 'event_id', 'type', 'schema_version', 'data'],
      ...['metadata', 'recorded_at'],
    ],
    properties: {
      position: {
        type: 'string',
        pattern: '^[0-9]+$',
        description: 'In the whole log: dense, from 1, in commit order',
      },
      stream_type: { const: streamType },
      stream_id: uuid,
      version: { type: 'integer', minimum: 1, description: 'In its stream: dense, from 1' },
      event_id: uuid,
      type: { const: type },
      schema_version: { enum: versions, description: 'The version of `data`' },
      data: { type: 'object' },
      metadata: { $ref: refTo('EventMetadata') },
      recorded_at: { type: 'string', format: 'date-time' },
    },
    oneOf: versions.map(inVersion),
  };
}
