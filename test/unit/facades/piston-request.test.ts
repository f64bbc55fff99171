import { loadRuntimes } from '../../../src/runtimes/load-runtimes.js';
import { oneShotBody } from '../../../src/tasks/api/one-shot-schema.js';
import { OperatorRules } from '../../../src/tasks/api/operator-rules.js';
import { limitsIn, oneShotOf, programIn } from '../../../src/facades/piston/execute-request.js';
import { aliasesOf, languageOf, semverOf } from '../../../src/facades/piston/piston-runtimes.js';

const runtimes = loadRuntimes('runtimes');
const maxima = {
  ...{ timeout_seconds: 30, memory_mb: 512, cpus: 1, pids: 256 },
  ...{ cpu_time_seconds: 30, output_bytes: 1_024 },
};
const rules = new OperatorRules(maxima, runtimes);
const [python, c, java] = ['python', 'c', 'java'].map((name) => runtimes.named(name)!) as [any, any, any];
const body = (more: object = {}) => ({ language: 'python', version: '*', files: [{ content: '1' }], ...more });
const limits = (more: object, runtime = python) => limitsIn(body(more), runtime, rules);
const oneShot = (more: object = {}, runtime = python) => {
  const sent = body(more);
  return oneShotOf(programIn(sent), limitsIn(sent, runtime, rules), runtime);
};

test('limits are Piston’s defaults, or those sent', () => {
  expect(limits({})).toEqual({ run_timeout: 3_000, run_cpu_time: 3_000, run_memory_limit: 256 * 1024 ** 2 });
  const sent = { run_timeout: 1, run_cpu_time: 250, run_memory_limit: 100_000_000 };
  expect(limits(sent)).toEqual(sent);
  expect(limits({ run_timeout: 0, run_cpu_time: null, run_memory_limit: -1 })).toEqual(limits({}));
});

test.each([
  [{ run_timeout: 30_001 }, python, 'run_timeout cannot exceed the configured limit of 30000'],
  [{ run_cpu_time: 30_001 }, python, 'run_cpu_time cannot exceed the configured limit of 30000'],
  [{ compile_timeout: 60_001 }, c, 'compile_timeout cannot exceed the configured limit of 60000'],
  [{ compile_cpu_time: 60_001 }, c, 'compile_cpu_time cannot exceed the configured limit of 60000'],
  [{ compile_memory_limit: 1e10 }, c, 'compile_memory_limit cannot exceed the configured limit of 268435456'],
  [{ compile_timeout: -1 }, c, 'compile_timeout must be non-negative'],
  [{ run_memory_limit: -2 }, python, 'run_memory_limit must be non-negative'],
  [{ run_memory_limit: '1' }, python, 'If specified, run_memory_limit must be a number'],
])('%o is refused', (more, runtime, message) => {
  expect(() => limits(more, runtime)).toThrow(message);
});

test('a runtime without a compiler takes any limit of one', () => {
  expect(limits({ compile_timeout: 1e9, compile_memory_limit: 1e12, compile_cpu_time: 1e9 })).toEqual(limits({}));
});

test('a run is a one-shot whose limits are at least those of the runtime', () => {
  expect(oneShotBody.parse(oneShot())).toMatchObject({
    ...{ script_type: 'python', script_content: '1', timeout_seconds: 3, metadata: { facade: 'piston' } },
    limits: { memory_mb: 256, pids: 64, cpu_time_seconds: 3 },
    input: { stdin: '\n', args: [], files: [] },
  });
  expect(oneShot({ run_timeout: 1, run_cpu_time: 1 })).toMatchObject({
    timeout_seconds: 0.1,
    limits: { cpu_time_seconds: 0.1 },
  });
  expect(oneShot({ run_memory_limit: 1 }, java).limits.memory_mb).toBe(128);
  expect(oneShot({ files: [{ content: '' }] }).script_content).toBe('\n');
});

test('the first text is the script; paths are relative to its folder', () => {
  const files = [
    { name: 'a.bin', content: 'AA==', encoding: 'base64' },
    { content: 'main', encoding: 'latin1' },
    { content: '0aff', encoding: 'hex' },
    { name: '/abs/./b', content: 'b' },
    { name: null, content: '' },
  ];
  const { script_content, input } = oneShot({ files });
  expect(script_content).toBe('main');
  expect(input.files).toEqual([
    { path: 'a.bin', content: 'AA==', encoding: 'base64' },
    { path: 'file2.code', content: 'Cv8=', encoding: 'base64' },
    { path: 'abs/b', content: 'b', encoding: 'utf8' },
    { path: 'file4.code', content: '', encoding: 'utf8' },
  ]);
});

test.each([
  [{ stdin: 1 }, 'stdin must be a string'],
  [{ args: 'x' }, 'args must be an array of strings'],
  [{ args: [1] }, 'args must be an array of strings'],
  [{ files: [{ content: '1', name: 2 }] }, 'files[0].name must be a string'],
  [{ files: [null] }, 'files[0].content is required as a string'],
  [{ files: [{ name: '..', content: '' }] }, 'File path ".." tries to escape parent directory: ..'],
])('%o is refused', (more, message) => {
  expect(() => programIn(body(more))).toThrow(message);
});

test.each([
  ['Python 3.11.2', '3.11.2'],
  ['go version go1.22.1 linux/amd64', '1.22.1'],
  ['Lua 5.4', '5.4.0'],
  ['v24.21.0', '24.21.0'],
  ['14', '14.0.0'],
  ['none', '0.0.0'],
  [null, '0.0.0'],
])('the version of %o is %s', (text, version) => {
  expect(semverOf(text)).toBe(version);
});

test('a language has Piston’s name, and this service’s as an alias', () => {
  const names = runtimes.all.map((runtime) => [languageOf(runtime.name), aliasesOf(runtime)] as const);
  expect(names).toContainEqual(['c++', ['cpp', 'g++']]);
  expect(names).toContainEqual(['python', ['python3', 'py']]);
  const all = names.flatMap(([name, aliases]) => [name, ...aliases]);
  expect(new Set(all).size).toBe(all.length);
});
