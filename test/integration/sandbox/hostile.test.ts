import type { ScriptType } from '../../../src/kernel/ports/sandbox.js';
import { TestSandbox, type TextOutcome } from '../../support/docker.js';
import type { HostileProgram } from '../../support/hostile/program.js';
import { HOSTILE_PROGRAMS } from '../../support/hostile/programs.js';

const HOSTILE_USER = 'a0000000-0000-4000-8000-000000000000';
const NEIGHBOUR_USER = 'b0000000-0000-4000-8000-000000000000';
const LIMITS = { memory_mb: 128, cpus: 1, pids: 64 };

/** It takes some of each thing that a hostile program wants all of. */
const NEIGHBOUR = `head -c 16M /dev/zero >/tmp/own || exit
for n in 1 2 3 4 5 6 7 8; do sleep 0 & done; wait || exit
echo fine; exit 3`;

/** The bound on harm: whatever runs beside it, it is done in this time, or the sandbox ends it as a timeout. */
const NEIGHBOUR_TIMEOUT_MS = 60_000;

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create();
});

// Everything that ran is gone, with the cells it ran in; docs/sandbox.md carries this table.
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
  const rows = HOSTILE_PROGRAMS.map(
    ({ wants, scripts, meets, expected }) =>
      `| ${wants} | ${Object.keys(scripts).join(', ')} | ${meets} | ${expected.reason} |`,
  );
  process.stdout.write(`| it wants | in | it meets | ends as |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`);
});

const runHostile = (language: ScriptType, program: HostileProgram): Promise<TextOutcome> => {
  const { scripts, timeoutMs = 60_000, limits } = program;
  return box.run(language, scripts[language]!, { userId: HOSTILE_USER, timeoutMs, limits: { ...LIMITS, ...limits } });
};

const runNeighbour = (): Promise<TextOutcome> =>
  box.run('bash', NEIGHBOUR, { userId: NEIGHBOUR_USER, timeoutMs: NEIGHBOUR_TIMEOUT_MS, limits: LIMITS });

const cases = HOSTILE_PROGRAMS.flatMap((program) =>
  Object.keys(program.scripts).map((language) => [language as ScriptType, program.wants, program] as const),
);

it.each(cases)('%s that wants %s meets its bounds, and a neighbour does not notice', async (language, _, program) => {
  const [outcome, beside] = await Promise.all([runHostile(language, program), runNeighbour()]);
  expect(outcome).toMatchObject(program.expected);
  expect(beside).toMatchObject({ reason: 'exit_code', returnCode: 3, out: 'fine\n', err: '' });
  // Whatever it did to its own cell, its user's next run is a good one.
  expect(await box.run('bash', 'echo on', { userId: HOSTILE_USER })).toMatchObject({ out: 'on\n', returnCode: 0 });
  expect(await box.sandbox.health()).toMatchObject({ healthy: true });
});

it('tells every exit code as it was', async () => {
  const codes = Array.from({ length: 256 }, (_, code) => code);
  const told: (number | null)[] = [];
  for (const code of codes) told.push((await box.run('bash', `exit ${code}`, { userId: HOSTILE_USER })).returnCode);
  expect(told).toEqual(codes);
});

it('leaves nothing to the next run of the same user: files, shared memory, processes', async () => {
  const leave = 'echo secret >/tmp/left; echo secret >/dev/shm/left; echo secret >left; (setsid sleep 600 &)';
  await box.run('bash', leave, { userId: HOSTILE_USER });
  const look = 'ls -A /tmp /dev/shm .; processes=(/proc/[0-9]*); echo ${#processes[@]}';
  const next = await box.run('bash', look, { userId: HOSTILE_USER });
  // bash alone: the init of its namespace is hidden (hidepid).
  expect(next.out).toBe('.:\nmain.sh\n\n/dev/shm:\n\n/tmp:\nwork\n1\n');
});
