import { z } from 'zod';

import { executionOutput, executionResult } from './execution-result.js';
import { outputsArgument, programArguments, programOptions } from './program-arguments.js';
import { runToEnd } from './run-to-end.js';
import { defineTool } from './tool.js';

export const runCode = defineTool({
  name: 'run_code',
  description: 'Runs a program once in a sandbox without network. Image files that it saves are shown.',
  input: z.strictObject({ ...programArguments, stdin: z.string().optional(), outputs: outputsArgument }),
  output: z.strictObject(executionOutput),
  async call({ language, code, ...input }, context) {
    const result = await runToEnd(() => context.vr.start(language, code, programOptions(input)), context);
    return executionResult(result, context, input.outputs?.length ?? 0);
  },
});
