import { ok, withId } from '../../support/api-client.js';
import { declaredRuntimes, runtimeOf } from '../../support/declared-runtimes.js';
import { eventually } from '../../support/eventually.js';
import { MarkedImage } from '../../support/marked-image.js';
import { RuntimeFiles } from '../../support/runtime-files.js';
import { Api, type Person } from './support/api.js';

/** More than a worker takes to see another image, and the API to hear of it. */
const SEEN_TIMEOUT_MS = 60_000;

const image = new MarkedImage();
let files: RuntimeFiles;
let api: Api;
let ada: Person;

beforeAll(async () => {
  files = await RuntimeFiles.copy();
  await image.mark(runtimeOf('bash').image, 'first');
  const own = { name: 'marked', aliases: '[marked-bash]', image: image.name };
  const bash = Object.entries(own).reduce(
    (file, [field, value]) => file.replace(new RegExp(`^${field}: .*$`, 'm'), `${field}: ${value}`),
    await files.read('bash'),
  );
  await files.write('marked', bash);
  await files.write(
    'missing',
    bash
      .replace('name: marked', 'name: missing')
      .replace('marked-bash', 'gone')
      .replace(image.name, 'example.org/no-such-image:1'),
  );
  api = await Api.start({ RUNTIMES_DIR: files.folder });
  ada = await api.register();
});
afterAll(async () => {
  await api.close();
  await image.removeAll();
  await files.remove();
});

const runtime = async (name: string) => {
  const { runtimes } = await ok(ada.api.GET('/api/v1/runtimes'));
  return runtimes.find((each) => each.name === name)!;
};

/** A run that prints the mark of its image. */
const markOf = async (script_content = 'cat /mark') => {
  const task = { script_type: 'marked', script_content, retry: { max_attempts: 1, retry_on: ['exit_code' as const] } };
  const { id } = await ada.start((await ada.createTask(task as never)).id);
  return ada.client.follow(id);
};

const requestOf = async (id: string) => {
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(id)));
  return events.find(({ type }) => type === 'ExecutionRequested')!.data as {
    script_type: string;
    image_digest: string;
  };
};

test('the runtimes are listed without a login, with what workers have', async () => {
  await eventually(async () => expect((await runtime('bash')).available).toBe(true));
  const { status, body } = await api.anonymous<{ runtimes: { name: string }[] }>('GET', '/runtimes');
  expect(status).toBe(200);
  expect(body.runtimes.map(({ name }) => name)).toEqual([...declaredRuntimes.names, 'marked', 'missing'].toSorted());
  expect(await runtime('go')).toMatchObject({
    ...{ aliases: ['golang'], language: 'Go', compiled: true, file_name: 'main.go', memory_mb_min: 32, pids_min: 32 },
    ...{ available: true, preloaded: false, version: expect.stringMatching(/^go version go1\.\d+/) as string },
    image_digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
  });
  expect(await runtime('python')).toMatchObject({ compiled: false, preloaded: true });
  expect(await runtime('missing')).toMatchObject({ available: false, image_digest: null, version: null });
});

test('a runtime can be named by an alias, and is recorded by its name', async () => {
  const task = await ada.createTask({ script_type: 'sh' as never, script_content: 'echo hi' });
  expect(task.script_type).toBe('bash');
  expect(await ada.updateTask(task.id, { script_type: 'py' as never })).toMatchObject({ script_type: 'python' });
  const once = await ada.ok('POST', '/executions?wait=60', {
    name: 'once',
    script_type: 'shell',
    script_content: 'echo hi',
  });
  expect(once).toMatchObject({ status: 'completed', stdout: 'hi\n' });
  await api.listsCaughtUp();
  const { executions } = await ada.ok('GET', '/executions?script_type=sh');
  expect(executions).toMatchObject([{ id: once.id }]);
});

test('an unknown runtime is refused, and the runtimes are named', async () => {
  for (const [method, path, body] of [
    ['POST', '/tasks', { name: 'a', script_type: 'cobol', script_content: 'x' }],
    ['POST', '/executions', { name: 'a', script_type: 'cobol', script_content: 'x' }],
    ['POST', '/tasks', { name: 'a', script_type: '', script_content: 'x' }],
  ] as const) {
    const { status, body: problem } = await ada.send(method, path, body);
    expect({ status, problem }).toMatchObject({
      status: 400,
      problem: {
        validation_errors: [
          { field: 'script_type', tag: 'oneof', message: expect.stringContaining('bash, c,') as string },
        ],
      },
    });
  }
});

test('a runtime without an image fails its executions as infrastructure', async () => {
  const { id } = await ada.start(
    (await ada.createTask({ script_type: 'missing' as never, retry: { max_attempts: 1 } })).id,
  );
  expect(await ada.client.follow(id)).toMatchObject({
    status: 'failed',
    termination_reason: 'infrastructure',
  });
});

test('an execution runs in the image that was current at its request, also when it is redriven', async () => {
  const digest = await eventually(async () => {
    const { image_digest } = await runtime('marked');
    expect(image_digest).not.toBeNull();
    return image_digest!;
  });
  const first = await markOf('cat /mark; exit 3');
  expect(first.stdout).toBe('first\n');
  expect(await requestOf(first.id)).toMatchObject({ script_type: 'marked', image_digest: digest });

  const second = await image.mark(runtimeOf('bash').image, 'second');
  await eventually(async () => expect((await runtime('marked')).image_digest).toBe(second), {
    timeoutMs: SEEN_TIMEOUT_MS,
  });
  expect((await markOf()).stdout).toBe('second\n');

  await ada.ok('POST', `/dead-letters/${first.id}/redrive`);
  const again = await ada.client.follow(first.id, ({ attempt, dead_lettered }) => attempt === 2 && dead_lettered);
  expect(again.stdout).toBe('first\n');

  await image.remove(digest);
  await ada.ok('POST', `/dead-letters/${first.id}/redrive`);
  const gone = await ada.client.follow(first.id, ({ attempt, status }) => attempt === 3 && status === 'failed');
  expect(gone.termination_reason).toBe('infrastructure');
});

test('a task whose runtime is no longer declared keeps its history, and cannot be started', async () => {
  const task = await ada.createTask({ script_type: 'marked' as never });
  await files.delete('marked');
  const next = await api.service.start({ VOIDRUNNER_ROLES: 'api' });
  const ask = async (method: string, path: string) => {
    const headers = { authorization: `Bearer ${ada.token}` };
    const response = await fetch(`${next.url}/api/v1${path}`, { method, headers });
    return { status: response.status, body: (await response.json()) as object };
  };
  try {
    expect(await ask('POST', `/tasks/${task.id}/executions`)).toMatchObject({
      status: 409,
      body: { type: 'urn:voidrunner:problem:runtime_removed' },
    });
    expect((await ask('GET', '/tasks?script_type=marked')).body).toMatchObject({
      tasks: expect.arrayContaining([expect.objectContaining({ id: task.id })]) as object,
    });
    expect((await ask('GET', `/tasks/${task.id}`)).body).toMatchObject({ script_type: 'marked' });
  } finally {
    await api.service.stop(next);
  }
});
