import { randomUUID } from 'node:crypto';

import { freePort } from '../../support/free-port.js';
import { voidrunner } from '../../support/cli.js';
import { eventually } from '../../support/eventually.js';
import { call, McpHosts, textOf } from './support/mcp-hosts.js';

/** What `voidrunner mcp` does as a command. */
let hosts: McpHosts;
let key: string;

beforeAll(async () => {
  hosts = await McpHosts.start();
  key = await hosts.key();
});
afterAll(() => hosts.close());

const mcp = (settings: Record<string, string>, stdin = '') =>
  voidrunner({ PATH: process.env['PATH'], ...settings }, ['mcp'], stdin);

test.each([
  ['nothing', () => ({}), /VOIDRUNNER_URL: is missing.*VOIDRUNNER_API_KEY: is missing/s],
  ['no URL', () => ({ VOIDRUNNER_URL: 'run.example.com', VOIDRUNNER_API_KEY: key }), /VOIDRUNNER_URL: must be an http/],
  [
    'a key that is refused',
    () => ({ VOIDRUNNER_URL: hosts.url, VOIDRUNNER_API_KEY: 'vr_unknown' }),
    /refuses this key/,
  ],
  [
    'the URL of something else',
    () => ({ VOIDRUNNER_URL: `${hosts.url}/elsewhere`, VOIDRUNNER_API_KEY: key }),
    /no VoidRunner responds there/,
  ],
])('with %s it ends with an error, and writes nothing to the host', async (_name, settings, message) => {
  const { code, stdout, stderr } = await mcp(settings());
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain(key);
});

test('it ends when its input does, and its output has nothing but the protocol', async () => {
  const messages = [
    {
      id: 0,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    },
    { method: 'notifications/initialized' },
    { id: 1, method: 'tools/call', params: { name: 'no_such_tool' } },
  ];
  const lines = messages.map((message) => JSON.stringify({ jsonrpc: '2.0', ...message }));
  const { code, stdout, stderr } = await mcp(
    { VOIDRUNNER_URL: hosts.url, VOIDRUNNER_API_KEY: key },
    ['no message', ...lines, ''].join('\n'),
  );
  expect([code, stderr]).toEqual([0, '']);
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers.map(({ jsonrpc, id }) => [jsonrpc, id])).toEqual([
    ['2.0', 0],
    ['2.0', 1],
  ]);
});

test('executions that run when the host ends are cancelled', async () => {
  const client = await hosts.client('stdio', key);
  const name = randomUUID();
  let id: string | undefined;
  const params = { name: 'run_code', arguments: { language: 'bash', code: `: ${name}; sleep 100`, timeout: 110 } };
  const ran = client.callTool(params, undefined, {
    onprogress: ({ message }) => (id ??= /^queued: execution (.*)$/.exec(message ?? '')?.[1]),
  });
  const ended = Promise.allSettled([ran]);
  await eventually(async () => expect(id).toBeDefined());
  await client.close();
  expect(await ended).toEqual([{ status: 'rejected', reason: expect.objectContaining({ code: -32_000 }) }]);
  await eventually(async () => expect(await hosts.ada.execution(id!)).toMatchObject({ status: 'cancelled' }));
});

test('a service that is down is an error of the tool that may be repeated', async () => {
  const client = await hosts.client('stdio', key, `http://127.0.0.1:${await freePort()}`);
  const result = await call(client, 'list_runtimes', {});
  expect([result.isError, textOf(result)]).toEqual([true, expect.stringContaining('may be repeated')]);
});
