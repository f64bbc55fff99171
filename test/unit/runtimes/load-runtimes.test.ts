import { InvalidRuntimes, loadRuntimes } from '../../../src/runtimes/load-runtimes.js';
import { RuntimeFiles } from '../../support/runtime-files.js';

let files: RuntimeFiles;
beforeEach(async () => {
  files = await RuntimeFiles.copy();
});
afterEach(() => files.remove());

function faults(): readonly string[] {
  try {
    loadRuntimes(files.folder);
  } catch (error) {
    if (error instanceof InvalidRuntimes) return error.faults;
    throw error;
  }
  throw new Error('nothing was refused');
}

const MINIMAL = `
name: awk
language: AWK
image: example.org/awk:1
version_command: [awk, --version]
file_name: main.awk
run: [awk, -f, main.awk]
limits: { memory_mb_min: 16, pids_min: 16, tmp_mb: 64 }
smoke: { script: 'BEGIN { print "works" }', stdout: "works\\n" }
`;

test('the shipped runtimes, by name and alias', () => {
  const runtimes = loadRuntimes(files.folder);
  expect(runtimes.names).toEqual(
    expect.arrayContaining(['bash', 'c', 'cpp', 'go', 'javascript', 'python', 'typescript']),
  );
  expect(runtimes.names).toEqual(runtimes.names.toSorted());
  expect(runtimes.find('c++')).toBe(runtimes.find('cpp'));
  for (const name of ['Python', 'toString', '', 'cobol']) expect(runtimes.find(name)).toBeUndefined();
});

test('a file needs only what has no default', async () => {
  await files.write('awk', MINIMAL);
  expect(loadRuntimes(files.folder).find('awk')).toMatchObject({
    ...{ aliases: [], environment: {}, line_ends: 'any', keep_ready: false },
    run: ['awk', '-f', 'main.awk'],
  });
});

test.each<[fault: string, change: (file: string) => string, message: string]>([
  ['a missing field', (file) => file.replace(/^run: .*\n/m, ''), 'awk.yaml: run: '],
  ['an unknown field', (file) => `${file}color: red\n`, 'awk.yaml: Unrecognized key: "color"'],
  [
    'another name than the file’s',
    (file) => file.replace('name: awk', 'name: gawk'),
    'awk.yaml: name: must be that of the file, awk',
  ],
  [
    'a name that no request can have',
    (file) => file.replace('name: awk', 'name: Awk!'),
    'awk.yaml: name: must be a lower-case letter',
  ],
  [
    'a placeholder that does not exist',
    (file) => file.replace('-f,', "'{memory}',"),
    'awk.yaml: run.1: has an unknown placeholder; there are {program}, {memory_mb}, {cpus}',
  ],
  [
    'a script outside the working folder',
    (file) => file.replace('file_name: main.awk', 'file_name: ../main.awk'),
    'awk.yaml: file_name: must be a name without a folder',
  ],
  ['a number where a text belongs', (file) => `${file}environment: { A: 1 }\n`, 'awk.yaml: environment.A: '],
  [
    'too little memory',
    (file) => file.replace('memory_mb_min: 16', 'memory_mb_min: 8'),
    'awk.yaml: limits.memory_mb_min: ',
  ],
  [
    'an unknown interpreter',
    (file) => `${file}preload: { interpreter: perl, memory_mb: 1, memory_mb_min: 16 }\n`,
    'awk.yaml: preload.interpreter: ',
  ],
  [
    'a module name that is code',
    (file) => `${file}preload: { interpreter: python, imports: ['os; x'], memory_mb: 1, memory_mb_min: 16 }\n`,
    'awk.yaml: preload.imports.0: must be the name of a Python module',
  ],
  ['no YAML', () => 'name: [', 'awk.yaml: '],
  ['an empty file', () => '', 'awk.yaml: Invalid input'],
  [
    'the name of another runtime as alias',
    (file) => `${file}aliases: [bash]\n`,
    'bash is a name or alias more than once: of awk, bash',
  ],
  [
    'the alias of another runtime',
    (file) => `${file}aliases: [py]\n`,
    'py is a name or alias more than once: of awk, python',
  ],
  ['an alias twice', (file) => `${file}aliases: [gawk, gawk]\n`, 'gawk is a name or alias more than once: of awk, awk'],
])('%s is a fault with the file and the field', async (_, change, message) => {
  await files.write('awk', change(MINIMAL));
  expect(faults()).toEqual([expect.stringContaining(message)]);
});

test('the faults of all files are reported at once', async () => {
  await files.change('go', (file) => file.replace('language: Go', 'language: 1'));
  await files.change('bash', (file) =>
    file.replace('tmp_mb: 64', 'tmp_mb: 1').replace('line_ends: unix', 'line_ends: mac'),
  );
  expect(faults().map((fault) => fault.split(': ', 2).join(': '))).toEqual([
    'bash.yaml: limits.tmp_mb',
    'bash.yaml: line_ends',
    'go.yaml: language',
  ]);
});

test('a folder that is missing or has no file is a fault', async () => {
  expect(() => loadRuntimes('/nowhere')).toThrow(/\/nowhere cannot be read: ENOENT/);
  for (const { name } of loadRuntimes(files.folder).all) await files.delete(name);
  expect(faults()).toEqual([`${files.folder} has no file of a runtime (*.yaml)`]);
});
