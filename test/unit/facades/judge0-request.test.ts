import * as fc from 'fast-check';

import { lineOf, wordsOf } from '../../../src/facades/judge0/command-line.js';
import { configInfo } from '../../../src/facades/judge0/config-info.js';
import { fieldErrorsOf, judge0Dialect } from '../../../src/facades/judge0/judge0-dialect.js';
import { idsOf, languagesOf } from '../../../src/facades/judge0/languages.js';
import { fieldsIn } from '../../../src/facades/judge0/submission-fields.js';
import { metaOf, pageIn } from '../../../src/facades/judge0/submission-pages.js';
import { oneShotOf, submissionIn } from '../../../src/facades/judge0/submission-request.js';
import { pistonDialect } from '../../../src/facades/piston/piston-dialect.js';
import { HttpProblem } from '../../../src/http/problem.js';
import { loadRuntimes } from '../../../src/runtimes/load-runtimes.js';
import { oneShotBody } from '../../../src/tasks/api/one-shot-schema.js';
import { OperatorRules } from '../../../src/tasks/api/operator-rules.js';

const runtimes = loadRuntimes('runtimes');
const maxima = {
  ...{ timeout_seconds: 30, memory_mb: 512, cpus: 1, pids: 256 },
  ...{ cpu_time_seconds: 6, output_bytes: 65_536 },
};
const config = configInfo(new OperatorRules(maxima, runtimes));
const languages = languagesOf(runtimes.all);
const submission = (body: unknown, isBase64 = false) => submissionIn(body, { languages, config, isBase64 });
const oneShot = (more: object = {}) =>
  oneShotBody.parse(oneShotOf(submission({ source_code: '1', language_id: 71, ...more }), [], config));

function errorsOf(body: unknown): unknown {
  try {
    submission(body);
  } catch (error) {
    return judge0Dialect.errorOf(error as HttpProblem).body;
  }
  throw new Error('accepted');
}

test('a submission is a one-shot with Judge0’s defaults, within the operator’s maxima', () => {
  expect(oneShot()).toMatchObject({
    ...{ script_type: 'python', script_content: '1', timeout_seconds: 10 },
    limits: { memory_mb: 256, pids: 64, cpu_time_seconds: 6, output_bytes: 65_536 },
    metadata: { facade: 'judge0', language_id: 71, cpu_time_limit: 5, memory_limit: 262_144 },
  });
  expect(oneShot()).not.toHaveProperty('tests');
  expect(oneShot()).not.toHaveProperty('input');
});

test('values are taken as texts, too, and raised to the least of the runtime', () => {
  const java = oneShot({
    ...{ language_id: '62', memory_limit: '2048', max_processes_and_or_threads: '1', max_file_size: 0 },
    ...{ cpu_time_limit: '0.05', cpu_extra_time: 0, wall_time_limit: 1 },
  });
  expect(java).toMatchObject({
    ...{ script_type: 'java', timeout_seconds: 1 },
    limits: { memory_mb: 128, pids: 32, cpu_time_seconds: 0.1, output_bytes: 1_024 },
  });
  expect(oneShot({ cpu_time_limit: 0 }).limits.cpu_time_seconds).toBeNull();
});

test('texts in base64 are decoded as Ruby decodes them', () => {
  const sent = { source_code: 'cHJp\nbnQo MSk=\n', stdin: '/w==\n', expected_output: 'MQ==', language_id: 71 };
  const accepted = submission(sent, true);
  expect(accepted).toMatchObject({ source: 'print(1)', stdin: { stdin_base64: '/w==' }, expected: '1' });
});

test.each([
  [undefined, { language_id: ["can't be blank"], source_code: ["can't be blank"] }],
  [{ source_code: ' \n', language_id: 71 }, { source_code: ["can't be blank"] }],
  [{ source_code: {}, language_id: 71 }, { source_code: ["can't be blank"] }],
  [{ source_code: '1', language_id: 'x' }, { language_id: ["language with id 0 doesn't exist"] }],
  [{ source_code: '1', language_id: 70 }, { language_id: ["language with id 70 doesn't exist"] }],
  [
    { source_code: '1', language_id: 71, command_line_arguments: 'x'.repeat(513) },
    { command_line_arguments: ['is too long (maximum is 512 characters)'] },
  ],
  [
    { source_code: '1', language_id: 50, compiler_options: 'x'.repeat(513) },
    {
      compiler_options: ['is too long (maximum is 512 characters)', 'setting compiler options is not allowed'],
    },
  ],
  [{ source_code: '1', language_id: 71, stack_limit: true }, { stack_limit: ['is not a number'] }],
])('%o is refused', (body, errors) => {
  expect(errorsOf(body)).toEqual(errors);
});

