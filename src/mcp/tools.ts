import { executionHistory } from './execution-history.js';
import { getExecution } from './get-execution.js';
import { listRuntimes } from './list-runtimes.js';
import { runCode } from './run-code.js';
import { runTests } from './run-tests.js';
import type { Tool } from './tool.js';

export const TOOLS: readonly Tool[] = [runCode, runTests, getExecution, listRuntimes, executionHistory];
