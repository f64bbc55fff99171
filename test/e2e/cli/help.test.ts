import { readdir } from 'node:fs/promises';

import { voidrunner } from '../../support/cli.js';

const commandsIn = async (folder: string) =>
  (await readdir(folder)).flatMap((file) => /^(.+)-command\.ts$/.exec(file)?.[1] ?? []);

/** Commands with commands of their own; what is shown below the examples belongs to all of them. */
const PEOPLE = [...(await commandsIn('src/cli/people')), 'mcp'];

test('help names every command, those for people first', async () => {
  const operators = (await commandsIn('src/cli')).filter((command) => !PEOPLE.includes(command));
  expect(PEOPLE).toContain('run');
  expect(operators).toContain('verify');

  const { code, stdout } = await voidrunner(process.env, ['--help']);
  expect(code).toBe(0);
  const [, first, second] = /^Commands \(they use[^]*?\n([^]*?)^Commands for operators[^]*?\n([^]*?)^Commands:/m.exec(
    stdout,
  )!;
  for (const command of PEOPLE) expect(first).toMatch(new RegExp(`^  ${command} `, 'm'));
  for (const command of operators) expect(second).toMatch(new RegExp(`^  ${command} `, 'm'));
});

test('help needs no settings, and no file of this folder', async () => {
  const { code, stderr } = await voidrunner({ PATH: process.env.PATH, HOME: '/nonexistent' }, ['--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test.each(PEOPLE)('the help of %s has examples that the command line understands', async (command) => {
  const { code, stdout, stderr } = await voidrunner(process.env, [command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const examples = /^Examples:\n((?: {2}.*\n)+)/m.exec(stdout)?.[1]?.trimEnd().split('\n') ?? [];
  expect(examples).not.toEqual([]);
  for (const example of examples) {
    const words = example
      .slice(example.indexOf('voidrunner ') + 'voidrunner '.length)
      .split(/ [|>] |\)/)[0]!
      .split(' ');
    expect(words[0]).toBe(command);
    // With an option that does not exist, a command is parsed and not carried out: only that one is unknown.
    const end = words.includes('--') ? words.indexOf('--') : words.length;
    const parsed = await voidrunner(process.env, words.toSpliced(end, 0, '--no-such-option'));
    expect(parsed.stderr).toMatch(/^error: unknown option '--no-such-option'\n/);
  }
});

test('an unknown command is refused, with the most similar one', async () => {
  const { code, stdout, stderr } = await voidrunner(process.env, ['verfy']);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toMatch(/unknown command 'verfy'\n\(Did you mean verify\?\)/);
});

test('an unknown subcommand and an unknown option are refused, with the most similar ones', async () => {
  expect((await voidrunner(process.env, ['tasks', 'lst'])).stderr).toMatch(/Did you mean list\?/);
  expect((await voidrunner(process.env, ['run', 'x.py', '--timeot', '3'])).stderr).toMatch(/Did you mean --timeout\?/);
});
