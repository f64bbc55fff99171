import { writeFile } from 'node:fs/promises';

import { format } from 'prettier';

import { EVENT_EXAMPLES_FILE, makeEventExamples } from './event-examples.js';

await writeFile(EVENT_EXAMPLES_FILE, await format(await makeEventExamples(), { parser: 'json', printWidth: 120 }));
