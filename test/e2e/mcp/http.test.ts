import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { LATEST_PROTOCOL_VERSION } from '@modelcontextprotocol/sdk/types.js';

import { BODY_BYTES_MAX } from '../../../src/http/body-parser.js';
import { eventually } from '../../support/eventually.js';
import { httpTransport, McpHosts, post } from './support/mcp-hosts.js';

/** What `/mcp` does as an HTTP route. */
let hosts: McpHosts;
let authorization: string;

beforeAll(async () => {
  hosts = await McpHosts.start({ CORS_ALLOWED_ORIGINS: 'https://app.example.com' });
  authorization = `Bearer ${await hosts.key()}`;
});
afterAll(() => hosts.close());

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const initialize = (protocolVersion: string) => ({
  ...{ jsonrpc: '2.0', id: 0, method: 'initialize' },
  params: { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});
const run = (code: string, _meta = {}) => ({
  ...{ jsonrpc: '2.0', id: 7, method: 'tools/call' },
  params: { name: 'run_code', arguments: { language: 'bash', code, timeout: 110 }, _meta },
});
const send = (body: unknown, headers: Record<string, string> = {}) =>
  post(hosts.url, body, { authorization, ...headers });

test('a list is JSON, and a call is a stream of events with its progress up to the end', async () => {
  const listed = await send(LIST);
  expect([listed.status, listed.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  expect(((await listed.json()) as { result: { tools: unknown[] } }).result.tools).toHaveLength(5);
  const called = await send(run('echo hello', { progressToken: 'p' }));
  expect([called.status, called.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const messages = (await called.text())
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice('data: '.length)));
  expect(messages.at(-2)).toMatchObject({
    method: 'notifications/progress',
    params: { progressToken: 'p', message: 'ended: completed' },
  });
  expect(messages.at(-1)).toMatchObject({ id: 7, result: { structuredContent: { stdout: 'hello\n' } } });
});

test('the version of the protocol is negotiated; a request of an unknown one is a 400', async () => {
  const { result } = (await (await send(initialize('1999-01-01'))).json()) as { result: { protocolVersion: string } };
  expect(result.protocolVersion).toBe(LATEST_PROTOCOL_VERSION);
  const { status } = await send(LIST, { 'mcp-protocol-version': '1999-01-01' });
  expect(status).toBe(400);
});

test.each(['GET', 'DELETE', 'PUT'])('%s is a 405', async (method) => {
  const response = await fetch(`${hosts.url}/mcp`, { method, headers: { authorization } });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
});

test('a notification is accepted without a response', async () => {
  const response = await send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  expect([response.status, await response.text()]).toEqual([202, '']);
});

test.each([
  ['no JSON', '{'],
  ['no message', '{"a":1}'],
])('%s is an error of JSON-RPC', async (_name, body) => {
  const response = await send(body);
  expect([response.status, ((await response.json()) as { error: { code: number } }).error.code]).toEqual([
    400, -32_700,
  ]);
});

test.each([
  ['no credential', {}, 401],
  ['an unknown key', { authorization: 'Bearer vr_unknown' }, 401],
  ['a key in a cookie', { cookie: 'vr_unknown' }, 401],
])('%s is a 401', async (_name, headers, status) => {
  const response = await post(hosts.url, LIST, headers);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    ...[status, 'application/problem+json; charset=utf-8'],
  ]);
});

test('a key may be in either header, and an access token is as good', async () => {
  const key = authorization.slice('Bearer '.length);
  expect((await post(hosts.url, LIST, { 'x-api-key': key })).status).toBe(200);
  const response = await post(hosts.url, run('echo person'), { authorization: `Bearer ${hosts.ada.token}` });
  expect(await response.text()).toContain('person');
});

test('a page of a foreign origin is refused, also with the right key; an allowed one is not', async () => {
  const foreign = await send(LIST, { origin: 'http://evil.example.com' });
  expect([foreign.status, ((await foreign.json()) as { type: string }).type]).toEqual([
    ...[403, 'urn:voidrunner:problem:origin_not_allowed'],
  ]);
  // After DNS rebinding the page has the name of this host.
  expect((await send(LIST, { origin: hosts.url })).status).toBe(403);
  const own = await send(LIST, { origin: 'https://app.example.com' });
  expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example.com']);
});

test('a body that is too large is a 413', async () => {
  const response = await send(run('x'.repeat(BODY_BYTES_MAX)));
  expect(response.status).toBe(413);
});

test('a client that disconnects cancels its execution', async () => {
  const gone = new AbortController();
  const response = await fetch(`${hosts.url}/mcp`, {
    method: 'POST',
    signal: gone.signal,
    headers: { authorization, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify(run('sleep 100', { progressToken: 1 })),
  });
  let text = '';
  let id: string | undefined;
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    id = /queued: execution ([0-9a-f-]{36})/.exec(text)?.[1];
    if (text.includes('started')) break;
  }
  gone.abort();
  await eventually(async () => expect(await hosts.ada.execution(id!)).toMatchObject({ status: 'cancelled' }));
});

test('a session cancels its own calls, and not those of another one', async () => {
  const connected = async () => {
    const transport = httpTransport(hosts.url, authorization.slice('Bearer '.length));
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(transport);
    return { client, session: transport.sessionId };
  };
  const [one, other] = [await connected(), await connected()];
  expect(one.session).not.toBe(other.session);
  const response = await send(run('echo kept; sleep 2; echo until its end'), { 'mcp-session-id': one.session });
  const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } };
  expect((await send(cancelled, { 'mcp-session-id': other.session })).status).toBe(202);
  expect(await response.text()).toContain('until its end');
  await Promise.all([one.client.close(), other.client.close()]);
});

test('what a tool does is in the trail of the request, and under the key', async () => {
  const response = await send(run('echo trail'), { 'x-request-id': 'from-the-model' });
  const [, id] = /"execution_id":"([^"]+)"/.exec(await response.text())!;
  const { rows } = await hosts.api.service.database.ownerPool.query<{ metadata: Record<string, unknown> }>(
    'select metadata from es.events where stream_id = $1 order by version limit 1',
    [id],
  );
  expect(rows[0]?.metadata).toMatchObject({ request_id: 'from-the-model', key_id: expect.any(String) });
});
