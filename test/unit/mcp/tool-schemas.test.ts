import { countTokens } from 'gpt-tokenizer';

import { describeTool } from '../../../src/mcp/tool.js';
import { TOOLS } from '../../../src/mcp/tools.js';

/** A model pays for them in every conversation. */
const TOKENS_MAX = 1_500;

test('all tools together take few tokens of a model’s context', () => {
  const tokens = countTokens(JSON.stringify({ tools: TOOLS.map(describeTool) }));
  expect(tokens).toBeLessThanOrEqual(TOKENS_MAX);
  // Nothing is missing.
  expect(tokens).toBeGreaterThan(TOKENS_MAX / 2);
});

test.each(TOOLS.map((tool) => [tool.name, tool] as const))('%s has an object as arguments and as result', (_, tool) => {
  const { inputSchema, outputSchema, description } = describeTool(tool);
  expect([inputSchema.type, outputSchema.type]).toEqual(['object', 'object']);
  expect([inputSchema['additionalProperties'], outputSchema['additionalProperties']]).toEqual([false, false]);
  expect(description.length).toBeLessThanOrEqual(100);
});
