import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openCheckpoint } from '../../src/sealing/proofs/checkpoint.js';
import { type NoteVerifier, parseVerifier } from '../../src/sealing/proofs/signed-note.js';
import { isConsistent } from '../../src/sealing/proofs/verify-proofs.js';
import { ApiClient } from '../support/api-client.js';
import { voidrunner } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let client: ApiClient;
let folder: string;

const run = (...args: string[]) => voidrunner(service.env, args);

beforeAll(async () => {
  service = await startTestService();
  client = await ApiClient.register(() => service.url);
  folder = await mkdtemp(join(tmpdir(), 'kept-'));
}, 90_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
  await service.close();
});

async function get<T>(path: string): Promise<{ status: number; body: T }> {
  const response = await fetch(`${service.url}/api/v1/log/${path}`);
  return { status: response.status, body: (await response.json()) as T };
}

const verifiers = async (): Promise<NoteVerifier[]> =>
  (await get<{ keys: string[] }>('key')).body.keys.map((text) => parseVerifier(text));

interface Latest {
  readonly size: number;
  readonly root: string;
  readonly sealed_at: string;
  readonly checkpoint: string;
}

/** The newest checkpoint, once it covers everything recorded until now. */
const latest = async (): Promise<Latest> => {
  const { rows } = await service.database.appPool.query<{ position: bigint }>('select position from es.head');
  return eventually(async () => {
    const { body } = await get<Latest>('checkpoints/latest');
    expect(body.size).toBeGreaterThanOrEqual(Number(rows[0]!.position));
    return body;
  });
};

test('anyone can follow the log: each checkpoint is signed, and contains the one before', async () => {
  await client.createTask({ script_type: 'bash', script_content: 'true' });
  const first = await latest();
  await client.createTask({ script_type: 'bash', script_content: 'true' });
  const second = await latest();
  expect(second.size).toBeGreaterThan(first.size);
  const known = await verifiers();
  const heads = [first, second].map(({ checkpoint, ...shown }) => {
    const opened = openCheckpoint(checkpoint, known);
    if ('fault' in opened) throw new Error(opened.fault);
    const { size, root, sealedAt } = opened.checkpoint;
    expect(shown).toEqual({ size, root: root.toString('base64'), sealed_at: sealedAt });
    return { size, root };
  });
  const { body } = await get<{ proof: string[] }>(`consistency?from=${first.size}&to=${second.size}`);
  const proof = body.proof.map((node) => Buffer.from(node, 'base64'));
  expect(isConsistent(heads[0]!, heads[1]!, proof)).toBe(true);
});

test.each([
  ['consistency?from=2&to=1', 400, '`from` must not be greater than `to`'],
  ['consistency?from=0&to=1', 400, 'Validation failed'],
  ['consistency?to=x', 400, 'Validation failed'],
  ['consistency?from=999999999999999', 400, '`from` must not be greater than `to`'],
  ['consistency?from=1&to=999999999999999', 404, /^Only \d+ events are sealed$/],
])('there is no proof: %s', async (path, status, error) => {
  await latest();
  const answer = await get<{ error: string }>(path);
  expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(error) as string } });
});

test('the command line shows the state, the newest checkpoint and the keys', async () => {
  const { size, sealed_at, checkpoint } = await latest();
  expect(await run('seal', 'status')).toMatchObject({
    code: 0,
    stdout: `${size} of ${size} events are sealed, the last ones at ${sealed_at}\n`,
  });
  expect(await run('seal', 'checkpoint')).toMatchObject({ code: 0, stdout: checkpoint });
  const keys = (await verifiers()).map(({ text }) => `${text}\n`).join('');
  expect(await run('seal', 'keys')).toMatchObject({ code: 0, stdout: keys });
});

async function kept(text: string): Promise<string> {
  const path = join(folder, 'kept.txt');
  await writeFile(path, text);
  return path;
}

test('verify accepts a checkpoint that was kept, and checks only what is newer if it is told to', async () => {
  const path = await kept((await latest()).checkpoint);
  await client.createTask({ script_type: 'bash', script_content: 'true' });
  const { size, sealed_at } = await latest();
  const whole = await run('verify', '--checkpoint', path);
  expect(whole).toMatchObject({ code: 0, stderr: '' });
  expect(whole.stdout).toMatch(/^ok {5}events are those that were sealed \(\d+ events, \d+ checkpoints\)$/m);
  expect(whole.stdout).toContain(`sealed ${size} events at ${sealed_at}`);
  const since = await run('verify', '--since', path, '--json');
  expect(since).toMatchObject({ code: 0, stderr: '' });
  const { checkpoint, reports } = JSON.parse(since.stdout) as {
    checkpoint: unknown;
    reports: { check: string; examined: string }[];
  };
  expect(checkpoint).toEqual({ size, sealed_at });
  expect(reports.map(({ check }) => check)).toEqual([
    'positions are dense',
    'events are those that were sealed',
    'events can be read',
    'payloads match their hashes',
  ]);
  expect(reports[0]!.examined).toBe('1 positions');
});

test.each([
  ['a file that does not exist', () => join(folder, 'none.txt'), 2, /none\.txt cannot be read: ENOENT/],
  ['a file that is no checkpoint', () => kept('nothing'), 1, /kept\.txt is not a signed note/],
  [
    'a checkpoint that was changed',
    async () => kept((await latest()).checkpoint.replace('sealed', 'Sealed')),
    1,
    /has a wrong signature/,
  ],
])('verify refuses %s', async (_, path, code, message) => {
  const refused = await run('verify', '--checkpoint', await path());
  expect(refused).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) as string });
});

test('verify names an event that the owner of the database changed', async () => {
  const { size } = await latest();
  const change = (member: string) =>
    service.database.ownerPool.query(`
      alter table es.events disable trigger all;
      update es.events set metadata = ${member} where position = 2;
      alter table es.events enable always trigger append_only`);
  await change(`metadata || jsonb_build_object('actor', 'user:another', 'was', metadata ->> 'actor')`);
  const found = await run('verify');
  await change(`(metadata - 'was') || jsonb_build_object('actor', metadata ->> 'was')`);
  expect(found.code).toBe(1);
  expect(found.stdout).toContain(`FAULT  events are those that were sealed (${size} events`);
  expect(found.stdout).toContain('         position 2 was changed\n');
  expect(await run('verify')).toMatchObject({ code: 0 });
});

test('a restore is confirmed with the key, and refused while what is sealed was changed', async () => {
  const { size } = await latest();
  const confirmed = await run('seal', 'accept-restore');
  expect(confirmed).toMatchObject({ code: 0, stderr: '' });
  expect(confirmed.stdout).toMatch(new RegExp(`^confirmed at .*Z: the log was restored to ${size} sealed events\n$`));
  const verified = await run('verify');
  expect(verified.code).toBe(0);
  expect(verified.stdout).toContain(`restored to ${size} events at `);
});
