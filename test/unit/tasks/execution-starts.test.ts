import { ExecutionStarts } from '../../../src/tasks/api/execution-starts.js';

const TEXT = 'x'.repeat(100);

const aSubmission = () => ({
  input: { stdin: TEXT, files: [{ path: 'a', content: TEXT, encoding: 'utf8' as const }] },
  tests: [{ stdin: TEXT, expected_stdout: TEXT, files: [{ path: 'a', content: TEXT, encoding: 'utf8' as const }] }],
});

test('a request that was carried out before frees its texts before it waits', async () => {
  const submitted = aSubmission();
  const atWait = Promise.withResolvers<string>();
  const starts = new ExecutionStarts(
    { waitUntilReadable: async () => undefined } as never,
    {} as never,
    { one: async () => 'response' } as never,
    {
      wait: async () => {
        atWait.resolve(JSON.stringify(submitted));
        return { row: {}, aheadOfView: null };
      },
    } as never,
    { enter: () => ({}) } as never,
    // It finds the first request, and does not perform this one.
    { run: async () => ({ id: 'first', version: 1 }) } as never,
  );
  const exchange = { request: { raw: {} }, reply: { header: () => undefined } };
  const start = () => Promise.reject(new Error('started again'));
  const response = await starts.run(exchange as never, { userId: 'ada' } as never, 60, start, submitted as never);
  expect(response).toBe('response');
  expect(await atWait.promise).not.toContain(TEXT);
});
