import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

import { ok, withId } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api, type Person } from './support/api.js';

const CAP = 1024 ** 2;
/** In JSON each of these bytes takes six characters. */
const FLOOD = `head -c ${CAP} /dev/zero | tr '\\0' '\\1' | tee /dev/stderr`;
const RUNS = 5;
const ANSWER_CHARS_MAX = 6 * 2 * CAP + 64 * 1024;

let api: Api;
let ada: Person;
let taskId: string;
let runs: string[];

/** One task with several executions, each with the maximum of stored output. */
async function flood(who: Person, count: number): Promise<[string, string[]]> {
  const { id } = await who.createTask({ script_type: 'bash', script_content: FLOOD, max_parallel: RUNS });
  const started = await Promise.all(Array.from({ length: count }, () => who.start(id)));
  for (const run of started) await who.client.follow(run.id);
  return [id, started.map((run) => run.id)];
}

beforeAll(async () => {
  api = await Api.start({ WORKER_POOL_SIZE: '3' });
  ada = await api.register();
  [taskId, runs] = await flood(ada, RUNS);
});
afterAll(() => api.close());

const textOf = async (path: string, headers: Record<string, string> = {}): Promise<Response & { body: unknown }> =>
  fetch(`${api.service.url}/api/v1${path}`, { headers: { authorization: `Bearer ${ada.token}`, ...headers } });

describe.each(['?limit=100', '?limit=100&cursor='])('a list with the output, %s', (query) => {
  test.each(['/executions', `/tasks/:id/executions`])(
    '%s contains output up to the limit, and refers to the rest',
    async (path) => {
      const answer = await textOf(`${path.replace(':id', taskId)}${query}&include=output`);
      const text = await answer.text();
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
      expect(text.length).toBeLessThan(ANSWER_CHARS_MAX);
      const { executions } = JSON.parse(text) as {
        executions: { id: string; output_excerpt: boolean; stdout: string }[];
      };
      expect(executions.map(({ id }) => id).toSorted()).toEqual(runs.toSorted());
      for (const { output_excerpt, stdout } of executions) {
        expect(output_excerpt).toBe(true);
        const share = Math.floor((2 * CAP) / (2 * RUNS));
        expect(stdout.replace(/\n… [\d,]+ bytes left out …\n/, '')).toBe('\u0001'.repeat(share));
      }
    },
  );
});

test('a single execution contains its whole output, as JSON and as bytes', async () => {
  const [id] = runs;
  const run = await ada.execution(id!);
  expect(run).toMatchObject({ output_excerpt: false, stdout_bytes: CAP });
  for (const stream of ['stdout', 'stderr'] as const) {
    expect(run[stream]).toBe('\u0001'.repeat(CAP));
    const raw = Buffer.from(await (await textOf(`/executions/${id}/output/${stream}`)).arrayBuffer());
    expect(raw.equals(Buffer.alloc(CAP, 1))).toBe(true);
  }
  const unchanged = await textOf(`/executions/${id}`, { 'if-none-match': `"${run.version}"` });
  expect([unchanged.status, await unchanged.text()]).toEqual([304, '']);
  const head = await fetch(`${api.service.url}/api/v1/executions/${id}`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${ada.token}` },
  });
  expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, `"${run.version}"`, '']);
});

test('a list of large scripts is not limited', async () => {
  const eve = await api.register();
  const script_content = `#${'\u0001'.repeat(65_000)}`;
  for (let count = 0; count < 6; count += 1) await eve.createTask({ script_content });
  const { tasks } = await ok(eve.api.GET('/api/v1/tasks'));
  expect(tasks.map((task) => task.script_content)).toEqual(Array.from({ length: 6 }, () => script_content));
});

/** A client that sends a request, and reads only the head of the response. */
async function slowReader(path: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${ada.token}` };
  const asked = request(`${api.service.url}/api/v1${path}`, { headers }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer;
}

test('a user who does not read his large responses waits for the next one; other users do not', async () => {
  const waiting = () => api.service.processes[0]!.infra.largeResponses.waiting;
  const path = '/executions?limit=100&include=output';
  const { id } = await ada.createTask();
  for (let no = 0; no < 18; no += 1) await ada.updateTask(id, { metadata: { no, text: 'x'.repeat(16_000) } });
  const slow = [await slowReader(path), await slowReader(path)];
  const next = [textOf(path), textOf(`/tasks/${id}/events`)];
  await eventually(async () => expect(waiting()).toBe(2));

  expect((await ada.api.GET('/api/v1/executions')).response.status).toBe(200);
  const bob = await api.register();
  const [, [bobs]] = await flood(bob, 1);
  expect((await bob.execution(bobs!)).stdout).toHaveLength(CAP);
  expect(waiting()).toBe(2);

  for (const answer of slow) answer.destroy();
  const [list, history] = await Promise.all(next);
  expect([list!.status, history!.status]).toEqual([200, 200]);
  expect(((await history!.json()) as { events: unknown[] }).events).toHaveLength(19);
  await list!.body?.cancel();
  await ok(ada.api.GET('/api/v1/executions/{id}', withId(runs[0]!)));
});
