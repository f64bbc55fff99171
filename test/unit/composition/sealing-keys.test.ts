import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sealingKeysOf, sealingVerifiersOf } from '../../../src/composition/sealing-keys.js';
import { loadConfig } from '../../../src/config/load-config.js';

const [ONE, OTHER] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string];
const namesOf = async (env: NodeJS.ProcessEnv) => {
  const { signers, verifiers } = await sealingKeysOf(loadConfig({ SEALER_LOG_NAME: 'log', ...env }));
  return { signers: signers.map(({ verifier }) => verifier.text), verifiers: verifiers.map(({ text }) => text) };
};

let folder: string;
let known: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keys-'));
  ({ signers: known } = await namesOf({ SEALER_KEY: `${ONE},${OTHER}` }));
});

afterAll(() => rm(folder, { recursive: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, 'key');
  await writeFile(path, text);
  return path;
}

test.each([
  ['the environment', () => ({ SEALER_KEY: `${ONE},${OTHER}` })],
  ['a file', async () => ({ SEALER_KEY_FILE: await file(`${ONE}\n${OTHER}\n`) })],
  ['a command', () => ({ SEALER_KEY_COMMAND: `printf '%s\\n' ${ONE} ${OTHER}` })],
])('the key and its successor are read from %s', async (_, env) => {
  expect((await namesOf(await env())).signers).toEqual(known);
});

test('replaced keys verify, and sign nothing', async () => {
  const found = await namesOf({ SEALER_KEY: OTHER, SEALER_PUBLIC_KEYS: `${known[0]},${known[1]}` });
  expect(found).toEqual({ signers: [known[1]], verifiers: [known[1], known[0]] });
});

test('a process without the private key has the public ones', async () => {
  const config = { ...loadConfig({ SEALER_PUBLIC_KEYS: known[0] }), SEALER_KEY: [] };
  expect((await sealingVerifiersOf(config)).map(({ text }) => text)).toEqual([known[0]]);
});

const NOT_A_KEY = 'the sealer’s key must be 32 bytes in base64, or two such keys, comma-separated';

test.each([
  ['an empty file', async () => ({ SEALER_KEY_FILE: await file('') }), NOT_A_KEY],
  ['a short key', async () => ({ SEALER_KEY_FILE: await file('c2hvcnQ=') }), NOT_A_KEY],
  ['three keys', async () => ({ SEALER_KEY_FILE: await file(`${ONE},${OTHER},${ONE}`) }), NOT_A_KEY],
  ['a missing file', () => ({ SEALER_KEY_FILE: join(folder, 'none') }), 'ENOENT'],
  [
    'a command that fails',
    () => ({ SEALER_KEY_COMMAND: 'echo top-secret; exit 3' }),
    'SEALER_KEY_COMMAND failed: exit code 3',
  ],
])('no key is read from %s, and none is shown', async (_, env, message) => {
  await expect(namesOf(await env())).rejects.toThrow(message);
});

test('the error of a command shows neither the command nor its output', async () => {
  const failure = await namesOf({ SEALER_KEY_COMMAND: 'echo top-secret; exit 3' }).catch((error: Error) => error);
  expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('top-secret');
});
