import { createHash } from 'node:crypto';

import { PayloadDestruction } from '../../../src/platform/payloads/payload-destruction.js';
import { ok, withId } from '../../support/api-client.js';
import { Api, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({
    WORKER_POOL_SIZE: '2',
    EXECUTOR_FILES_BYTES_MAX: String(512 * 1024),
    EXECUTOR_FILES_MAX: '8',
  });
  ada = await api.register();
});
afterAll(() => api.close());

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function leave(script_content: string, outputs: string[]) {
  const { id } = await ada.createTask({ script_type: 'bash', script_content });
  return ada.client.follow((await ada.start(id, { input: { outputs } })).id);
}

async function fetchFile(id: string, path: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(`${api.service.url}/api/v1/executions/${id}/files/${path}`, {
    method,
    headers: { authorization: `Bearer ${ada.token}`, ...headers },
  });
  return { status: response.status, headers: response.headers, content: Buffer.from(await response.arrayBuffer()) };
}

const PAGE = '<script>alert(1)</script>';

test('files that a program leaves come back as they are', async () => {
  const script = `mkdir -p 'out/ü b'; printf '${PAGE}' >out/page.html; head -c 300000 /dev/zero >'out/ü b/zero.bin'
>out/empty.csv; ln -s /etc/passwd out/link; head -c 1M /dev/zero >out/zz; echo no >other`;
  const ended = await leave(script, ['out/**']);
  expect(ended).toMatchObject({
    status: 'completed',
    files: [
      { path: 'out/empty.csv', bytes: 0, sha256: sha256(Buffer.alloc(0)), media_type: 'text/csv' },
      { path: 'out/page.html', bytes: PAGE.length, sha256: sha256(Buffer.from(PAGE)), media_type: 'text/html' },
      {
        path: 'out/ü b/zero.bin',
        bytes: 300_000,
        sha256: sha256(Buffer.alloc(300_000)),
        media_type: 'application/octet-stream',
      },
    ],
    files_skipped: [
      { path: 'out/link', reason: 'not_a_regular_file' },
      { path: 'out/zz', reason: 'too_large' },
    ],
  });
  const page = await fetchFile(ended.id, 'out/page.html');
  expect(page.content.toString()).toBe(PAGE);
  expect(Object.fromEntries(page.headers)).toMatchObject({
    'content-type': 'text/html',
    'content-disposition': 'attachment; filename=page.html',
    'content-security-policy': expect.stringMatching(/^sandbox;/),
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    etag: `"${sha256(Buffer.from(PAGE))}"`,
  });
  for (const path of ['out/%C3%BC%20b/zero.bin', 'out%2F%C3%BC%20b%2Fzero.bin']) {
    const zero = await fetchFile(ended.id, path);
    expect([zero.status, zero.content.equals(Buffer.alloc(300_000))]).toEqual([200, true]);
  }
  expect(await fetchFile(ended.id, 'out/empty.csv')).toMatchObject({ status: 200, content: Buffer.alloc(0) });
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(ended.id)));
  expect(events.at(-1)!.data).toMatchObject({
    result: { files: [{ path: 'out/empty.csv', payload: null }, { sha256: sha256(Buffer.from(PAGE)) }, {}] },
  });
});

