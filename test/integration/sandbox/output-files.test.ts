import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { SandboxOutcome } from '../../../src/sandbox/sandbox.js';
import { job, TestSandbox } from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';
import { FILES_REPORT, HOSTILE_FILES, type HostileFiles, scriptOf } from '../../support/hostile/files.js';
import { RUNTIMES } from '../../support/runtimes.js';
import { withoutCall } from '../../support/seccomp.js';

const FILES_MAX = { count: 8, bytes: 64 * 1024 };

const textsOf = ({ files }: SandboxOutcome) =>
  files.map(({ path, content }) => [path, Buffer.from(content).toString('utf8')]);

async function keepsWhatItShould(box: TestSandbox, program: HostileFiles): Promise<void> {
  const { outputs, memoryMb: memory_mb = 128, expected } = program;
  const limits = { memory_mb, cpus: 1, pids: 64 };
  const outcome = await box.run('python', scriptOf(program), { input: { outputs }, limits });
  const { files, skippedFiles, notes } = outcome;
  if (typeof expected.files === 'number') expect(files).toHaveLength(expected.files);
  else expect(textsOf(outcome)).toEqual(expected.files);
  expect(skippedFiles).toEqual(expected.skipped);
  expect(notes).toEqual(expected.notes);
}

describe.each(RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;

  beforeAll(async () => {
    box = await TestSandbox.create({ runtime, filesMax: FILES_MAX });
  });
  afterAll(async () => {
    await box.expectNoContainers();
    await box.sandbox.close();
  });

  it.each(HOSTILE_FILES.map((program) => [program.leaves, program] as const))('a program leaves %s', (_, program) =>
    keepsWhatItShould(box, program),
  );

  it.each([
    ['python', 'open("out.txt", "w").write("made")'],
    ['javascript', 'require("node:fs").writeFileSync("out.txt", "made")'],
    ['bash', 'printf made >out.txt'],
    ['go', 'package main\nimport "os"\nfunc main() { os.WriteFile("out.txt", []byte("made"), 0o644) }'],
  ])('keeps the files of %s', async (language, script) => {
    const outcome = await box.run(language, script, { input: { outputs: ['*.txt'] } });
    expect(outcome).toMatchObject({ returnCode: 0, skippedFiles: [], notes: [] });
    expect(textsOf(outcome)).toEqual([['out.txt', 'made']]);
  });

  it.each([
    ['exits with a code', 'printf made >out; exit 3', { returnCode: 3, reason: 'exit_code' }],
    ['is killed', 'printf made >out; kill -9 $$', { signal: 'SIGKILL', reason: 'signal' }],
    ['reaches its timeout', 'printf made >out; sleep 60', { reason: 'timeout' }],
    ['reaches its timeout with many processes', 'printf made >out; while :; do sleep 60 & done', { reason: 'timeout' }],
  ])('keeps the files of a program that %s', async (_, script, end) => {
    const outcome = await box.run('bash', script, { input: { outputs: ['out'] }, timeoutMs: 4_000 });
    expect(outcome).toMatchObject(end);
    expect(textsOf(outcome)).toEqual([['out', 'made']]);
  });

  it('does not let a program end itself, or block its end, by the signal that the launcher sends', async () => {
    const script = 'printf made >out; kill -TERM 1; echo on; trap "" TERM; while :; do kill -TERM 1; done';
    const outcome = await box.run('bash', script, { input: { outputs: ['out'] }, timeoutMs: 4_000 });
    expect(outcome).toMatchObject({ reason: 'timeout', out: 'on\n' });
  });

  it('collects from the folder in which the program began, wherever it has moved that', async () => {
    const script = 'printf made >out; cd ..; mv work moved; ln -s /etc work';
    expect(textsOf(await box.run('bash', script, { input: { outputs: ['*'] } }))).toEqual([['out', 'made']]);
  });

  it('a cell of the same user keeps nothing of them', async () => {
    const userId = randomUUID();
    const input = { outputs: ['**'] };
    await box.run('bash', 'printf made >out', { userId, input });
    const next = await box.run('bash', 'true', { userId, input });
    expect(textsOf(next)).toEqual([]);
  });
});

it('keeps nothing of a cancelled run', async () => {
  const box = await TestSandbox.create();
  const stop = new AbortController();
  let printed = '';
  const script = 'printf made >out; echo up; sleep 60';
  const run = box.sandbox.run(job('bash', script, { input: { outputs: ['out'] } }), {
    signal: stop.signal,
    onOutput: (_, chunk) => (printed += Buffer.from(chunk).toString('utf8')),
  });
  await eventually(() => expect(printed).toBe('up\n'));
  stop.abort();
  expect(await run).toMatchObject({ reason: 'cancelled', files: [], skippedFiles: [] });
  await box.sandbox.close();
});

it('sends sixteen MiB whole', async () => {
  const box = await TestSandbox.create();
  const script = `import os
for n in range(16): open(f"f{n:02}", "wb").write(bytes([n]) * (1 << 20))`;
  const { files, notes } = await box.run('python', script, { input: { outputs: ['f*'] } });
  expect(notes).toEqual([]);
  expect(files.map(({ path, content }) => [path, content.length, content[0], content.at(-1)])).toEqual(
    Array.from({ length: 16 }, (_, n) => [`f${String(n).padStart(2, '0')}`, 1 << 20, n, n]),
  );
  await box.sandbox.close();
});

describe('on a host that refuses namespaces', () => {
  let box: TestSandbox;

  beforeAll(async () => {
    box = await TestSandbox.create({ filesMax: FILES_MAX, seccompProfile: withoutCall('mount') });
  });
  afterAll(() => box.sandbox.close());

  it.each(HOSTILE_FILES.map((program) => [program.leaves, program] as const))('a program leaves %s', (_, program) =>
    keepsWhatItShould(box, program),
  );
});

it('docs/sandbox.md lists these files', () => {
  const table = FILES_REPORT.map((row) => `| ${row.join(' | ')} |`);
  const docs = readFileSync('docs/sandbox.md', 'utf8').replaceAll(/ +/g, ' ').split('\n');
  expect(docs.filter((line) => table.includes(line))).toEqual(table);
});
