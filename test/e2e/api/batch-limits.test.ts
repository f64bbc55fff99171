import { Api, aTask, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({
    VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator,sealer',
    RATE_LIMIT_ENABLED: 'true',
    RATE_LIMIT_WRITES: '30',
    STORAGE_QUOTA_MB: '1',
  });
});
beforeEach(async () => {
  ada = await api.register();
});
afterAll(() => api.close());

const create = (items: object[]) => ada.send('POST', '/batches', { items });
const tasks = (count: number, fields: object = {}) => Array.from({ length: count }, () => ({ ...aTask, ...fields }));
/** Some earlier ones may have left the window, on a slow machine. */
const expectRemaining = ({ headers }: { headers: Headers }, expected: number) => {
  const remaining = Number(headers.get('ratelimit-remaining'));
  expect(remaining).toBeGreaterThanOrEqual(expected);
  expect(remaining).toBeLessThanOrEqual(expected + 3);
};

test('a batch counts as as many writes as it has items, also if it is refused', async () => {
  const first = await create(tasks(10));
  expect(first.status).toBe(202);
  expectRemaining(first, 20);
  const refused = await create(tasks(5, { priority: 11 }));
  expect(refused.status).toBe(400);
  expectRemaining(refused, 15);
  const head = await api.head();
  const third = await create(tasks(20));
  expect([third.status, third.body.error]).toEqual([429, 'Rate limit exceeded']);
  expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await api.head()).toBe(head);
  // Only the request itself was counted.
  expectRemaining(await create(tasks(1)), 13);
});

test('a batch that is larger than the limit is accepted after a pause', async () => {
  const { status, headers } = await create(tasks(60));
  expect([status, headers.get('ratelimit-remaining')]).toEqual([202, '0']);
});

test('a batch that does not fit the storage quota is refused, and nothing is recorded', async () => {
  const head = await api.head();
  const { status, body } = await create(tasks(25, { script_content: `#${'x'.repeat(60_000)}` }));
  expect([status, body.type]).toEqual([429, 'urn:voidrunner:problem:quota_exceeded']);
  expect(await api.head()).toBe(head);
});
