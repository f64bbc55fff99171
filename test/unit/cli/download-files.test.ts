import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { placeOf } from '../../../src/cli/people/run/download-files.js';

let folder: string;
let root: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidrunner-download-'));
  root = join(folder, 'out');
  await mkdir(root);
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  ['a.txt', []],
  ['a/b/c.txt', ['a', 'a/b']],
  ['...', []],
  ['..a/b..', ['..a']],
  [' /x', [' ']],
  ['~/x', ['~']],
  ['$HOME/x', ['$HOME']],
  ['C:/x', ['C:']],
  ['-rf', []],
])('%o is written where it says', async (path, folders) => {
  expect(await placeOf(root, path)).toBe(join(root, path));
  expect(await readdir(root, { recursive: true })).toEqual(folders);
});

test.each([
  '',
  '.',
  '..',
  '/',
  '/etc/passwd',
  '//x',
  'a//b',
  'a/',
  './x',
  'a/./b',
  '../x',
  'a/../x',
  'a/..',
  'a/../../x',
  '..\\x',
  'a\\..\\..\\x',
  'a\0',
  'a\0/../x',
])('%o leads out of the folder', async (path) => {
  await expect(placeOf(root, path)).rejects.toThrow('leads out of the folder: not written');
  expect(await readdir(folder, { recursive: true })).toEqual(['out']);
});

test.each([
  ['a link to a folder outside', async () => symlink(folder, join(root, 'way'))],
  ['a link to a folder inside', async () => symlink(root, join(root, 'way'))],
  ['a link that leads nowhere', async () => symlink('absent', join(root, 'way'))],
  ['a file', async () => writeFile(join(root, 'way'), '')],
])('%s is no folder', async (_what, make) => {
  await make();
  await expect(placeOf(root, 'way/x')).rejects.toThrow('is no folder, or a link');
  expect(await readdir(root)).toEqual(['way']);
});

test('the names of a refused path are shown without control characters', async () => {
  const error = await placeOf(root, '../\u001b[2J').catch((thrown: unknown) => thrown);
  expect((error as Error).message).not.toContain('\u001b');
});
