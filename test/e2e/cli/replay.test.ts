import { ApiClient } from '../../support/api-client.js';
import { voidrunner } from '../../support/cli.js';
import { startTestService, type TestService } from '../../support/service.js';

let service: TestService;
let client: ApiClient;
let executionId: string;
let taskId: string;

const run = (...args: string[]) => voidrunner(service.env, args);

beforeAll(async () => {
  service = await startTestService();
  client = await ApiClient.register(() => service.url);
  const execution = await client.run({ name: 'replayed', script_type: 'bash', script_content: 'exit 3' });
  executionId = execution.id;
  taskId = execution.task_id;
}, 90_000);

afterAll(() => service.close());

test('events show prints a stream’s history, as text and as JSON', async () => {
  const shown = await run('events', 'show', `execution-${executionId}`);
  expect(shown.code).toBe(0);
  expect(
    shown.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[3]),
  ).toEqual(['ExecutionRequested', 'ExecutionAttemptStarted', 'ExecutionAttemptFailed', 'ExecutionFailed']);

  const json = await run('events', 'show', `execution-${executionId}`, '--json');
  const lines = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
  expect(lines[0]).toMatchObject({ actor: `user:${client.user.id}`, metadata: { correlation_id: executionId } });
});

test('events tail prints the log, filtered by type and by stream', async () => {
  const tail = await run('events', 'tail', '--from', '0', '--no-follow', '--type', 'TaskCreated');
  expect(tail.code).toBe(0);
  expect(tail.stdout).toContain(`task-${taskId}@1\tTaskCreated`);
  expect(tail.stdout.trim().split('\n')).toHaveLength(1);
});

test('state shows the state at a version', async () => {
  const before = JSON.parse((await run('state', `execution-${executionId}`, '--at-version', '2')).stdout) as unknown;
  expect(before).toMatchObject({ version: 2, state: { status: 'running', attempt: 1 } });

  const now = JSON.parse((await run('state', `execution-${executionId}`)).stdout) as unknown;
  expect(now).toMatchObject({ version: 4, state: { status: 'ended', outcome: 'failed' } });

  const task = JSON.parse((await run('state', `task-${taskId}`, '--at-version', '2')).stdout) as unknown;
  expect(task).toMatchObject({ state: { active: [executionId], definition: { name: 'replayed' } } });
});

test('state reports a version that does not exist, with the newest one', async () => {
  for (const version of ['5', '99']) {
    const { code, stdout, stderr } = await run('state', `execution-${executionId}`, '--at-version', version);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`has no version ${version}: its newest is 4`);
  }
});

test('unknown streams and malformed arguments are reported and set the exit code', async () => {
  const unknown = await run('events', 'show', 'execution-00000000-0000-7000-8000-000000000000');
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toContain('no such stream');

  const malformed = await run('state', 'elephant');
  expect(malformed.code).toBe(64);
  expect(malformed.stderr).toContain('Expected task-<uuid>');
});

test('verify finds no fault in an intact log and its views', async () => {
  const verified = await run('verify');
  expect(verified).toMatchObject({ code: 0, stderr: '' });
  expect(verified.stdout).not.toContain('FAULT');
  // The last line tells the newest checkpoint.
  expect(verified.stdout.trim().split('\n')).toHaveLength(16);
});

test('verify names a changed view, and rebuild repairs it', async () => {
  await service.database.appPool.query("update read.tasks set name = 'tampered' where id = $1", [taskId]);
  const tampered = await run('verify', '--json');
  expect(tampered.code).toBe(1);
  const { reports } = JSON.parse(tampered.stdout) as { reports: { check: string; faults: string[] }[] };
  expect(reports.filter(({ faults }) => faults.length > 0)).toEqual([
    expect.objectContaining({ check: 'read.tasks equals a fold of the log', faults: [`${taskId}: name differs`] }),
  ]);

  const rebuilt = await run('rebuild');
  expect(rebuilt).toMatchObject({ code: 0, stderr: '' });
  expect(rebuilt.stdout).toContain('read.tasks: 1 rows, 1 differed');
  expect((await run('verify')).code).toBe(0);
});

test('verify names a replaced payload', async () => {
  const { ownerPool } = service.database;
  const { rows } = await ownerPool.query<{ payload_id: string; ciphertext: Buffer }>(
    'select * from es.payloads limit 1',
  );
  const [{ payload_id, ciphertext }] = rows as [{ payload_id: string; ciphertext: Buffer }];
  await exchange(payload_id, Buffer.from('something else'));
  const verified = await run('verify', '--no-nats');
  expect(verified.code).toBe(1);
  expect(verified.stdout).toContain(`payload ${payload_id} has been changed`);
  await exchange(payload_id, ciphertext);
});

/** As the database's owner could: past the trigger that protects payloads. */
async function exchange(payloadId: string, ciphertext: Buffer): Promise<void> {
  const { ownerPool } = service.database;
  await ownerPool.query('alter table es.payloads disable trigger write_once');
  await ownerPool.query('update es.payloads set ciphertext = $2 where payload_id = $1', [payloadId, ciphertext]);
  await ownerPool.query('alter table es.payloads enable always trigger write_once');
}

test('verify has its own exit code when it cannot decide', async () => {
  const env = { ...service.env, NATS_URL: 'nats://127.0.0.1:1' };
  const verified = await voidrunner(env, ['verify']);
  expect(verified.code).toBe(2);
  expect(verified.stderr).toContain('NATS does not respond');
});
