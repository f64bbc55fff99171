// node test/support/clients/generate.mjs FOLDER: makes clients of FOLDER/openapi.json beside it, with each generator's
// defaults. It is a separate process, because jest's module system cannot load the generators.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createClient } from '@hey-api/openapi-ts';
import openapiTS, { astToString } from 'openapi-typescript';
import { generate } from 'orval';

const folder = process.argv[2];
const document = join(folder, 'openapi.json');

await writeFile(
  join(folder, 'openapi-typescript', 'api.ts'),
  astToString(await openapiTS(new URL(`file://${document}`))),
);
await createClient({ input: document, output: join(folder, 'hey-api', 'api'), logs: { level: 'silent' } });
for (const client of ['fetch', 'zod']) {
  const target = join(folder, `orval-${client}`, 'api.ts');
  await generate({ input: { target: document }, output: { target, client } }, folder);
}
