// node generate.mjs CLIENT: makes the client CLIENT of generated/openapi.json in generated/CLIENT, with its generator's
// defaults. It is a separate process, because jest's module system cannot load the generators.
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'generated');
const document = join(folder, 'openapi.json');
const client = process.argv[2];
const target = join(folder, client, client === 'hey-api' ? 'api' : 'api.ts');

const generators = {
  'openapi-typescript': async () => {
    const { default: openapiTS, astToString } = await import('openapi-typescript');
    await writeFile(target, astToString(await openapiTS(new URL(`file://${document}`))));
  },
  'hey-api': async () => {
    const { createClient } = await import('@hey-api/openapi-ts');
    // Its file extensions follow the tsconfig.json there.
    process.chdir(folder);
    await createClient({ input: document, output: target, logs: { level: 'silent' } });
  },
  'orval-fetch': () => orval('fetch'),
  'orval-zod': () => orval('zod'),
  'swagger-typescript-api': async () => {
    const { generateApi } = await import('swagger-typescript-api');
    const { files } = await generateApi({ input: document, output: false, silent: true });
    // Without this line the compiler would ignore every error in the file.
    await writeFile(target, files[0].fileContent.replace('// @ts-nocheck\n', ''));
  },
};

async function orval(kind) {
  const { generate } = await import('orval');
  await generate({ input: { target: document }, output: { target, client: kind } }, folder);
}

await generators[client]();
// orval reports an error and goes on.
await access(target);
