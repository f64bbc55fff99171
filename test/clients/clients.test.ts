import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { startTestService, type TestService } from '../support/service.js';

const CLIENTS = ['openapi-typescript', 'hey-api', 'orval-fetch', 'orval-zod', 'swagger-typescript-api'] as const;
type Client = (typeof CLIENTS)[number];

const HERE = 'test/clients';
const FOLDER = join(HERE, 'generated');
/** Bounds for what hangs. */
const STEP_TIMEOUT_MS = 120_000;

/** The compiler settings of an independent user: strict, and libraries are checked as well. */
const TSCONFIG = {
  compilerOptions: {
    strict: true,
    skipLibCheck: false,
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    module: 'nodenext',
    types: ['node'],
    rootDir: '.',
    outDir: 'compiled',
  },
};

let service: TestService;
/** What the generators that failed printed. */
const generatorFaults = new Map<Client, string>();
let compilerFaults: string[];

beforeAll(async () => {
  if (!existsSync(join(HERE, 'node_modules'))) throw new Error('Run infra/dev/setup client-generators first');
  service = await startTestService();
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER);
  const document = await fetch(`${service.url}/swagger.json`);
  await writeFile(join(FOLDER, 'openapi.json'), await document.text());
  await writeFile(join(FOLDER, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  await Promise.all(CLIENTS.map(generate));
  compilerFaults = await compile();
});
afterAll(() => service.close());

const node = (...args: string[]) =>
  promisify(execFile)(process.execPath, args, {
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: STEP_TIMEOUT_MS,
  });

async function generate(client: Client): Promise<void> {
  const folder = join(FOLDER, client);
  await mkdir(folder);
  await cp(join(HERE, 'programs', `${client}.ts`), join(folder, 'program.ts'));
  await cp(join(HERE, 'type-checks', `${client}.ts`), join(folder, 'type-check.ts'));
  try {
    await node(join(HERE, 'generate.mjs'), client);
  } catch (error) {
    const { message, stdout } = error as Error & { stdout?: string };
    generatorFaults.set(client, `${message}\n${stdout}`);
  }
}

/** @returns the compiler's errors */
async function compile(): Promise<string[]> {
  try {
    await node(join(HERE, 'node_modules/typescript/bin/tsc'), '--project', FOLDER, '--pretty', 'false');
    return [];
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    if (stdout === '') throw error;
    return stdout.split(/\n(?! )/).filter((line) => line !== '');
  }
}

describe.each(CLIENTS)('%s', (client) => {
  const isOfClient = (fault: string): boolean => fault.startsWith(`${FOLDER}/${client}/`);

  test('generates a client', () => {
    expect(generatorFaults.get(client)).toBeUndefined();
  });

  test('the client, and programs that use it, compile in strict mode', () => {
    expect(compilerFaults.filter(isOfClient)).toEqual([]);
  });

  test('a program registers, creates an API key, runs a script and reads its output', async () => {
    const { stdout } = await node(join(FOLDER, 'compiled', client, 'program.js'), service.url);
    expect(stdout).toBe(`Hello, Ada, from ${client}\n`);
  });
});

test('no other compiler errors occur', () => {
  const isOfSome = (fault: string): boolean => CLIENTS.some((client) => fault.startsWith(`${FOLDER}/${client}/`));
  expect(compilerFaults.filter((fault) => !isOfSome(fault))).toEqual([]);
});
