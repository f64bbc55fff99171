import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FOLDERS = 'src|packages|test|bench|infra|migrations|docs|seccomp|bin';
const PATH_IN_CODE = new RegExp(String.raw`\`((?:${FOLDERS})/[A-Za-z0-9_./-]+)\``, 'g');
const LINK = /\]\((?!https?:)([^)#\s]+)(?:#[^)\s]*)?\)/g;

const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];
const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1]!);

test.each(documents)('%s names files that exist', (document) => {
  const missing = matches(readFileSync(document, 'utf8'), PATH_IN_CODE).filter((path) => !existsSync(path));
  expect(missing).toEqual([]);
});

test.each(documents)('%s links to files that exist', (document) => {
  const targets = matches(readFileSync(document, 'utf8'), LINK);
  expect(targets.filter((target) => !existsSync(join(dirname(document), target)))).toEqual([]);
});

test('the worked example leads from the controller to the response', () => {
  const [, example = ''] = readFileSync('docs/architecture.md', 'utf8').split('### The path of a POST /executions');
  const files = matches(example.split('\n## ')[0]!, PATH_IN_CODE);
  for (const part of [
    'src/tasks/api/',
    'src/tasks/commands/',
    'src/event-sourcing/',
    'src/queue/',
    'src/worker/',
    'src/sandbox/',
  ]) {
    expect(files.some((file) => file.startsWith(part))).toBe(true);
  }
});
