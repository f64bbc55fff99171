import { VoidRunner } from '@voidrunner/client';

import { CONCURRENT_CALLS_MAX } from '../../../src/mcp/limits.js';
import { Progress } from '../../../src/mcp/progress.js';
import { type CallObservation, ToolCalls } from '../../../src/mcp/tool-calls.js';

const RUNTIMES = '/api/v1/runtimes';

/** A service whose responses a test gives. */
function callsOf(respond: (path: string, method: string) => Response | Promise<Response>) {
  const requests: string[] = [];
  const observed: CallObservation[] = [];
  const fetch = (async (request: Request) => {
    const { pathname } = new URL(request.url);
    requests.push(`${request.method} ${pathname}`);
    return respond(pathname, request.method);
  }) as typeof globalThis.fetch;
  const vr = new VoidRunner({ baseUrl: 'http://service', apiKey: 'k', fetch, maxRetries: 0 });
  const calls = new ToolCalls(vr, (call) => observed.push(call));
  const run = (name: string, args: unknown, signal = new AbortController().signal) =>
    calls.run({ name, args, signal, progress: new Progress(null) });
  return { calls, run, requests, observed };
}

test('more calls than the bound are refused, and take no request', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { run, requests, observed } = callsOf(async () => {
    await promise;
    return Response.json({ runtimes: [] });
  });
  const running = Array.from({ length: CONCURRENT_CALLS_MAX }, () => run('list_runtimes', {}));
  expect(await run('list_runtimes', {})).toMatchObject({ isError: true });
  expect(observed.map(({ outcome }) => outcome)).toEqual(['too_many_calls']);
  resolve();
  expect((await Promise.all(running)).every(({ isError }) => isError === undefined)).toBe(true);
  expect(requests).toHaveLength(CONCURRENT_CALLS_MAX);
  expect(await run('list_runtimes', {})).not.toHaveProperty('isError');
});

test('a bug is told to the log, and not to the model', async () => {
  const { run, observed } = callsOf(() => Response.json({ runtimes: null }));
  const result = await run('list_runtimes', {});
  expect(result.isError).toBe(true);
  expect(JSON.stringify(result)).not.toContain('null');
  expect(observed).toEqual([
    expect.objectContaining({ tool: 'list_runtimes', outcome: 'bug', bug: expect.any(TypeError) }),
  ]);
});

test('a call that was aborted while it started cancels what was started', async () => {
  const aborted = new AbortController();
  const { run, requests, observed } = callsOf((path, method) => {
    if (method === 'DELETE') return Response.json({ message: 'cancelled' });
    if (path === RUNTIMES) throw new Error('not asked');
    aborted.abort(new Error('no longer wanted'));
    return Response.json({ id: 'e', status: 'pending' }, { status: 201 });
  });
  const ran = run('run_code', { language: 'bash', code: 'true' }, aborted.signal);
  await expect(ran).rejects.toThrow('no longer wanted');
  expect(requests).toEqual(['POST /api/v1/executions', 'DELETE /api/v1/executions/e']);
  expect(observed).toEqual([expect.objectContaining({ tool: 'run_code', outcome: 'cancelled' })]);
});

test.each([undefined, null, 1, 'text', [], { language: 1 }])('arguments %j are an error of the tool', async (args) => {
  const { run, requests } = callsOf(() => Response.error());
  expect(await run('run_code', args)).toMatchObject({ isError: true });
  expect(requests).toEqual([]);
});
