/**
 * Makes packages/client/dist: the client as a user installs it, for ESM and CommonJS, each with its own types (ADR 59).
 * Run by `npm run build:client` and before `npm pack`. Nothing else in this repository needs it: tests and the command
 * line use the sources.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { build } from 'esbuild';

const CLIENT = fileURLToPath(new URL('../../packages/client', import.meta.url));
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
/** Made beside dist and then renamed: two builds at once do not mix their files. */
const next = join(CLIENT, `dist.${process.pid}`);

const bundle = (format) =>
  build({
    absWorkingDir: CLIENT,
    entryPoints: ['src/index.ts'],
    outdir: join(next, format),
    format,
    bundle: true,
    // Its CommonJS has no default export that Node and esbuild agree on: contained there, imported by ESM.
    packages: format === 'esm' ? 'external' : 'bundle',
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'warning',
  });

/** `import` finds ESM and `require` CommonJS by the nearest package.json, types too. */
async function types() {
  const { stdout } = await promisify(execFile)(process.execPath, [TSC, '-p', CLIENT, '--outDir', join(next, 'types')]);
  process.stdout.write(stdout);
}

try {
  await mkdir(next);
  await Promise.all([bundle('esm'), bundle('cjs'), types()]);
  for (const format of ['esm', 'cjs']) await cp(join(next, 'types'), join(next, format), { recursive: true });
  await rm(join(next, 'types'), { recursive: true });
  await writeFile(join(next, 'cjs/package.json'), '{ "type": "commonjs" }\n');
  await rm(join(CLIENT, 'dist'), { recursive: true, force: true });
  await rename(next, join(CLIENT, 'dist'));
} finally {
  await rm(next, { recursive: true, force: true });
}
