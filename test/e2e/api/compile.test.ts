import { RETRYABLE_REASONS } from '../../../src/tasks/domain/execution-shape.js';
import { ok, withId } from '../../support/api-client.js';
import { Api, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({ WORKER_POOL_SIZE: '1' });
  ada = await api.register();
});
afterAll(() => api.close());

const WARNS = `#include <stdio.h>
#warning take care
int main(void) { puts("ran"); return 3; }`;

async function run(script_content: string) {
  const retry = { max_attempts: 3, initial_delay_ms: 0, retry_on: [...RETRYABLE_REASONS] };
  const limits = { memory_mb: 16, pids: 16 };
  const { id } = await ada.createTask({ script_type: 'c', script_content, limits, retry });
  return ada.client.follow((await ada.start(id)).id);
}

test('a program that does not compile ends as failed, and shows what its compiler said', async () => {
  const ended = await run('int main(void) {\n  return nothing;\n}');
  expect(ended).toMatchObject({
    status: 'failed',
    termination_reason: 'compile',
    attempt: 1,
    return_code: null,
    ...{ stdout: '', stderr: '', files: [] },
    compile: { return_code: 1, stdout: '', stderr: expect.stringContaining('main.c:2:10: error:') },
  });
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(ended.id)));
  expect(JSON.stringify(events)).not.toContain('main.c');
});

test('every run of a source shows the warnings of its compiler, which are no output of the program', async () => {
  const [first, second] = [await run(WARNS), await run(WARNS)];
  expect(first).toMatchObject({
    ...{ termination_reason: 'exit_code', return_code: 3, stdout: 'ran\n', stderr: '' },
    compile: { return_code: 0, stdout: '', stderr: expect.stringContaining('#warning take care') },
  });
  expect(second).toMatchObject({ stdout: 'ran\n', compile: first.compile! });
  const lists = [await ada.ok('GET', '/executions'), await ada.ok('GET', '/executions?include=output')];
  expect(lists.map(({ executions }) => executions[0].compile.stderr)).toEqual([null, first.compile!.stderr]);
});

test('a runtime without a compiler shows none', async () => {
  const { id } = await ada.createTask({ script_type: 'bash', script_content: 'true' });
  expect(await ada.client.follow((await ada.start(id)).id)).toMatchObject({ status: 'completed', compile: null });
});
