import { readdirSync, readFileSync } from 'node:fs';

import { executionEvents } from '../../../src/execution/domain/execution-events.js';
import { userEvents } from '../../../src/identity/domain/user-events.js';
import { taskEvents } from '../../../src/task/domain/task-events.js';

/**
 * What stands in the log stands there for ever: one stored example of every version a type ever had. A fixture is
 * never changed; a new version brings a new one.
 */
const FOLDER = 'test/fixtures/events';

const types = Object.values({ ...taskEvents, ...executionEvents, ...userEvents });
const versions = types.flatMap((type) =>
  Array.from({ length: type.schemaVersion }, (_, index) => ({ type, version: index + 1 })),
);
const fileOf = (type: string, version: number): string => `${type}.v${version}.json`;
const stored = (file: string): unknown => JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8'));

test.each(versions.map(({ type, version }) => [type.type, version, type] as const))(
  '%s, version %d, can be read',
  (name, version, type) => {
    const lifted: unknown = type.lift(stored(fileOf(name, version)), version);
    expect(type.lift(JSON.parse(JSON.stringify(lifted)), type.schemaVersion)).toEqual(lifted);
  },
);

test.each(types.map((type) => [type.type, type] as const))('%s keeps all of its newest version', (name, type) => {
  const newest = stored(fileOf(name, type.schemaVersion));
  expect(type.lift(newest, type.schemaVersion)).toEqual(newest);
});

test('there is a fixture for every version of every type, and no other', () => {
  const expected = versions.map(({ type, version }) => fileOf(type.type, version));
  expect(readdirSync(FOLDER).sort()).toEqual(expected.sort());
});
