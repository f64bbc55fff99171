import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { type Ended, PersonAtShell } from '../../support/person-at-shell.js';
import { startTestService, type TestService } from '../../support/service.js';

let service: TestService;
let ada: PersonAtShell;
beforeAll(async () => {
  service = await startTestService();
  ada = await PersonAtShell.create(service.url);
});
afterAll(async () => {
  await ada.leave();
  await service.close();
});

const ESCAPE = '\u001b';
const NOBODY = '00000000-0000-7000-8000-000000000000';

/** In a terminal of this width: script(1) makes a pseudo-terminal. */
const inTerminal = (command: string, columns = 80, env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  ada.shell(`script -qec 'stty cols ${columns}; ${command}' /dev/null`, [], env);
const linesOf = ({ stdout }: Ended) => stdout.trimEnd().split(/\r?\n/);

test('tasks: create, show, list, run, delete', async () => {
  await ada.file('greet.py', 'import sys\nprint("hello", sys.argv[1])');
  const created = await ada.run([
    'tasks',
    'create',
    'greet.py',
    '--name',
    'greet',
    '--timeout',
    '7',
    '--memory',
    '128',
  ]);
  expect(created).toMatchObject({ code: 0, stderr: '' });
  const id = created.stdout.trim();
  const shown = JSON.parse((await ada.run(['tasks', 'show', id, '--json'])).stdout) as object;
  expect(shown).toMatchObject({
    id,
    name: 'greet',
    script_type: 'python',
    timeout_seconds: 7,
    limits: { memory_mb: 128 },
  });
  expect((await ada.run(['tasks', 'show', id])).stdout).toMatch(/^name +greet$/m);
  expect(await ada.run(['tasks', 'run', id, '--', '--you'])).toMatchObject({ code: 0, stdout: 'hello --you\n' });
  expect((await ada.run(['tasks', 'list', '--json'])).stdout).toContain(id);
  expect(await ada.run(['tasks', 'delete', id])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(await ada.run(['tasks', 'show', id])).toMatchObject({ code: 1, stdout: '' });
});

test('a suite: its verdict, and exit code 1 if a test fails', async () => {
  await ada.file('sum.py', 'print(sum(map(int, input().split())))');
  const tests = (expected: string) => JSON.stringify([{ name: 'first', stdin: '1 2', expected_stdout: expected }]);
  for (const [expected, code, verdict] of [
    ['3', 0, 'accepted'],
    ['4', 1, 'wrong_answer'],
  ] as const) {
    await ada.file('tests.json', tests(expected));
    const { stdout: id } = await ada.run(['tasks', 'create', 'sum.py', '--tests', 'tests.json']);
    const { code: ended, stdout } = await ada.run(['tasks', 'run', id.trim()]);
    expect({ ended, lines: stdout.split('\n').slice(0, 1) }).toEqual({ ended: code, lines: [`first: ${verdict}`] });
  }
  await ada.file('tests.json', '{}');
  expect(await ada.run(['tasks', 'create', 'sum.py', '--tests', 'tests.json'])).toMatchObject({ code: 2 });
});

test('executions: list, show, logs, events, files, rerun, cancel', async () => {
  await ada.file('out.sh', 'echo out; echo err >&2; echo kept > kept.txt; exit 3');
  const { stdout } = await ada.run(['run', 'out.sh', '--output', '*.txt', '--detach']);
  const id = stdout.trim();
  expect(await ada.run(['executions', 'logs', id, '--follow'])).toMatchObject({
    code: 0,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  await ada.account.follow(id);
  expect(await ada.run(['executions', 'logs', id])).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'err\n' });
  expect((await ada.run(['executions', 'show', id])).stdout).toMatch(/^exit code +3$/m);
  expect((await ada.run(['executions', 'list', '--status', 'failed', '--json'])).stdout).toContain(id);
  expect((await ada.run(['executions', 'events', id])).stdout).toMatch(/1 .*ExecutionRequested/);
  expect((await ada.run(['executions', 'files', id])).stdout).toMatch(/5 .*kept\.txt/);
  expect(await ada.run(['executions', 'files', id, '--out', 'kept'])).toMatchObject({ code: 0, stdout: '' });
  expect(await readFile(join(ada.home, 'kept/kept.txt'), 'utf8')).toBe('kept\n');
  expect(await ada.run(['executions', 'rerun', id])).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'err\n' });
  expect(await ada.run(['executions', 'cancel', id])).toMatchObject({ code: 2, stdout: '' });
  for (const args of ['show', 'logs', 'cancel', 'files', 'events']) {
    expect(await ada.run(['executions', args, NOBODY])).toMatchObject({ code: 1, stdout: '' });
  }
});

