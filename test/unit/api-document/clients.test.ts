import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { makeApiDocument } from '../../support/api-document.js';

const run = promisify(execFile);
const CLIENTS = ['openapi-typescript', 'hey-api', 'orval-fetch', 'orval-zod'] as const;
const PROGRAMS = 'test/support/clients/programs';

/** The compiler settings of an independent user: strict, and libraries are checked as well. */
const TSCONFIG = {
  compilerOptions: {
    strict: true,
    skipLibCheck: false,
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    module: 'esnext',
    moduleResolution: 'bundler',
    types: [],
    noEmit: true,
  },
};

let folder: string;
let faults: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidrunner-clients-'));
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'openapi.json'), JSON.stringify(await makeApiDocument()));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  for (const client of CLIENTS) {
    await mkdir(join(folder, client));
    await cp(join(PROGRAMS, `${client}.ts`), join(folder, client, 'program.ts'));
  }
  const env = { ...process.env, NODE_OPTIONS: '' };
  await run(process.execPath, ['test/support/clients/generate.mjs', folder], { env });
  faults = await compile(folder, env);
});
afterAll(() => rm(folder, { recursive: true }));

/** @returns the compiler's errors */
async function compile(project: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const tsc = resolve('node_modules/typescript/bin/tsc');
  try {
    await run(process.execPath, [tsc, '--project', project, '--pretty', 'false'], { cwd: project, env });
    return [];
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    if (stdout === '') throw error;
    return stdout.split(/\n(?! )/).filter((line) => line !== '');
  }
}

test.each(CLIENTS)('the client of %s, and a program that uses it, compile in strict mode', (client) => {
  expect(faults.filter((fault) => fault.startsWith(`${client}/`))).toEqual([]);
});

test('no other compiler errors occur', () => {
  expect(faults.filter((fault) => !CLIENTS.some((client) => fault.startsWith(`${client}/`)))).toEqual([]);
});
