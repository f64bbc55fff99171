import { createHash, randomBytes } from 'node:crypto';

import { job, TestSandbox } from '../../support/docker.js';

const MIB = 1024 ** 2;
const CONTENT = randomBytes(16 * MIB);
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const file = (path: string) => ({ path, content: CONTENT });
const limits = (memory_mb: number) => ({ memory_mb, cpus: 1, pids: 64 });

let box: TestSandbox;
beforeAll(async () => {
  box = await TestSandbox.create({ filesMax: { count: 4, bytes: 16 * MIB } });
});
afterAll(() => box.sandbox.close());
afterEach(() => box.expectNoContainers());

test.each([64, 256])('a file of 16 MiB arrives and comes back, with %i MiB of memory', async (memory) => {
  const input = { files: [file('data.bin')], outputs: ['copy.bin'] };
  const ran = await box.run('bash', 'sha256sum data.bin; mv data.bin copy.bin', { input, limits: limits(memory) });
  expect([ran.reason, ran.returnCode, ran.out]).toEqual(['exit_code', 0, `${SHA256}  data.bin\n`]);
  expect(ran.files.map(({ path, content }) => [path, CONTENT.equals(content)])).toEqual([['copy.bin', true]]);
});

test('standard input of 16 MiB arrives', async () => {
  const ran = await box.run('bash', 'sha256sum', { input: { stdin: CONTENT }, limits: limits(64) });
  expect([ran.reason, ran.out]).toEqual(['exit_code', `${SHA256}  -\n`]);
});

test.each([
  ['a file', { files: [file('data.bin')] }],
  ['standard input', { stdin: CONTENT }],
])('a limit of memory that is too small for %s ends the run as out of memory', async (_what, input) => {
  const ran = await box.run('bash', 'cat data.bin - >copy.bin', { input, limits: limits(16) });
  expect(ran).toMatchObject({ reason: 'out_of_memory', oomKills: expect.any(Number) as number });
  expect(ran.oomKills).toBeGreaterThan(0);
});

test('with 32 MiB, the file fits, and a copy of it does not', async () => {
  const run = (script: string) => box.run('bash', script, { input: { files: [file('data.bin')] }, limits: limits(32) });
  expect(await run('sha256sum data.bin')).toMatchObject({ reason: 'exit_code', out: `${SHA256}  data.bin\n` });
  expect(await run('cp data.bin copy.bin')).toMatchObject({ reason: 'out_of_memory' });
});

test('a run of several gets 16 MiB beside the 16 MiB that they have in common, and a checker even more', async () => {
  const { signal } = new AbortController();
  const run = { limits: limits(128), timeoutMs: 20_000 };
  const common = job('bash', 'cat *.bin - | wc -c', { input: { files: [file('common.bin')] } });
  const prepared = await box.sandbox.prepare(common, { signal });
  if (prepared.kind !== 'ready') throw new Error('it is not ready');
  for (const own of [
    { files: [file('own.bin')], stdin: CONTENT.subarray(0, MIB) },
    { files: [], stdin: CONTENT },
  ]) {
    const { reason, stdout } = await prepared.program.run({ ...own, ...run }, { signal });
    const bytes = [...own.files, { content: own.stdin }].reduce((sum, { content }) => sum + content.length, 0);
    expect([reason, Number(Buffer.from(stdout.content))]).toEqual(['exit_code', 16 * MIB + bytes]);
  }
  const checker = await box.sandbox.prepare(job('bash', 'cat a b c | wc -c'), { signal });
  if (checker.kind !== 'ready') throw new Error('it is not ready');
  const files = [file('a'), file('b'), { path: 'c', content: CONTENT.subarray(0, MIB) }];
  const { reason, stdout } = await checker.program.run({ files, ...run }, { signal });
  expect([reason, Number(Buffer.from(stdout.content))]).toEqual(['exit_code', 33 * MIB]);
  await expect(checker.program.run({ files: [...files, file('d')], ...run }, { signal })).rejects.toThrow(
    'bytes together',
  );
});
