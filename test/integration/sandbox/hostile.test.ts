import { TestSandbox, type TextOutcome } from '../../support/docker.js';
import { HOSTILE_PROGRAMS, type HostileProgram } from '../../support/hostile-programs.js';

const HOSTILE_USER = 'a0000000-0000-4000-8000-000000000000';
const NEIGHBOUR = 'b0000000-0000-4000-8000-000000000000';
const LIMITS = { memory_mb: 128, cpus: 1, pids: 64 };

let box: TestSandbox;
const report: string[] = [];

beforeAll(async () => {
  box = await TestSandbox.create();
});

// Everything that ran is gone, with the cells it ran in; docs/sandbox.md carries this table.
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
  process.stdout.write(`| it wants | in | it meets | ended as |\n| --- | --- | --- | --- |\n${report.join('\n')}\n`);
});

const run = ({ language, script, timeoutMs = 60_000, limits }: HostileProgram): Promise<TextOutcome> =>
  box.run(language, script, { userId: HOSTILE_USER, timeoutMs, limits: { ...LIMITS, ...limits } });

const neighbour = (): Promise<TextOutcome> => box.run('bash', 'echo fine; exit 3', { userId: NEIGHBOUR });

it.each(HOSTILE_PROGRAMS.map((program) => [program.language, program.wants, program] as const))(
  '%s that wants %s meets its bounds, and a neighbour does not notice',
  async (language, wants, program) => {
    const [outcome, beside] = await Promise.all([run(program), neighbour()]);
    report.push(`| ${wants} | ${language} | ${program.meets} | ${outcome.reason} |`);

    expect(outcome).toMatchObject(program.expected);
    expect(beside).toMatchObject({ reason: 'exit_code', returnCode: 3, out: 'fine\n' });
    // Whatever it did to its own cell, its user's next run is a good one.
    expect(await box.run('bash', 'echo on', { userId: HOSTILE_USER })).toMatchObject({ out: 'on\n', returnCode: 0 });
    expect(await box.sandbox.health()).toMatchObject({ healthy: true });
  },
);

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
