import { type ReceivedWebhook, WebhookReceiver } from '../../support/webhook-receiver.js';
import { FacadeService } from './support/facade-client.js';

let service: FacadeService;
let receiver: WebhookReceiver;
beforeAll(async () => {
  service = await FacadeService.start('/judge0', { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' });
  receiver = await WebhookReceiver.start();
});
afterAll(async () => {
  await service.close();
  await receiver.close();
});

const BASH = 46;
const submission = (path: string, source_code = 'echo hello') => ({
  ...{ source_code, language_id: BASH, callback_url: receiver.url(path) },
});
const textOf = (encoded: unknown) => Buffer.from(encoded as string, 'base64').toString();
const called = async (path: string): Promise<ReceivedWebhook> => (await receiver.next(path, 1))[0]!;

test('the end of a submission is a PUT with its default fields, in base64', async () => {
  const { body } = await service.send('POST', '/submissions', submission('/one'));
  const { method, headers, event } = await called('/one');
  expect([method, headers['content-type'], headers['webhook-signature']]).toEqual([
    ...['PUT', 'application/json', undefined],
  ]);
  expect(event).toEqual({
    ...{ token: body.token, time: expect.stringMatching(/^0\.\d+$/), memory: expect.any(Number) },
    ...{ stdout: 'aGVsbG8K\n', stderr: null, compile_output: null, message: null },
    status: { id: 3, description: 'Accepted' },
  });
  const query = `/submissions/${body.token}?base64_encoded=true`;
  expect((await service.send('GET', query)).body).toEqual(event);
});

test('a text in it has 64 KiB at most', async () => {
  await service.send('POST', '/submissions', submission('/long', 'head -c 200000 /dev/zero | tr "\\0" x; exit 3'));
  const { event } = await called('/long');
  expect(textOf((event as any).stdout)).toBe('x'.repeat(65_536));
  expect(event).toMatchObject({ status: { id: 11 } });
});

test('each submission of a batch has its own; a refused one stands in its place', async () => {
  const submissions = [submission('/a'), { ...submission('/b'), callback_url: 'http://10.0.0.1/' }, submission('/c')];
  const { body } = await service.send('POST', '/submissions/batch', { submissions });
  expect(body).toEqual([
    { token: expect.any(String) },
    { callback_url: [expect.stringContaining('not public')] },
    { token: expect.any(String) },
  ]);
  expect((await called('/a')).event).toMatchObject({ token: body[0].token });
  expect((await called('/c')).event).toMatchObject({ token: body[2].token });
});

test.each([
  ['not a URL', 'must be an absolute URL'],
  ['ftp://example.com', 'must be an https URL'],
  ['http://user@example.com', 'must not contain a user name or a password'],
  ['http://0xa9fea9fe/latest', 'leads to an address that is not public'],
  [`http://example.com/${'x'.repeat(2_048)}`, 'must be at most 2048 characters'],
])('%s is refused', async (callback_url, message) => {
  const { status, body } = await service.send('POST', '/submissions', { ...submission('/'), callback_url });
  expect([status, body]).toEqual([422, { callback_url: [expect.stringContaining(message)] }]);
});

test('the URL is shown to who has sent it, and recorded in sealed form only', async () => {
  const sent = submission('/secret-token-5309');
  const { body } = await service.send('POST', '/submissions', sent);
  const shown = await service.send('GET', `/submissions/${body.token}?fields=callback_url`);
  expect(shown.body).toEqual({ callback_url: sent.callback_url });
  await called('/secret-token-5309');
  const { pool } = service.api.service.processes[0]!.infra;
  const columns = 'data::text || metadata::text';
  const count = `select count(*)::int as count from es.events where ${columns} like '%secret-token-5309%'`;
  expect((await pool.query(count)).rows).toEqual([{ count: 0 }]);
});
