import { eventually } from '../../support/eventually.js';
import { Api, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({});
  ada = await api.register();
});
afterAll(() => api.close());

const completed = (id: string, count: number) =>
  eventually(
    async () => {
      const batch = await ada.ok('GET', `/batches/${id}`);
      expect(batch.counts).toMatchObject({ completed: count });
      return batch;
    },
    { timeoutMs: 120_000 },
  );
const outputsOf = async ({ executions }: any): Promise<string[]> =>
  Promise.all(executions.map(async ({ id }: any) => (await ada.execution(id)).stdout));

test('a batch of tasks is executed, and executed again', async () => {
  const items = ['a', 'b', 'c'].map((arg) => ({
    ...{ name: arg, script_type: 'bash', script_content: 'echo "$1"; cat data' },
    input: { args: [arg], files: [{ path: 'data', content: arg }] },
  }));
  const { body } = await ada.send('POST', '/batches', { items });
  const outputs = ['a\na', 'b\nb', 'c\nc'];
  expect(await outputsOf(await completed(body.id, 3))).toEqual(outputs);
  await api.listsCaughtUp();
  const again = await ada.send('POST', '/executions/rerun', { filter: { status: 'completed' } });
  expect(again.status).toBe(202);
  expect((await outputsOf(await completed(again.body.id, 3))).toSorted()).toEqual(outputs);
});
