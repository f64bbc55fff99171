import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { ContentBlock, Progress } from '@modelcontextprotocol/sdk/types.js';

import { OUTPUT_BYTES_MAX } from '../../../src/mcp/limits.js';
import { eventually } from '../../support/eventually.js';
import { call, McpHosts, textOf, TRANSPORTS } from './support/mcp-hosts.js';

/** 1×1 pixel, written by the program without a library. */
const PNG = `
import struct, zlib
def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
png = b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 1, 1, 8, 2, 0, 0, 0))
png += chunk(b'IDAT', zlib.compress(b'\\0\\xff\\0\\0')) + chunk(b'IEND', b'')
open('plot.png', 'wb').write(png)
open('table.csv', 'w').write('a,b\\n1,2\\n')
open('raw.bin', 'wb').write(bytes([0, 255]))
print(len(png))
`;

let hosts: McpHosts;
let key: string;

beforeAll(async () => {
  hosts = await McpHosts.start();
  key = await hosts.key();
});
afterAll(() => hosts.close());

const isType =
  <Type extends ContentBlock['type']>(type: Type) =>
  (block: ContentBlock): block is Extract<ContentBlock, { type: Type }> =>
    block.type === type;

describe.each(TRANSPORTS)('over %s', (transport) => {
  let client: Client;
  beforeAll(async () => {
    client = await hosts.client(transport, key);
  });

  test('five tools, and a template of resources', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      ...['run_code', 'run_tests', 'get_execution', 'list_runtimes', 'execution_history'],
    ]);
    expect((await client.listResources()).resources).toEqual([]);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([
      expect.objectContaining({ uriTemplate: 'voidrunner://executions/{id}/files/{+path}' }),
    ]);
    expect(client.getServerVersion()).toMatchObject({ name: 'voidrunner' });
  });

  test('a program runs with input and files', async () => {
    const code = 'import sys; print("hello", input(), open("a.txt").read()); print("warned", file=sys.stderr)';
    const files = [{ path: 'a.txt', content: 'ZmlsZQ==', encoding: 'base64' }];
    const result = await call(client, 'run_code', { language: 'python', code, stdin: 'typed', files, timeout: 20 });
    expect(result.isError).toBeFalsy();
    expect(result.structuredContent).toEqual({
      execution_id: expect.any(String),
      ...{ status: 'completed', ok: true, return_code: 0, duration_ms: expect.any(Number) },
      ...{ stdout: 'hello typed file\n', stderr: 'warned\n' },
    });
    expect(textOf(result)).toMatch(/^completed \(return code 0, \d+ ms, execution .*\)\nstdout:\nhello typed file\n/);
  });

  test('a program that fails is a result, not an error of the tool', async () => {
    const result = await call(client, 'run_code', { language: 'bash', code: 'echo no >&2; exit 3' });
    expect(result.isError).toBeFalsy();
    expect(result.structuredContent).toMatchObject({ ok: false, status: 'failed', return_code: 3, stderr: 'no\n' });
  });

  test('an image is content; other files are links, which are read as text or bytes', async () => {
    const args = { language: 'python', code: PNG, outputs: ['*.csv', '*.bin', '*.none'] };
    const { content, structuredContent } = await call(client, 'run_code', args);
    const [image] = content.filter(isType('image'));
    expect(image!.mimeType).toBe('image/png');
    const bytes = Buffer.from(image!.data, 'base64');
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect((structuredContent as { stdout: string }).stdout).toBe(`${bytes.length}\n`);
    expect((structuredContent as { notes: string[] }).notes).toEqual([
      'no file matches these of outputs, counted from 0: 2',
    ]);
    const links = content.filter(isType('resource_link'));
    expect(links.map(({ name }) => name).toSorted()).toEqual(['raw.bin', 'table.csv']);
    const read = async (name: string) =>
      (await client.readResource({ uri: links.find((link) => link.name === name)!.uri })).contents[0];
    expect(await read('table.csv')).toMatchObject({ mimeType: 'text/csv', text: 'a,b\n1,2\n' });
    expect(await read('raw.bin')).toMatchObject({ blob: Buffer.from([0, 255]).toString('base64') });
  });

  test.each(['voidrunner://executions/0', 'file:///etc/passwd'])('%s is no resource', async (uri) => {
    await expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32_002 });
  });

  test('tests have a verdict each', async () => {
    const tests = [
      { name: 'good', stdin: '1 2', expected_stdout: '3' },
      { stdin: '2 2', expected_stdout: '5' },
    ];
    const code = 'print(sum(map(int, input().split())))';
    const result = await call(client, 'run_tests', { language: 'python', code, tests, compare: 'exact' });
    expect(result.structuredContent).toMatchObject({ passed: 0, test_count: 2, verdict: 'wrong_answer' });
    const trimmed = await call(client, 'run_tests', { language: 'python', code, tests });
    expect(trimmed.structuredContent).toMatchObject({
      ...{ passed: 1, test_count: 2, verdict: 'wrong_answer' },
      tests: [
        { name: 'good', verdict: 'accepted' },
        { verdict: 'wrong_answer', stdout: '4\n' },
      ],
    });
    expect(textOf(trimmed)).toContain('wrong_answer: 1 of 2 tests passed');
  });

  test('a long output is cut, and read on from the offset that the text names', async () => {
    const lines = 10_000;
    const code = `for i in range(${lines}): print(f"{i:05d}é")`;
    const result = await call(client, 'run_code', { language: 'python', code });
    const { stdout } = result.structuredContent as { stdout: string };
    expect(Buffer.byteLength(stdout)).toBeLessThan(OUTPUT_BYTES_MAX + 300);
    expect(stdout).toMatch(/^00000é\n/);
    expect(stdout).toMatch(/09999é\n$/);
    const [, args] = /To read on: get_execution (\{.*\})\]/.exec(stdout)!;
    let next = JSON.parse(args!) as Record<string, unknown> | null;
    let read = stdout.slice(0, stdout.indexOf('\n['));
    while (next !== null) {
      const part = await call(client, 'get_execution', next);
      const content = part.structuredContent as { stdout: string; next_offset?: number };
      read += content.stdout;
      next = content.next_offset === undefined ? null : { ...next, offset: content.next_offset };
    }
    expect(read).toBe(Array.from({ length: lines }, (_, i) => `${String(i).padStart(5, '0')}é\n`).join(''));
  });

  test('an execution is read again, and has a history', async () => {
    const ran = await call(client, 'run_code', { language: 'bash', code: 'echo again' });
    const { execution_id } = ran.structuredContent as { execution_id: string };
    expect((await call(client, 'get_execution', { execution_id })).structuredContent).toEqual(ran.structuredContent);
    const { structuredContent } = await call(client, 'execution_history', { execution_id });
    const { events } = structuredContent as { events: { type: string; version: number }[] };
    expect(events[0]!.type).toBe('ExecutionRequested');
    const after_version = events.at(-1)!.version;
    const after = await call(client, 'execution_history', { execution_id, after_version });
    expect(after.structuredContent).toEqual({ events: [] });
  });

  test('runtimes are listed', async () => {
    const { structuredContent } = await call(client, 'list_runtimes', {});
    const { runtimes } = structuredContent as { runtimes: unknown[] };
    expect(runtimes).toContainEqual(expect.objectContaining({ name: 'python', available: true }));
  });

  test('progress tells of the queue, the start and the output', async () => {
    const seen: Progress[] = [];
    const code = 'import time\nfor i in range(4):\n  print(i, flush=True)\n  time.sleep(0.3)';
    const params = { name: 'run_code', arguments: { language: 'python', code } };
    await client.callTool(params, undefined, { onprogress: (progress) => seen.push(progress) });
    const messages = seen.map(({ message }) => message);
    expect(messages[0]).toMatch(/^queued: execution /);
    expect(messages).toContain('started');
    expect(messages).toContainEqual(expect.stringMatching(/^output: \d+ lines, \d+ bytes$/));
    const counts = seen.map(({ progress }) => progress);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  });

  test('a call that is cancelled cancels its execution', async () => {
    const aborted = new AbortController();
    let id = '';
    const params = { name: 'run_code', arguments: { language: 'bash', code: 'sleep 100', timeout: 110 } };
    const ran = client.callTool(params, undefined, {
      signal: aborted.signal,
      onprogress({ message }) {
        id ||= /^queued: execution (.*)$/.exec(message ?? '')?.[1] ?? '';
        if (message === 'started') aborted.abort(new Error('no longer wanted'));
      },
    });
    await expect(ran).rejects.toThrow('no longer wanted');
    await eventually(async () => expect(await hosts.ada.execution(id)).toMatchObject({ status: 'cancelled' }));
  });

  test('two calls run at the same time', async () => {
    const run = (text: string) => call(client, 'run_code', { language: 'bash', code: `echo ${text}` });
    const results = await Promise.all([run('one'), run('two')]);
    expect(results.map(({ structuredContent }) => (structuredContent as { stdout: string }).stdout)).toEqual([
      ...['one\n', 'two\n'],
    ]);
  });

  test.each([
    ['run_code', { language: 'python' }, /^Wrong arguments of run_code\. code: .*Correct them\.$/],
    ['run_code', { language: 'bash', code: 'true', cod: 1 }, /Unrecognized key: "cod"/],
    ['run_code', { language: 'cobol', code: 'x' }, /^The language is not known\. Use one of: .*python/],
    ['run_code', { language: 'bash', code: 'a\0b' }, /code: /],
    ['run_code', { language: 'bash', code: 'true', timeout: 1e9 }, /timeout: /],
    ['run_code', { language: 'bash', code: 'true', outputs: ['../x'] }, /outputs\[0\]: /],
    ['run_code', { language: 'bash', code: 'true', files: [{ path: '/x', content: '' }] }, /files\[0\]/],
    ['get_execution', { execution_id: 'x' }, /execution_id: /],
    ['get_execution', { execution_id: '0198f3a0-0000-7000-8000-000000000000' }, /not_found.*Check the id/],
    ['no_such_tool', {}, /There is no tool "no_such_tool"\. Use one of: run_code/],
  ])('%s with %j is an error that says what to change', async (name, args, text) => {
    const result = await call(client, name, args);
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(text);
  });

  test('a key without the scope: the error names it; without events:read, runs have progress of their output', async () => {
    const reader = await hosts.client(transport, await hosts.key(['executions:read']));
    const refused = await call(reader, 'run_code', { language: 'bash', code: 'true' });
    expect([refused.isError, textOf(refused)]).toEqual([
      true,
      expect.stringContaining('lacks the scope executions:write'),
    ]);
    const runner = await hosts.client(transport, await hosts.key(['executions:read', 'executions:write']));
    const seen: Progress[] = [];
    const params = { name: 'run_code', arguments: { language: 'bash', code: 'echo ran' } };
    const ran = await runner.callTool(params, undefined, { onprogress: (progress) => seen.push(progress) });
    expect(ran.structuredContent).toMatchObject({ stdout: 'ran\n' });
    expect(seen[0]?.message).toMatch(/^queued/);
  });
});
