import { randomUUID } from 'node:crypto';

import { Unavailable } from '../../../src/kernel/errors.js';
import { CompiledPrograms } from '../../../src/sandbox/compiled-programs.js';
import { runtimeOf } from '../../support/declared-runtimes.js';
import { type JobParts, TestSandbox } from '../../support/docker.js';

const LIMITS = { memory_mb: 256, cpus: 1, pids: 64 };
const userId = randomUUID();

/** Kept in memory; an outage on request. */
class HeldPrograms extends CompiledPrograms {
  readonly held = new Map<string, Uint8Array>();
  isDown = false;

  override async find(ownerId: string, key: Buffer): Promise<Uint8Array | null> {
    if (this.isDown) throw new Unavailable('postgres', 'down');
    return this.held.get(`${ownerId} ${key.toString('hex')}`) ?? null;
  }

  override async keep(ownerId: string, key: Buffer, program: Uint8Array): Promise<void> {
    if (this.isDown) throw new Unavailable('postgres', 'down');
    this.held.set(`${ownerId} ${key.toString('hex')}`, program);
  }
}

let box: TestSandbox;
let programs: HeldPrograms;
beforeAll(async () => {
  programs = new HeldPrograms();
  box = await TestSandbox.create({ programs });
});
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
});
beforeEach(() => {
  programs.held.clear();
  programs.isDown = false;
});

const SHOW = `package main
import ("fmt"; "io"; "os")
func main() {
  for _, folder := range []string{".", "/tmp"} {
    entries, _ := os.ReadDir(folder)
    for _, entry := range entries { info, _ := entry.Info(); fmt.Println(folder, entry.Name(), info.Mode()) }
  }
  input, _ := io.ReadAll(os.Stdin)
  fmt.Println(os.Args[1:], string(input), os.Getenv("SEED"))
  os.Exit(3)
}`;

const go = async (parts: JobParts = {}, script = SHOW) => {
  const before = box.sandbox.figures;
  const outcome = await box.run('go', script, { userId, limits: LIMITS, ...parts });
  const { programsFound, programsMissed } = box.sandbox.figures;
  return {
    ...outcome,
    cache: { found: programsFound - before.programsFound, missed: programsMissed - before.programsMissed },
  };
};
const FOUND = { found: 1, missed: 0 };
const MISSED = { found: 0, missed: 1 };

it('a program that was compiled before behaves the same', async () => {
  const input = { args: ['a', 'b'], stdin: Buffer.from('in') };
  const first = await go({ input });
  const second = await go({ input });
  expect(first).toMatchObject({ returnCode: 3, err: '', cache: MISSED });
  expect(first.out).toContain('[a b] in');
  expect(second).toMatchObject({ returnCode: 3, err: '', out: first.out, cache: FOUND });
  expect(Math.abs(second.memoryPeakBytes! - first.memoryPeakBytes!)).toBeLessThan(2 << 20);
});

it('arguments, input and limits of the program do not matter', async () => {
  await go();
  const limits = { ...LIMITS, memory_mb: 300 };
  const other = await go({ limits, input: { args: ['c'], stdin: Buffer.from('more') } });
  expect(other).toMatchObject({ returnCode: 3, cache: FOUND });
  expect(other.out).toContain('[c] more');
});

it.each<[what: string, parts: JobParts, script: string]>([
  ['another user', { userId: randomUUID() }, SHOW],
  ['another script', {}, `${SHOW}\n`],
  ['another file', { input: { files: [{ path: 'x.go', content: Buffer.from('package main') }] } }, SHOW],
  ['another variable', { input: { env: { SEED: '1' } } }, SHOW],
])('%s is compiled', async (_what, parts, script) => {
  await go();
  expect(await go(parts, script)).toMatchObject({ returnCode: 3, cache: MISSED });
  expect(programs.held.size).toBe(2);
});

it('what the compiler printed is shown each time', async () => {
  const runtime = runtimeOf('go');
  const command = ['sh', '-c', 'echo warning >&2; printf "#!/bin/sh" >"$1"; chmod +x "$1"', 'sh', '{program}'];
  const warns = { runtime: { ...runtime, compile: { ...runtime.compile!, command } } };
  const [first, second] = [await go(warns), await go(warns)];
  expect(first).toMatchObject({ fromCompiler: 'warning\n', err: '', cache: MISSED });
  expect(second).toMatchObject({ fromCompiler: 'warning\n', err: '', compile: first.compile!, cache: FOUND });
});

it('bytes that nobody can read are compiled again', async () => {
  await go();
  for (const key of programs.held.keys()) programs.held.set(key, Buffer.from('old format'));
  expect(await go()).toMatchObject({ returnCode: 3, cache: MISSED });
  expect(await go()).toMatchObject({ returnCode: 3, cache: FOUND });
});

it('what does not compile is not kept', async () => {
  for (let time = 0; time < 2; time++)
    expect(await go({}, 'package main\nfunc main() { no() }')).toMatchObject({ reason: 'compile', cache: MISSED });
  expect(programs.held.size).toBe(0);
});

it('without the cache, every run compiles', async () => {
  programs.isDown = true;
  for (let time = 0; time < 2; time++) expect(await go()).toMatchObject({ returnCode: 3, cache: MISSED });
});

it('a cell of one run has the same cache', async () => {
  const single = await TestSandbox.create({ programs, isolation: 'single' });
  const run = () => single.run('go', SHOW, { userId, limits: LIMITS });
  const first = await run();
  expect(programs.held.size).toBe(1);
  expect(await run()).toMatchObject({ returnCode: 3, out: first.out });
  expect(single.sandbox.figures).toMatchObject({ programsFound: 1, programsMissed: 1 });
  await single.sandbox.close();
});

it('languages that are not compiled ask for nothing', async () => {
  const before = box.sandbox.figures;
  expect(await box.run('bash', 'echo 1')).toMatchObject({ out: '1\n' });
  expect(box.sandbox.figures).toMatchObject({
    programsFound: before.programsFound,
    programsMissed: before.programsMissed,
  });
});