test('a file is sent in part, or not at all to whoever has it', async () => {
  const { id, files } = await leave('printf 0123456789 >digits.txt', ['*.txt']);
  const etag = `"${files[0]!.sha256}"`;
  const ask = (headers: Record<string, string>, method?: string) => fetchFile(id, 'digits.txt', headers, method);
  const part = await ask({ range: 'bytes=2-4' });
  expect([part.status, part.content.toString(), part.headers.get('content-range')]).toEqual([
    206,
    '234',
    'bytes 2-4/10',
  ]);
  expect((await ask({ range: 'bytes=-3' })).content.toString()).toBe('789');
  expect((await ask({ range: 'bytes=8-', 'if-range': etag })).content.toString()).toBe('89');
  const ignored: Record<string, string>[] = [
    { range: 'bytes=8-', 'if-range': '"other"' },
    { range: 'bytes=0-1,4-5' },
    { range: 'lines=1-2' },
    { range: 'bytes=x' },
    { range: 'bytes=0-1', 'if-match': etag },
  ];
  for (const headers of ignored) {
    const whole = await ask(headers);
    expect([headers, whole.status, whole.content.toString()]).toEqual([headers, 200, '0123456789']);
  }
  const beyond = await ask({ range: 'bytes=10-' });
  expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
  expect(beyond.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect((await ask({ 'if-none-match': etag })).status).toBe(304);
  const unchanged = await ask({ 'if-none-match': etag }, 'HEAD');
  expect([unchanged.status, unchanged.headers.get('content-length')]).toEqual([304, '10']);
  expect((await ask({ 'if-match': '"other"' })).status).toBe(412);
  const head = await ask({ range: 'bytes=2-4' }, 'HEAD');
  expect([head.status, head.headers.get('content-length'), head.content.length]).toEqual([200, '10', 0]);
});

test('what is no kept file is a clear refusal', async () => {
  const { id } = await leave('printf made >made; printf other >other', ['made']);
  for (const path of ['other', 'main.sh', '../made', '%2e%2e/made', '/made', '%00', 'x'.repeat(256)]) {
    const { status, headers } = await fetchFile(id, path);
    expect([path, status, headers.get('content-disposition')]).toEqual([path, 404, null]);
  }
  expect((await fetchFile('none', 'made')).status).toBe(400);
  expect((await fetchFile(id, 'made', { authorization: '' })).status).toBe(401);
  expect((await fetchFile(id, 'made', {}, 'POST')).status).toBe(405);
  const bob = await api.register();
  expect((await fetchFile(id, 'made', { authorization: `Bearer ${bob.token}` })).status).toBe(403);
  const admin = await api.registerAdmin();
  expect((await fetchFile(id, 'made', { authorization: `Bearer ${admin.token}` })).status).toBe(200);
});

test.each<[string, unknown, string]>([
  ['is absolute', ['/etc/*'], 'input.outputs.0'],
  ['leaves the folder', ['ok', '../x'], 'input.outputs.1'],
  ['ends with a slash', ['out/'], 'input.outputs.0'],
  ['is empty', [''], 'input.outputs.0'],
  ['has NUL', ['a\0'], 'input.outputs.0'],
  ['is too long', ['x'.repeat(256)], 'input.outputs.0'],
  ['has too many parts', [Array.from({ length: 33 }, () => 'a').join('/')], 'input.outputs.0'],
  ['is one too many', Array.from({ length: 17 }, () => '*'), 'input.outputs'],
  ['is no text', [1], 'input.outputs.0'],
])('a pattern that %s is refused', async (_, outputs, field) => {
  const { id } = await ada.createTask({ script_type: 'bash', script_content: 'true' });
  expect(await ada.send('POST', `/tasks/${id}/executions`, { input: { outputs } })).toMatchObject({
    status: 400,
    body: { validation_errors: [{ field }] },
  });
});

test('files beyond the limit are counted, and patterns without a match are named', async () => {
  const { files, notes } = await leave('touch {0..9}', ['*', 'none-*']);
  expect(files.map(({ path }) => path)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  expect(notes).toEqual([
    'the limit of 8 output files, or of the bytes of their paths, was reached (2 left out)',
    'no file matches these of outputs, counted from 0: 1',
  ]);
});

test('a run is recorded even if none of the most patterns matches', async () => {
  const patterns = Array.from({ length: 16 }, (_, index) => `none-${index}`);
  const { status, notes } = await leave('true', patterns);
  expect([status, notes]).toEqual(['completed', [expect.stringContaining('counted from 0: 0, 1, 2')]]);
});

test('a refusal is no attachment', async () => {
  const { id } = await leave('printf made >made.html', ['*.html']);
  const { status, headers } = await fetchFile(id, 'made.html', { 'if-match': '"other"' });
  expect(status).toBe(412);
  for (const name of ['content-disposition', 'accept-ranges', 'etag'])
    expect([name, headers.get(name)]).toEqual([name, null]);
});

test('a destroyed file is gone, and its history stays', async () => {
  const other = await Api.start({ WORKER_POOL_SIZE: '1' });
  try {
    const eve = await other.register();
    const { id } = await eve.createTask({ script_type: 'bash', script_content: 'printf made >made' });
    const ended = await eve.client.follow((await eve.start(id, { input: { outputs: ['made'] } })).id);
    await new PayloadDestruction(other.service.processes[0]!.infra.pool).destroyOf(
      eve.client.user.id,
      new AbortController().signal,
    );
    const gone = await eve.send('GET', `/executions/${ended.id}/files/made`);
    expect(gone).toMatchObject({ status: 410, body: { type: 'urn:voidrunner:problem:file_erased' } });
    expect(await eve.send('GET', `/executions/${ended.id}`)).toMatchObject({ body: { files: ended.files } });
  } finally {
    await other.close();
  }
});

test('an agent reads a CSV with pandas, draws it, and gets the picture', async () => {
  const script_content = `import pandas as pd
import matplotlib.pyplot as plt
data = pd.read_csv("data.csv")
data.plot(x="month", y="sales")
plt.savefig("plot.png")
print(data.sales.sum())`;
  const { id } = await ada.createTask({ script_type: 'python-data', script_content, timeout_seconds: 120 });
  const input = { files: [{ path: 'data.csv', content: 'month,sales\n1,10\n2,30\n' }], outputs: ['*.png'] };
  const ended = await ada.client.follow((await ada.start(id, { input })).id);
  expect(ended).toMatchObject({
    status: 'completed',
    stdout: '40\n',
    files: [{ path: 'plot.png', media_type: 'image/png' }],
  });
  const { content } = await fetchFile(ended.id, 'plot.png');
  // PNG, section 5.2: the signature; section 11.2.2: width and height.
  expect(content.subarray(0, 8)).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
  expect([content.readUInt32BE(16), content.readUInt32BE(20)]).toEqual([640, 480]);
});
