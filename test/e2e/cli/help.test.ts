import { readdir } from 'node:fs/promises';

import { voidrunner } from '../../support/cli.js';

test('help names every command', async () => {
  const files = await readdir('src/cli');
  const commands = files.flatMap((file) => /^(.+)-command\.ts$/.exec(file)?.[1] ?? []);
  expect(commands).toContain('verify');

  const { code, stdout } = await voidrunner(process.env, ['--help']);
  expect(code).toBe(0);
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
});

test('an unknown command is refused, with the most similar one', async () => {
  const { code, stdout, stderr } = await voidrunner(process.env, ['verfy']);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toMatch(/unknown command 'verfy'\n\(Did you mean verify\?\)/);
});
