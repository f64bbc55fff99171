import { ApiClient, call, ok, withId } from '../../support/api-client.js';
import { voidrunner } from '../../support/cli.js';
import { eventually } from '../../support/eventually.js';
import { startTestService, type TestService } from '../../support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const run = (...args: string[]) => voidrunner(service.env, args);
const NAME = 'a name that nobody may find again';

test('an erased account is gone with its content and executions; its history can be verified', async () => {
  const [ada, bob] = [await ApiClient.register(() => service.url), await ApiClient.register(() => service.url)];
  const ended = await ada.run({ script_type: 'bash', script_content: 'echo secret' });
  const running = await ada.createTask({ script_type: 'bash', script_content: 'sleep 600' });
  const { id } = await ada.start(running.id);
  await ada.follow(id, ({ status }) => status === 'running');
  await ada.run({ script_type: 'go', script_content: 'package main\nfunc main() { println("secret") }' });
  const { appPool, ownerPool } = service.database;
  const programs = () => appPool.query('select key from es.compiled_programs where owner_id = $1', [ada.user.id]);
  await eventually(async () => expect((await programs()).rows).toHaveLength(1));
  const his = await bob.run({ script_type: 'bash', script_content: 'echo his' });
  await ownerPool.query('update identity.users set name = $2 where id = $1', [ada.user.id, NAME]);

  const erased = await run('users', 'erase', ada.user.email);
  expect(erased).toMatchObject({ code: 0, stderr: '' });
  expect(erased.stdout).toContain(`user-${ada.user.id} is erased: `);

  await eventually(async () => expect((await ada.request('GET', '/auth/me')).status).toBe(401));
  const login = { email: ada.user.email, password: 'correct horse battery' };
  expect((await call(`${service.url}/api/v1/auth/login`, 'POST', login)).status).toBe(401);
  const users = await appPool.query('select * from identity.users');
  expect(JSON.stringify(users.rows)).not.toContain(NAME);
  expect(JSON.stringify(users.rows)).not.toContain(ada.user.email);
  const left = await ownerPool.query('select payload_id from es.payloads where owner_id = $1', [ada.user.id]);
  expect(left.rows).toEqual([]);
  expect((await programs()).rows).toEqual([]);
  const events = (await run('events', 'show', `user-${ada.user.id}`)).stdout;
  expect(events).toContain('UserErased');
  await eventually(async () => expect((await run('state', `execution-${id}`)).stdout).toContain('cancelled'));
  expect((await run('state', `execution-${ended.id}`)).code).toBe(0);

  expect(await ok(bob.api.GET('/api/v1/executions/{id}', withId(his.id)))).toMatchObject({ stdout: 'his\n' });
  await eventually(async () => expect(await run('verify')).toMatchObject({ code: 0 }));
});

test('the batches of an erased account are cancelled, and start nothing more', async () => {
  const ada = await ApiClient.register(() => service.url);
  const { id: taskId } = await ada.createTask({ script_type: 'bash', script_content: 'true' });
  for (let no = 0; no < 2; no += 1) {
    const { id } = await ada.start(taskId, { executor: 'external' });
    await ada.ok('PUT', `/executions/${id}`, { status: 'completed', return_code: 0 });
  }
  await ada.start(taskId, { executor: 'external' });
  const batch = await ada.ok<{ id: string }>('POST', '/executions/rerun', { filter: { status: 'completed' } });
  expect(await run('users', 'erase', ada.user.email)).toMatchObject({ code: 0, stderr: '' });
  const state = JSON.parse((await run('state', `batch-${batch.id}`)).stdout) as { state: { status: string } };
  expect(state.state.status).toBe('cancelling');
  const { rows } = await service.database.ownerPool.query<{ count: number }>(
    `select count(*)::int as count from es.events where type = 'ExecutionRequested' and data ->> 'rerun_of' is not null
       and data ->> 'owner_id' = $1`,
    [ada.user.id],
  );
  expect(rows[0]!.count).toBe(0);
});

test('erase may be repeated by id; the email is free again', async () => {
  const ada = await ApiClient.register(() => service.url);
  const first = await run('users', 'erase', ada.user.email);
  const again = await run('users', 'erase', `user-${ada.user.id}`);
  expect([first.code, again]).toEqual([
    0,
    {
      code: 0,
      stderr: '',
      stdout: `user-${ada.user.id}: the erasure is recorded\nuser-${ada.user.id} is erased: 0 executions cancelled, 0 payloads of 0 bytes destroyed\n`,
    },
  ]);
  const body = { email: ada.user.email, password: 'correct horse battery', name: 'Ada' };
  expect((await call(`${service.url}/api/v1/auth/register`, 'POST', body)).status).toBe(201);
});

test('an interrupted erase may be repeated by id, or is completed by the service', async () => {
  const people = [await ApiClient.register(() => service.url), await ApiClient.register(() => service.url)] as const;
  for (const who of people) await who.createTask({ script_type: 'bash', script_content: 'echo secret' });
  const { ownerPool } = service.database;
  const named = `function es.destroy_payloads(uuid[])`;
  const { rows } = await ownerPool.query<{ role: string }>(
    `select distinct grantee as role from information_schema.routine_privileges
     where routine_name = 'destroy_payloads' and grantee <> current_user`,
  );
  const app = rows[0]!.role;
  const payloadsOf = async (id: string) =>
    (await ownerPool.query('select payload_id from es.payloads where owner_id = $1', [id])).rows;
  await ownerPool.query(`revoke execute on ${named} from ${app}`);
  try {
    for (const { user } of people) {
      const interrupted = await run('users', 'erase', user.email);
      expect(interrupted).toMatchObject({ stdout: `user-${user.id}: the erasure is recorded\n` });
      expect(interrupted.code).not.toBe(0);
      expect(await payloadsOf(user.id)).toHaveLength(1);
    }
  } finally {
    await ownerPool.query(`grant execute on ${named} to ${app}`);
  }
  const [ada, bob] = people;
  expect(await run('users', 'erase', `user-${ada.user.id}`)).toMatchObject({ code: 0, stderr: '' });
  expect(await payloadsOf(ada.user.id)).toEqual([]);
  await eventually(async () => expect(await payloadsOf(bob.user.id)).toEqual([]));
});

test('erase refuses unknown accounts and a missing argument', async () => {
  expect(await run('users', 'erase', 'nobody@example.com')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('User not found') as string,
  });
  expect(await run('users', 'erase', 'nobody')).toMatchObject({ code: 64 });
  expect(await run('users', 'erase', 'task-018f0000-0000-7000-8000-00000000000a')).toMatchObject({ code: 64 });
});