test('a list has --limit rows or all of them, as a table or as JSON', async () => {
  const bob = await PersonAtShell.create(service.url);
  for (let index = 0; index < 4; index += 1) {
    await bob.account.createTask({ name: `task ${index}`, script_type: 'bash', script_content: 'true' });
  }
  const names = async (...args: string[]) =>
    (await bob.run(['tasks', 'list', '--json', ...args])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { name: string }).name);
  expect(await names('--limit', '2')).toEqual(['task 3', 'task 2']);
  expect(await names('--all')).toEqual(['task 3', 'task 2', 'task 1', 'task 0']);
  expect(linesOf(await bob.run(['tasks', 'list', '--limit', '3']))).toHaveLength(4);
  await bob.leave();
});

test('a pipe gets whole names, ISO times and no colours; a terminal rows of its width', async () => {
  const name = `${'a long name '.repeat(15)}漢字 ${ESCAPE}[31mred`.slice(0, 200);
  await ada.account.createTask({ name, script_type: 'bash', script_content: 'true' });
  const piped = await ada.run(['tasks', 'list', '--limit', '1']);
  expect(piped.stdout).not.toContain(ESCAPE);
  expect(piped.stdout).toContain('a long name '.repeat(15));
  expect(piped.stdout).toMatch(/\d{4}-\d\d-\d\dT[\d:.]+Z/);

  const shown = await inTerminal('voidrunner tasks list --limit 1', 100);
  expect(shown.stdout).toContain(ESCAPE);
  expect(shown.stdout).not.toContain(`${ESCAPE}[31mred`);
  expect(shown.stdout).toMatch(/ago/);
  for (const line of linesOf(shown)) expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(100);

  const plain = await inTerminal('voidrunner tasks list --limit 1', 100, { NO_COLOR: '1' });
  expect(plain.stdout).not.toContain(ESCAPE);
  const forced = await ada.run(['tasks', 'list', '--limit', '1'], '', { FORCE_COLOR: '1' });
  expect(forced.stdout).toContain(ESCAPE);
});

test('a program in a terminal: its answers to what is typed, and its end', async () => {
  await writeFile(join(ada.home, 'ask.py'), 'print("name?", flush=True)\nprint("hi", input())');
  const command = ada.startShell(`script -qec 'voidrunner run ask.py' /dev/null`);
  await command.shows('name?');
  command.write('Ada\n');
  await command.shows('hi Ada');
  command.endInput();
  expect((await command.ended).stdout).toMatch(/name\?[^]*hi Ada/);
});

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish'])('there is a script for %s', async (shell) => {
    const { code, stdout } = await ada.run(['completion', shell]);
    expect(code).toBe(0);
    expect(stdout).toContain('voidrunner __complete');
  });

  test.each([
    ['voidrunner ru', ['run', 'runtimes']],
    ['voidrunner executions re', ['rerun']],
    ['voidrunner run --de', ['--detach']],
    ['voidrunner run --language py', ['python', 'python3', 'py', 'python-data', 'pydata']],
    ['voidrunner tasks list --status c', ['completed', 'cancelled']],
    ['voidrunner completion z', ['zsh']],
    ['voidrunner verify --no-such', []],
  ])('bash completes %s', async (line, candidates) => {
    const { stdout, stderr } = await ada.shell(
      `voidrunner completion bash > c.sh; bash -n c.sh; . ./c.sh
       COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _voidrunner; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
    expect({ stderr, candidates: stdout.trim().split('\n').filter(Boolean).sort() }).toEqual({
      stderr: '',
      candidates: [...candidates].sort(),
    });
  });

  test('ids come from the server', async () => {
    const { id } = await ada.account.createTask({ script_type: 'bash', script_content: 'true' });
    expect((await ada.run(['__complete', '--', 'tasks', 'show', ''])).stdout).toContain(id);
  });

  test('without a server there are none, and no error', async () => {
    const VOIDRUNNER_URL = 'http://127.0.0.1:1';
    const { code, stdout, stderr } = await ada.run(['__complete', '--', 'tasks', 'show', ''], '', { VOIDRUNNER_URL });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});
