import { newId } from '../../../src/kernel/uuid.js';
import { PayloadSweep } from '../../../src/platform/payloads/payload-sweep.js';
import { ok, withId } from '../../support/api-client.js';
import { voidrunner } from '../../support/cli.js';
import { eventually } from '../../support/eventually.js';
import { Api, type Person } from './support/api.js';

const MIB = 1024 ** 2;

/** A service with a small quota and a short retention. */
let small: Api;
let api: Api;
beforeAll(async () => {
  small = await Api.start({ STORAGE_QUOTA_MB: '1' });
  api = await Api.start({ EXTERNAL_REPORT_TIMEOUT: '1s', RETENTION_RUNS: '1s', RETENTION_DELETED_TASKS: '1s' });
});
afterAll(async () => {
  await small.close();
  await api.close();
});

const outputStatus = async (who: Person, id: string): Promise<number> =>
  (await who.send('GET', `/executions/${id}/output/stdout`)).status;
const verify = () => voidrunner(api.service.env, ['verify']);

test('a user at the storage quota can store and start nothing, until content is destroyed', async () => {
  const [ada, bob] = [await small.register(), await small.register()];
  const echo = await ada.createTask({ script_type: 'bash', script_content: 'echo' });
  const { id } = await ada.createTask({ script_type: 'bash', script_content: `head -c ${MIB} /dev/zero` });
  const run = await ada.client.follow((await ada.start(id)).id);
  expect(run).toMatchObject({ status: 'completed', stdout_bytes: MIB });

  const refused = {
    status: 429,
    body: {
      type: 'urn:voidrunner:problem:quota_exceeded',
      details: { quota: 'stored_bytes', max: MIB, retry_after: 600 },
      retry_after: 600,
    },
  };
  const external = await bob.startExternal();
  const stdin = { input: { stdin: 'x'.repeat(1_000_000) } };
  const bobs = await bob.createTask({ max_parallel: 9 });
  expect((await bob.send('POST', `/tasks/${bobs.id}/executions`, stdin)).status).toBe(201);
  // What a worker stored is counted at the next sum. Nothing is started meanwhile: a running task refuses changes.
  const more = { name: 'more', script_type: 'bash', script_content: 'echo' };
  await eventually(async () => expect(await ada.send('POST', '/tasks', more)).toMatchObject(refused));
  for (const [who, method, path, body] of [
    [ada, 'POST', '/tasks', more],
    [ada, 'PUT', `/tasks/${echo.id}`, { script_content: 'echo more' }],
    [ada, 'POST', `/tasks/${echo.id}/executions`, undefined],
    [ada, 'POST', `/executions/${run.id}/rerun`, undefined],
    [ada, 'POST', '/executions', { name: 'once', script_type: 'bash', script_content: 'echo' }],
    [bob, 'POST', `/tasks/${bobs.id}/executions`, stdin],
    [bob, 'PUT', `/executions/${external.id}`, { status: 'completed', return_code: 0, stdout: 'x'.repeat(200_000) }],
  ] as const) {
    expect(await who.send(method, path, body)).toMatchObject(refused);
  }
  // Requests that store nothing still succeed.
  expect((await ada.send('PUT', `/tasks/${echo.id}`, { priority: 7 })).status).toBe(200);

  const { pool } = small.service.processes[0]!.infra;
  await new PayloadSweep(pool, { executionsMs: 1, deletedTasksMs: 0, unreferencedScriptsMs: 0 }).sweep(
    new AbortController().signal,
  );
  expect(await ada.client.follow((await eventually(() => ada.start(echo.id))).id)).toMatchObject({
    status: 'completed',
  });
});

test('the output of an execution is destroyed after its retention', async () => {
  const ada = await api.register();
  const run = await ada.client.run({ script_type: 'bash', script_content: 'echo once' });
  await eventually(async () => expect(await outputStatus(ada, run.id)).toBe(410));
  expect(await ada.execution(run.id)).toMatchObject({
    status: 'completed',
    stdout: null,
    stdout_bytes: 5,
    output_excerpt: false,
  });
});

