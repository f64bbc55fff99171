/**
 * Makes dist of src: the service with all that it imports, packages too, in one file, and the command line (ADR 36).
 * Run by `npm run build`; `infra/dev/app build` runs that if the sources are newer.
 */
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { transformFile } from '@swc/core';
import { build } from 'esbuild';

/** The decorators' metadata, which esbuild does not write, are swc's (.swcrc). */
const swc = {
  name: 'swc',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/(?:src|migrations)\/.*\.ts$/ }, async ({ path }) => {
      const { code } = await transformFile(path, { sourceMaps: 'inline' });
      return { contents: code, loader: 'js' };
    }),
};

/**
 * A map without lines: the service would read those of packages at each start, for 0.3 s and 100 MB. (esbuild has no
 * option for it, and takes a map without any segment for none.)
 */
const EMPTY_MAP = `\n//# sourceMappingURL=data:application/json;base64,${btoa(
  JSON.stringify({ version: 3, sources: [''], mappings: 'AAAA' }),
)}`;

const withoutPackages = {
  name: 'source map without packages',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')) + EMPTY_MAP,
      loader: 'default',
    })),
};

/** OpenTelemetry patches packages as they are loaded: those must be loaded, not contained; and its own API once. */
const PATCHED = ['pg', 'ioredis', 'pino', '@opentelemetry/api'];
/** Compiled for the machine. */
const NATIVE = ['@node-rs/argon2', 'ssh2'];
/** Nest asks for these only where they are used, and they are not. */
const NOT_INSTALLED = [
  ...['@nestjs/microservices', '@nestjs/microservices/*', '@nestjs/platform-express', '@nestjs/websockets/*'],
  ...['@fastify/multipart', '@fastify/static', '@fastify/view', 'class-transformer', 'class-validator'],
];

/** CommonJS packages expect these three. */
const COMMONJS = `
import { createRequire as createRequireForBundle } from 'node:module';
const require = createRequireForBundle(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/** The file that was preloaded, not a copy of it: main stops what it started. */
const preloaded = {
  name: 'preloaded',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/composition\/telemetry\.js$/ }, () => ({ path: './telemetry.js', external: true })),
};

const shared = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  keepNames: true,
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  // The same build with and without tsconfig.json, which the image's build does not have: swc reads .swcrc.
  tsconfigRaw: {},
  // Its sources: no build has to come before this one.
  alias: { '@voidrunner/client': './packages/client/src/index.ts' },
  logLevel: 'warning',
};
const made = await Promise.all([
  build({
    ...shared,
    entryPoints: { main: 'src/main.ts', telemetry: 'src/composition/telemetry.ts' },
    banner: { js: COMMONJS },
    external: [...PATCHED, ...NATIVE, ...NOT_INSTALLED],
    plugins: [swc, withoutPackages, preloaded],
  }),
  // Each command loads what it needs, and no more.
  build({
    ...shared,
    entryPoints: { cli: 'src/cli/main.ts' },
    splitting: true,
    chunkNames: 'cli-[hash]',
    packages: 'external',
    plugins: [swc],
  }),
]);

/** Read at run time, from beside the file that reads them: here beside the bundle. */
const READ_BESIDE = {
  scripts: 'src/queue/scripts',
  'sliding-window.lua': 'src/http/rate-limit/sliding-window.lua',
  sql: 'migrations/sql',
};
for (const [name, source] of Object.entries(READ_BESIDE)) {
  await rm(join(shared.outdir, name), { recursive: true, force: true });
  await cp(source, join(shared.outdir, name), { recursive: true });
}

/** Parts of the builds before have other names. */
const outputs = made.flatMap(({ metafile }) => Object.keys(metafile.outputs)).map((path) => basename(path));
const names = new Set([...outputs, ...Object.keys(READ_BESIDE)]);
const left = (await readdir(shared.outdir)).filter((name) => !name.startsWith('.') && !names.has(name));
await Promise.all(left.map((name) => rm(join(shared.outdir, name), { recursive: true })));
