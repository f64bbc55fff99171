import { readdirSync, readFileSync } from 'node:fs';

import { userEvents } from '../../../src/identity/domain/user-events.js';
import { batchEvents } from '../../../src/tasks/domain/batch-events.js';
import { executionEvents } from '../../../src/tasks/domain/execution-events.js';
import { taskEvents } from '../../../src/tasks/domain/task-events.js';
import { deliveryEvents } from '../../../src/webhooks/domain/delivery-events.js';
import { webhookEvents } from '../../../src/webhooks/domain/webhook-events.js';

/**
 * Stored events never change: one stored example of every version of every type. A fixture is never changed; a new
 * version needs a new one.
 */
const FOLDER = 'test/fixtures/events';

const types = Object.values({
  ...{ ...taskEvents, ...executionEvents, ...batchEvents, ...userEvents },
  ...{ ...webhookEvents, ...deliveryEvents },
});
const versions = types.flatMap((type) =>
  Array.from({ length: type.schemaVersion }, (_, index) => ({ type, version: index + 1 })),
);
const fileOf = (type: string, version: number): string => `${type}.v${version}.json`;
const stored = (file: string): unknown => JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8'));

test.each(versions.map(({ type, version }) => [type.type, version, type] as const))(
  '%s, version %d, can be read',
  (name, version, type) => {
    const lifted: unknown = type.upcast(stored(fileOf(name, version)), version);
    expect(type.upcast(JSON.parse(JSON.stringify(lifted)), type.schemaVersion)).toEqual(lifted);
  },
);

test.each(types.map((type) => [type.type, type] as const))(
  '%s keeps every field of its newest version',
  (name, type) => {
    const newest = stored(fileOf(name, type.schemaVersion));
    expect(type.upcast(newest, type.schemaVersion)).toEqual(newest);
  },
);

/** Of the newest version, whose fixture contains each field. */
const placesOf = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return [];
  if ('payload_id' in value) return [value.payload_id as string];
  return Object.entries(value).flatMap(([name, inner]) => (name === 'metadata' ? [] : placesOf(inner)));
};

test.each(types.map((type) => [type.type, type] as const))('%s names its payloads', (name, type) => {
  const data = stored(fileOf(name, type.schemaVersion));
  expect(type.payloadsOf(data).map(({ payload_id }) => payload_id)).toEqual(placesOf(data));
});

test('an update and a report name theirs as well', () => {
  const ref = (payload_id: string) => ({ payload_id, bytes: 1, sha256: '0'.repeat(64) });
  const stream = (payload_id: string) => ({ payload: ref(payload_id), bytes_total: 1, truncated: false });
  const changes = { script: ref('script'), metadata: { forged: ref('forged') } };
  const compile = { stdout: stream('of compiler'), stderr: stream('its stderr') };
  const result = { stdout: stream('stdout'), stderr: stream('stderr'), compile, files: [{ payload: ref('file') }] };
  expect(taskEvents.TaskUpdated.payloadsOf({ definition_version: 2, changes })).toEqual([ref('script')]);
  expect(executionEvents.ExecutionReported.payloadsOf({ result })).toEqual(
    ['stdout', 'stderr', 'of compiler', 'its stderr', 'file'].map(ref),
  );
});

test('there is a fixture for every version of every type, and no other', () => {
  const expected = versions.map(({ type, version }) => fileOf(type.type, version));
  expect(readdirSync(FOLDER).sort()).toEqual(expected.sort());
});
