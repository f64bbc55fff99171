import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'infra/dev';
const entries = readdirSync(FOLDER, { withFileTypes: true })
  .filter((each) => each.isFile())
  .map((each) => each.name);
const text = (entry: string): string => readFileSync(join(FOLDER, entry), 'utf8');
const firstWords = (lines: Iterable<RegExpMatchArray>): Set<string> =>
  new Set([...lines].flatMap(([, names]) => names!.split(' | ')));
const documented = (entry: string): Set<string> => firstWords(text(entry).matchAll(/^ {2}#: ([a-z0-9-]+)/gm));

test.each(entries)(
  'infra/dev/%s lists its subcommands if it is called without one, or with an unknown one',
  (entry) => {
    for (const args of [[], ['no-such-subcommand']]) {
      const { status, stdout, stderr } = spawnSync(join(FOLDER, entry), args, { encoding: 'utf8' });
      expect([status, stdout]).toEqual([2, '']);
      for (const name of documented(entry)) expect(stderr).toMatch(new RegExp(`^ {2}${name} .*\\S`, 'm'));
    }
  },
);

test.each(entries)('infra/dev/%s documents each of its subcommands', (entry) => {
  const branches = firstWords(text(entry).matchAll(/^ {2}([a-z0-9-]+(?: \| [a-z0-9-]+)*)\)/gm));
  expect(documented(entry)).toEqual(branches);
});

test('the Makefile calls subcommands that exist', () => {
  const calls = [...readFileSync('Makefile', 'utf8').matchAll(/\$\(dev\)\/(\S+) (\S+)/g)];
  expect(new Set(calls.map(([, entry]) => entry))).toEqual(new Set(entries));
  for (const [, entry, name] of calls) expect(documented(entry!)).toContain(name);
});
