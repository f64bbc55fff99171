import { ApiClient } from '../../support/api-client.js';
import { voidrunner } from '../../support/cli.js';
import { startTestService, type TestService } from '../../support/service.js';

let service: TestService;
let client: ApiClient;

const run = (...args: string[]) => voidrunner(service.env, args);

beforeAll(async () => {
  service = await startTestService();
  client = await ApiClient.register(() => service.url);
}, 90_000);

afterAll(() => service.close());

test('dead letters are listed, redriven and discarded', async () => {
  const dead = await client.run({
    script_type: 'bash',
    script_content: 'exit 7',
    retry: { max_attempts: 1, initial_delay_ms: 0, backoff_factor: 1, max_delay_ms: 0, retry_on: ['exit_code'] },
  });
  expect(dead).toMatchObject({ status: 'failed', dead_lettered: true, attempt: 1 });

  const listed = await run('dead-letters', 'list');
  expect(listed.stdout).toContain(`execution-${dead.id}\ttask-${dead.task_id}\texit_code\tattempt 1`);

  expect(await run('dead-letters', 'redrive', `execution-${dead.id}`)).toMatchObject({ code: 0, stderr: '' });
  const again = await client.follow(dead.id, ({ attempt, dead_lettered }) => attempt === 2 && dead_lettered);
  expect(again.status).toBe('failed');

  expect(await run('dead-letters', 'discard', dead.id)).toMatchObject({ code: 0, stderr: '' });
  const refused = await run('dead-letters', 'redrive', dead.id);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('Dead letter has been discarded');
});

test('admin create creates an admin', async () => {
  const made = await voidrunner(service.env, ['admin', 'create', 'root@example.com'], 'a long enough password\n');
  expect(made.code).toBe(0);
  expect(made.stdout).toContain('is an admin');
  const short = await voidrunner(service.env, ['admin', 'create', 'b@example.com'], 'short\n');
  expect(short.code).toBe(2);
  expect(await run('admin', 'revoke', 'root@example.com')).toMatchObject({ code: 0 });
  expect(await run('admin', 'grant', 'nobody@example.com')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('User not found') as string,
  });
});

test('every fault of the configuration is reported at once', async () => {
  const faulty = await voidrunner({ ...service.env, SERVER_PORT: 'many', LOG_LEVEL: 'loud' }, ['verify']);
  expect(faulty.code).toBe(2);
  expect(faulty.stderr).toContain('SERVER_PORT');
  expect(faulty.stderr).toContain('LOG_LEVEL');
  expect(faulty.stderr).not.toContain('loud');
});