test('what is off, or blank, is not refused', () => {
  const off = { enable_network: false, redirect_stderr_to_stdout: 'false', callback_url: '', compiler_options: null };
  expect(submission({ source_code: '1', language_id: 71, ...off }).source).toBe('1');
});

test('every runtime has an id; those that Judge0 does not know have one of their own', () => {
  expect(new Set([...languages.values()].map(({ runtime }) => runtime.name))).toEqual(new Set(runtimes.names));
  expect(idsOf('python')[0]).toBe(71);
  expect(idsOf('python-data')).toEqual([idsOf('python-data')[0]]);
  expect(idsOf('python-data')[0]).toBeGreaterThanOrEqual(1_000);
  expect(() => languagesOf([runtimes.named('c')!, runtimes.named('c')!])).toThrow('have the same language id');
});

test.each([
  ['', []],
  ['  a  b ', ['a', 'b']],
  [`'a b' "c 'd'" e\\ f`, ['a b', "c 'd'", 'e f']],
  [`"a\\"b\\n" ''`, ['a"b\\n', '']],
  ['$(rm) `x` a;b|c<d>e&f', ['(rm)', 'x', 'abcdef']],
  [`'open`, ['open']],
])('the words of %o', (line, words) => {
  expect(wordsOf(line)).toEqual(words);
});

test('a command line of words has these words', () => {
  const word = fc.string().filter((text) => !/[$&;<>|`]/.test(text));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      expect(wordsOf(lineOf(words)!)).toEqual(words);
    }),
  );
  expect(lineOf([])).toBeNull();
});

test('fields, pages and their faults', () => {
  expect(fieldsIn(undefined)).toContain('stdout');
  expect(fieldsIn('status, status,time')).toEqual(['status', 'time']);
  expect(fieldsIn('*')).toContain('source_code');
  expect(() => fieldsIn('a,status,b')).toThrow('invalid fields: [a, b]');
  expect(pageIn({})).toMatchObject({ limit: 20, offset: 0 });
  expect(pageIn({ page: '3', per_page: '7' })).toMatchObject({ limit: 7, offset: 14 });
  for (const query of [{ page: 'x' }, { page: '0' }, { per_page: '101' }, { per_page: '0' }, { page: '100000' }]) {
    expect(() => pageIn(query)).toThrow(/^invalid (page|per_page): \d+$/);
  }
  expect(metaOf(pageIn({}), 0)).toEqual({
    ...{ current_page: 1, next_page: null, prev_page: null },
    ...{ total_pages: 0, total_count: 0 },
  });
});

test('this service’s refusals have the names and shapes of each service', () => {
  const validationErrors = [
    { field: 'input.files.2.path', value: '', tag: 'x', message: 'must be short' },
    { field: 'script_content', value: '', tag: 'x', message: 'must be text' },
  ];
  const invalid = new HttpProblem(400, 'validation_failed', 'Validation failed', { validationErrors });
  expect(pistonDialect.errorOf(invalid)).toEqual({
    status: 400,
    body: { message: 'files[3].name must be short; files[0].content must be text' },
  });
  expect(judge0Dialect.errorOf(invalid)).toEqual({
    status: 422,
    body: { additional_files: ['must be short'], source_code: ['must be text'] },
  });
  const full = new HttpProblem(503, 'unavailable', 'Service temporarily unavailable');
  expect(judge0Dialect.errorOf(full)).toEqual({ status: 503, body: { error: 'Service temporarily unavailable' } });
  expect(fieldErrorsOf([{ field: '', value: '', tag: 'x', message: 'is required' }])).toEqual({
    base: ['is required'],
  });
});
