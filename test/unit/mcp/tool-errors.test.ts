import { ConnectionError, InvalidResponseError } from '@voidrunner/client';
import { z } from 'zod';

import { apiErrorOf } from '../../../packages/client/src/api-error.js';
import { RunInterrupted } from '../../../src/mcp/run-to-end.js';
import { argumentsRefused, failureOf } from '../../../src/mcp/tool-errors.js';

const problem = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}) => {
  const body = { type: `urn:voidrunner:problem:${code}`, status, detail: 'What is wrong', ...more };
  return apiErrorOf(new Response('', { status, headers }), body);
};
const field = (name: string, message: string) => ({ field: name, value: '', tag: '', message });
const invalid = (...fields: object[]) => problem(400, 'validation_failed', { validation_errors: fields });
const text = (error: unknown, languages?: readonly string[]) => failureOf(error, languages)?.text;

test('an unknown language comes with the names of the known ones', () => {
  const error = invalid(field('script_type', 'must be one of …'));
  expect(text(error, ['bash', 'python'])).toBe('The language is not known. Use one of: bash, python.');
  expect(text(error)).toBe('The language is not known. Names are in list_runtimes.');
});

test('fields have the names of the arguments', () => {
  const fields = [
    ...[field('input.files.0.path', 'a'), field('script_content', 'b'), field('timeout_seconds', 'c')],
    ...[field('judge.compare', 'd'), field('tests.2.stdin', 'e')],
  ];
  expect(text(invalid(...fields))).toBe(
    'What is wrong. files[0].path: a; code: b; timeout: c; compare: d; tests[2].stdin: e. Correct the arguments.',
  );
  expect(text(invalid())).toBe('What is wrong (validation_failed). Correct the arguments.');
});

test('many faults are counted', () => {
  const fields = Array.from({ length: 12 }, (_, index) => field(`tests.${index}.stdin`, 'x'));
  expect(text(invalid(...fields))).toMatch(/tests\[9\]\.stdin: x; and 2 more\. Correct/);
});

test('a missing scope is named', () => {
  const error = problem(403, 'missing_scope', { details: { scope: 'executions:write' } });
  expect(text(error)).toMatch(/^The API key lacks the scope executions:write\./);
  expect(text(problem(403, 'access_denied'))).toBe('What is wrong (access_denied). Repeating the call does not help.');
});

test('a rate limit says when to repeat', () => {
  const limited = problem(429, 'rate_limit_exceeded', {}, { 'retry-after': '7' });
  expect(text(limited)).toBe('What is wrong (rate_limit_exceeded). Repeat the call in 7 s.');
  expect(text(problem(429, 'quota'))).toBe('What is wrong (quota). Repeat the call later.');
});

test.each([
  ['503', problem(503, 'unavailable')],
  ['no connection', new ConnectionError('refused')],
  ['a proxy’s page', new InvalidResponseError('no JSON')],
])('an outage may be repeated: %s', (_name, error) => {
  expect(failureOf(error)).toEqual({ code: 'unavailable', text: expect.stringContaining('may be repeated') });
});

test('after the start, an outage names the execution, which must not be started again', () => {
  const failure = failureOf(new RunInterrupted('id-1', new ConnectionError('reset')));
  expect(failure?.text).toMatch(/Execution id-1 was started and goes on: get_execution reads its result\. Do not/);
  expect(failureOf(new RunInterrupted('id-1', new RangeError('bug')))).toBeNull();
});

test('other refusals have the service’s words', () => {
  expect(text(problem(401, 'invalid_token'))).toMatch(/refuses the API key/);
  expect(text(problem(404, 'execution_not_found'))).toBe('What is wrong (execution_not_found). Check the id.');
  expect(text(problem(410, 'output_erased'))).toBe('The service refuses this: What is wrong (output_erased).');
});

test('a bug is none of these', () => {
  expect(failureOf(new TypeError('x'))).toBeNull();
});

test('wrong arguments name each field and its rule', () => {
  const schema = z.strictObject({ code: z.string(), tests: z.array(z.strictObject({ stdin: z.string() })) });
  const { error } = schema.safeParse({ tests: [{ stdin: 1 }], more: 1 });
  expect(argumentsRefused('run_tests', error!).message).toBe(
    'Wrong arguments of run_tests. code: Invalid input: expected string, received undefined; ' +
      'tests[0].stdin: Invalid input: expected string, received number; arguments: Unrecognized key: "more". Correct them.',
  );
});
