import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build } from 'esbuild';
import { publint } from 'publint';

const run = promisify(execFile);
const CLIENT = 'packages/client';
const require = createRequire(import.meta.url);
const env = { ...process.env, NODE_OPTIONS: '' };

/** A folder of a user who has installed what `npm pack` made. */
let folder: string;
let tarball: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidrunner-client-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: CLIENT, env });
  // What the build prints comes first.
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [{ filename: string }];
  tarball = join(folder, filename.replace('@', '').replace('/', '-'));
  const installed = join(folder, 'node_modules/@voidrunner/client');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers']) {
    await symlink(resolve('node_modules', name), join(folder, 'node_modules', name));
  }
});
afterAll(() => rm(folder, { recursive: true }));

const installed = () => join(folder, 'node_modules/@voidrunner/client');

test('the package has the build, its types, and no source or test', async () => {
  const files = (await readdir(installed(), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(installed().length + 1));
  const types = files.filter((path) => path.endsWith('.d.ts'));
  expect(files.filter((path) => !types.includes(path)).sort()).toEqual([
    ...['LICENSE', 'README.md', 'dist/cjs/index.js', 'dist/cjs/package.json', 'dist/esm/index.js', 'package.json'],
  ]);
  expect(types).toContain('dist/esm/generated/api.d.ts');
  expect(types.filter((path) => !/^dist\/(esm|cjs)\//.test(path))).toEqual([]);
  expect(await readFile(join(installed(), 'LICENSE'), 'utf8')).toBe(await readFile('LICENSE', 'utf8'));
});

test('publint finds no fault', async () => {
  const { messages } = await publint({ pkgDir: installed(), strict: true, pack: false });
  expect(messages).toEqual([]);
});

test('the types are right for every way to import it', async () => {
  const result = await checkPackage(createPackageFromTarballData(await readFile(tarball)));
  expect(result).toMatchObject({ types: { kind: 'included' }, problems: [] });
});

test('in a browser it takes at most 12 KB, and nothing of Node', async () => {
  const stdin = { contents: `export { VoidRunner } from '@voidrunner/client'`, resolveDir: folder };
  const options = { stdin, bundle: true, minify: true, format: 'esm', platform: 'browser', write: false } as const;
  const { outputFiles, metafile } = await build({ ...options, metafile: true });
  expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThanOrEqual(12 * 1024);
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.map(({ path }) => path));
  expect(imports.filter((path) => path.startsWith('node:'))).toEqual([]);
});

const PROGRAM = `
const vr = new VoidRunner({ baseUrl: 'http://127.0.0.1:1', apiKey: 'vr_a', maxRetries: 0 });
vr.run('python', 'print(42)').then(
  () => process.exit(1),
  (error) => console.log(error instanceof ConnectionError, error.name),
);`;

test.each([
  ['import', 'program.mjs', `import { ConnectionError, VoidRunner } from '@voidrunner/client';`],
  ['require', 'program.cjs', `const { ConnectionError, VoidRunner } = require('@voidrunner/client');`],
])('it runs after an %s', async (_, file, head) => {
  await writeFile(join(folder, file), head + PROGRAM);
  expect((await run(process.execPath, [file], { cwd: folder, env })).stdout).toBe('true ConnectionError\n');
});

/** TypeScript 5 is that of a development dependency: the package manager links one `tsc` only. */
const COMPILERS = {
  5: createRequire(require.resolve('@arethetypeswrong/core/package.json')).resolve('typescript/package.json'),
  6: require.resolve('typescript/package.json'),
} as const;

describe.each(['5', '6'] as const)('with TypeScript %s', (version) => {
  test('the compiler has this version', async () => {
    const { version: actual } = JSON.parse(await readFile(COMPILERS[version], 'utf8')) as { version: string };
    expect(actual.split('.')[0]).toBe(version);
  });

  test.each([true, false])('programs compile, as ESM and as CommonJS, with skipLibCheck %s', async (skipLibCheck) => {
    const project = await mkdtemp(join(folder, 'project-'));
    for (const file of ['esm.mts', 'commonjs.cts']) {
      await cp('test/support/clients/consumer.ts.txt', join(project, file));
    }
    const compilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck, noEmit: true, types: [] },
      ...{ target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], module: 'nodenext' },
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const tsc = join(dirname(COMPILERS[version]), 'bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', project], { env }).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  });
});
