import type { Execution, TestCase } from '@voidrunner/client';
import { z } from 'zod';

import { SHORT_OUTPUT_CHARS_MAX, TESTS_MAX } from './limits.js';
import { shortened } from './output-part.js';
import { programArguments, programOptions } from './program-arguments.js';
import { runToEnd } from './run-to-end.js';
import { defineTool } from './tool.js';

const testCase = z.strictObject({
  name: z.string().optional(),
  stdin: z.string().optional(),
  expected_stdout: z.string().optional(),
  expected_return_code: z.int().optional(),
});

const output = z.strictObject({
  execution_id: z.string(),
  status: z.string(),
  verdict: z.string().optional(),
  passed: z.int(),
  test_count: z.int(),
  tests: z.array(
    z.strictObject({
      name: z.string().optional(),
      verdict: z.string(),
      message: z.string().optional(),
      stdout: z.string().optional(),
      stderr: z.string().optional(),
    }),
  ),
  compiler: z.string().optional(),
});

export const runTests = defineTool({
  name: 'run_tests',
  description: 'Runs a program once per test and compares its output with what is expected.',
  input: z.strictObject({
    ...programArguments,
    tests: z.array(testCase).min(1).max(TESTS_MAX),
    compare: z
      .enum(['exact', 'trimmed', 'tokens', 'numbers', 'unordered_lines'])
      .describe('Default trimmed')
      .optional(),
  }),
  output,
  async call({ language, code, tests, compare, ...input }, context) {
    const { outputs: _, ...options } = programOptions(input);
    const judge = compare === undefined ? {} : { judge: { compare } };
    const start = () => context.vr.suites.start(language, code, tests.map(withoutUndefined), { ...options, ...judge });
    const structuredContent = judgementOf(await runToEnd(start, context));
    return { content: [{ type: 'text', text: textOf(structuredContent) }], structuredContent };
  },
});

type Judgement = z.infer<typeof output>;

const withoutUndefined = (test: z.infer<typeof testCase>) =>
  Object.fromEntries(Object.entries(test).filter(([, value]) => value !== undefined)) as TestCase;

function judgementOf(execution: Execution): Judgement {
  const { id, status, verdict, test_count, compile, termination_reason } = execution;
  const tests = (execution.tests ?? []).map(({ name, verdict: of, message, stdout, stderr }) => ({
    ...(name !== null && { name }),
    verdict: of,
    ...(message !== null && { message: short(message) }),
    // Of those that were accepted, nobody reads the output.
    ...(of !== 'accepted' && stdout && { stdout: short(stdout) }),
    ...(of !== 'accepted' && stderr && { stderr: short(stderr) }),
  }));
  return {
    execution_id: id,
    status,
    ...(verdict !== null && { verdict }),
    passed: tests.filter((test) => test.verdict === 'accepted').length,
    test_count,
    tests,
    ...(termination_reason === 'compile' && { compiler: short(compile?.stderr ?? '') }),
  };
}

const short = (text: string): string => shortened(text, SHORT_OUTPUT_CHARS_MAX);

function textOf({ execution_id, status, verdict, passed, test_count, tests, compiler }: Judgement): string {
  return [
    `${verdict ?? status}: ${passed} of ${test_count} tests passed (execution ${execution_id})`,
    ...tests.flatMap(({ name, verdict: of, message, stdout, stderr }, index) => [
      `${index + 1}. ${name === undefined ? '' : `${name}: `}${of}${message === undefined ? '' : ` – ${message}`}`,
      ...(stdout === undefined ? [] : [`   stdout: ${stdout}`]),
      ...(stderr === undefined ? [] : [`   stderr: ${stderr}`]),
    ]),
    ...(compiler === undefined ? [] : [`compiler:\n${compiler}`]),
  ].join('\n');
}
