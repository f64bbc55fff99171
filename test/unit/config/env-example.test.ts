import { readFile } from 'node:fs/promises';

import { settingsText } from '../../../src/cli/settings-command.js';

test('.env.example is what `voidrunner settings` prints', async () => {
  expect(await readFile('.env.example', 'utf8')).toBe(`${settingsText()}\n`);
});
