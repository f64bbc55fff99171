import { readFile } from 'node:fs/promises';

import { EVENTS_BY_STREAM } from '../../src/composition/event-catalog.js';

export const EVENT_EXAMPLES_FILE = 'src/composition/event-examples.json';

/** The fixture of each type's newest version, as the AsyncAPI document shows it. */
export async function makeEventExamples(): Promise<string> {
  const types = Object.values(EVENTS_BY_STREAM).flat();
  const examples = types.map(async ({ type, schemaVersion }): Promise<[string, unknown]> => {
    return [type, JSON.parse(await readFile(`test/fixtures/events/${type}.v${schemaVersion}.json`, 'utf8'))];
  });
  return JSON.stringify(Object.fromEntries(await Promise.all(examples)));
}