test('the scripts and tests of a deleted task are destroyed; its history stays and can be verified', async () => {
  const ada = await api.register();
  const tests = [{ stdin: 'in' }];
  const { id } = await ada.createTask({ script_content: 'print(1)', tests });
  await ada.updateTask(id, { script_content: 'print(2)', tests: [{ stdin: 'other' }] });
  const kept = await ada.createTask({ script_content: 'print(3)', tests });
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(id)));
  const payloads = async () => {
    const sql = `select sha256 from es.payloads where owner_id = $1 and kind in ('script', 'suite')`;
    return (await api.service.database.appPool.query(sql, [ada.id])).rows.length;
  };
  await eventually(async () => expect(await payloads()).toBe(2));
  expect(await ada.task(kept.id)).toMatchObject({ script_content: 'print(3)', tests });
  const { events } = await ok(ada.api.GET('/api/v1/tasks/{id}/events', withId(id)));
  expect(events.map(({ type }) => type)).toEqual(['TaskCreated', 'TaskUpdated', 'TaskDeleted']);
  const found = await verify();
  expect(found).toMatchObject({ code: 0 });
  expect(found.stdout).toMatch(/payloads, \d+ destroyed/);
});

test('payload ids in a deleted task’s metadata are ignored by the sweep and by verify', async () => {
  const [ada, eve] = [await api.register(), await api.register()];
  const kept = await ada.createTask({ script_content: 'print("mine")' });
  const sql = 'select payload_id from es.payloads where owner_id = $1';
  const scriptsOf = async (who: Person): Promise<string[]> =>
    (await api.service.database.appPool.query<{ payload_id: string }>(sql, [who.id])).rows.map((row) => row.payload_id);
  const [payload_id] = await scriptsOf(ada);
  const forged = { payload_id: newId(), bytes: 1, sha256: '0'.repeat(64) };
  for (const metadata of [
    forged,
    { payload_id: payload_id! },
    { payload_id: 'no uuid' },
    { definition: { script: { payload_id: payload_id! } } },
  ]) {
    const { id } = await eve.createTask({ metadata });
    await eve.updateTask(id, { metadata: { changes: metadata } });
    await ok(eve.api.DELETE('/api/v1/tasks/{id}', withId(id)));
  }
  await eventually(async () => expect(await scriptsOf(eve)).toEqual([]));
  expect(await scriptsOf(ada)).toEqual([payload_id]);
  expect((await ada.task(kept.id)).script_content).toBe('print("mine")');
  expect(await verify()).toMatchObject({ code: 0 });
});

test('a refused change stores no script; a script that no event refers to is destroyed', async () => {
  const ada = await small.register();
  const { id } = await ada.createTask({ script_content: 'print(1)', tests: [{ stdin: 'in' }] });
  const { appPool, ownerPool } = small.service.database;
  const scripts = async (): Promise<string[]> => {
    const sql = `select payload_id from es.payloads where owner_id = $1 and kind = 'script' order by created_at`;
    return (await appPool.query<{ payload_id: string }>(sql, [ada.id])).rows.map((row) => row.payload_id);
  };
  const [first] = await scripts();
  for (const headers of [{ 'if-match': '"7"' }, { 'if-none-match': '*' }] as Record<string, string>[]) {
    const refused = await ada.send('PUT', `/tasks/${id}`, { script_content: 'print(2)', tests: [{}] }, headers);
    expect(refused.status).toBe(412);
  }
  expect(await scripts()).toEqual([first]);
  await ada.updateTask(id, { script_content: 'print(3)' });
  // If a process dies between the script and its event, only the script exists. A payload id in metadata is no
  // reference.
  const [unnamed] = (
    await ownerPool.query<{ payload_id: string }>(
      `insert into es.payloads select gen_random_uuid(), owner_id, kind, ciphertext, bytes, sha256, created_at
       from es.payloads where payload_id = $1 returning payload_id`,
      [first],
    )
  ).rows.map((row) => row.payload_id);
  await ada.createTask({ metadata: { definition: { script: { payload_id: unnamed! } } } });
  expect(await scripts()).toContain(unnamed);
  const { pool } = small.service.processes[0]!.infra;
  const sweep = new PayloadSweep(pool, { executionsMs: 0, deletedTasksMs: 0, unreferencedScriptsMs: 1 });
  await sweep.sweep(new AbortController().signal);
  expect(await scripts()).not.toContain(unnamed);
  expect(await scripts()).toHaveLength(3);
  expect(await ada.task(id)).toMatchObject({ script_content: 'print(3)', tests: [{ stdin: 'in' }] });
  const { rows } = await appPool.query(`select 1 from es.payloads where owner_id = $1 and kind = 'suite'`, [ada.id]);
  expect(rows).toHaveLength(1);
});

test('a payload that is missing without having been destroyed is a fault', async () => {
  const ada = await api.register();
  await ada.createTask();
  await api.service.database.ownerPool.query('delete from es.payloads where owner_id = $1', [ada.id]);
  const found = await verify();
  expect(found.code).toBe(1);
  expect(found.stdout).toMatch(/payload \S+ is missing/);
});
