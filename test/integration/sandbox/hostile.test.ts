import { readFileSync } from 'node:fs';

import type { ScriptType } from '../../support/declared-runtimes.js';
import { TestSandbox, type TextOutcome } from '../../support/docker.js';
import { type HostileProgram, withEnoughTime } from '../../support/hostile/program.js';
import { HOSTILE_PROGRAMS } from '../../support/hostile/programs.js';
import { REPORT } from '../../support/hostile/report.js';
import { runsHere } from '../../support/preload.js';
import { RUNTIMES } from '../../support/runtimes.js';

const HOSTILE_USER = 'a0000000-0000-4000-8000-000000000000';
const NEIGHBOUR_USER = 'b0000000-0000-4000-8000-000000000000';
const LIMITS = { memory_mb: 128, cpus: 1, pids: 64 };
/** It uses some of each resource that hostile programs exhaust. */
const NEIGHBOUR = `head -c 16M /dev/zero >/tmp/own || exit
for n in 1 2 3 4 5 6 7 8; do sleep 0 & done; wait || exit
echo fine; exit 3`;

/** The limit of harm: beside any program it finishes in this time, or the sandbox ends it as a timeout. */
const NEIGHBOUR_TIMEOUT_MS = 60_000;

/** In the same language, so that it gets the same cell again, if that still exists. */
const NEXT: Readonly<Record<ScriptType, string>> = {
  python: 'print("on")',
  javascript: 'console.log("on")',
  typescript: 'console.log("on")',
  bash: 'echo on',
  go: 'package main\nimport "os"\nfunc main() { os.Stdout.WriteString("on\\n") }',
};

type Case = readonly [language: ScriptType, wants: string, program: HostileProgram];
const CASES = HOSTILE_PROGRAMS.flatMap((program) =>
  Object.keys(program.scripts).map((language): Case => [language as ScriptType, program.wants, program]),
).filter(([language]) => runsHere(language));

/** All programs on the first runtime. On others, one or more of each kind: all of them would take minutes. */
const casesOn = (runtime: string): readonly Case[] =>
  runtime === RUNTIMES[0] ? CASES : CASES.filter(([language, , { everywhere }]) => language === everywhere);

describe.each(RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;

  beforeAll(async () => {
    box = await TestSandbox.create({ runtime });
  });

  // Everything that ran is gone, with its cells.
  afterAll(async () => {
    await box.expectNoContainers();
    await box.sandbox.close();
  });

  const runNeighbour = (): Promise<TextOutcome> =>
    box.run('bash', NEIGHBOUR, { userId: NEIGHBOUR_USER, timeoutMs: NEIGHBOUR_TIMEOUT_MS, limits: LIMITS });

  async function meetsItsBounds(language: ScriptType, program: HostileProgram): Promise<void> {
    const { scripts, expected } = program;
    const parts = { userId: HOSTILE_USER, limits: { ...LIMITS, ...program.limits } };
    const outcome = await withEnoughTime(program, async (timeoutMs) => {
      const hostile = box.run(language, scripts[language]!, { ...parts, timeoutMs });
      const [ran, beside] = await Promise.all([hostile, runNeighbour()]);
      expect(beside).toMatchObject({ reason: 'exit_code', returnCode: 3, out: 'fine\n', err: '' });
      return ran;
    });
    expect(outcome).toMatchObject(expected);
    // Whatever it did to its own cell, its user's next run is normal.
    expect(await box.run(language, NEXT[language], parts)).toMatchObject({ out: 'on\n', returnCode: 0 });
    expect(await box.sandbox.health()).toMatchObject({ healthy: true });
  }

  it.each(casesOn(runtime))('%s: %s meets its limit, and a neighbour is not affected', (language, _, program) =>
    meetsItsBounds(language, program),
  );

  it('a run leaves no files, shared memory or processes to the next run of the same user', async () => {
    const leave = 'echo secret >/tmp/left; echo secret >/dev/shm/left; echo secret >left; (setsid sleep 600 &)';
    await box.run('bash', leave, { userId: HOSTILE_USER });
    const look = 'ls -A /tmp /dev/shm .; processes=(/proc/[0-9]*); echo ${#processes[@]}';
    const next = await box.run('bash', look, { userId: HOSTILE_USER });
    // Only bash: the init of its namespace is hidden (hidepid).
    expect(next.out).toBe('.:\nmain.sh\n\n/dev/shm:\n\n/tmp:\nwork\n1\n');
  });
});

it('every exit code is reported unchanged', async () => {
  const box = await TestSandbox.create();
  const users = [HOSTILE_USER, NEIGHBOUR_USER];
  const told: (number | null)[] = [];
  const tell = async (userId: string, first: number) => {
    for (let code = first; code < 256; code += users.length)
      told[code] = (await box.run('bash', `exit ${code}`, { userId })).returnCode;
  };
  await Promise.all(users.map(tell));
  expect(told).toEqual(Array.from({ length: 256 }, (_, code) => code));
  await box.sandbox.close();
  await box.expectNoContainers();
});

it('docs/sandbox.md lists these programs', () => {
  const table = REPORT.map((row) => `| ${row.join(' | ')} |`);
  process.stdout.write(`${table.join('\n')}\n`);
  const docs = readFileSync('docs/sandbox.md', 'utf8').replaceAll(/ +/g, ' ').split('\n');
  expect(docs.filter((line) => table.includes(line))).toEqual(table);
});
