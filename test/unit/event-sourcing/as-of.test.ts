import { type AsOf, portionsAsOf } from '../../../src/event-sourcing/core/as-of.js';
import { historyEntryOf } from '../../../src/event-sourcing/core/history-entry.js';
import { allOf } from '../../support/all-of.js';
import { recorded, recordedAtOf, TASK_STREAM } from '../../support/builders/recorded.js';
import { executionFinished, executionStarted, taskCreated } from '../../support/builders/tasks.js';

const events = recorded(TASK_STREAM, [taskCreated(), executionStarted(), executionFinished()]);

describe.each([
  ['in one portion', [events]],
  ['in portions', [events.slice(0, 2), events.slice(2)]],
  ['one event at a time', events.map((event) => [event])],
])('a stream as of a point, read %s', (_name, portions) => {
  const versionsAsOf = async (asOf: AsOf): Promise<number[]> => {
    const source = (async function* () {
      yield* portions;
    })();
    return (await allOf(portionsAsOf(source, asOf))).flat().map(({ version }) => version);
  };

  test.each([
    [0, []],
    [1, [1]],
    [3, [1, 2, 3]],
  ])('at version %d', async (version, versions) => {
    expect(await versionsAsOf({ version })).toEqual(versions);
  });

  test('a version that does not exist is refused, with the newest one', async () => {
    await expect(versionsAsOf({ version: 99 })).rejects.toThrow('Version 99 does not exist: the newest version is 3');
  });

  test.each([
    ['before the first event', '2026-01-01T00:00:00.000Z', []],
    ['at an event', recordedAtOf(2), [1, 2]],
    ['after it', '2027-01-01T00:00:00.000Z', [1, 2, 3]],
  ])('at a time %s', async (_, time, versions) => {
    expect(await versionsAsOf({ time: new Date(time) })).toEqual(versions);
  });
});

test('a history entry contains what happened, where, when and by whom', () => {
  expect(historyEntryOf(events[1]!)).toEqual({
    type: 'TaskExecutionStarted',
    version: 2,
    position: 2,
    time: recordedAtOf(2),
    actor: 'system:test',
    data: executionStarted().data,
  });
});
