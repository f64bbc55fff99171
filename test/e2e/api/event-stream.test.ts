import { EventReader } from '../../support/event-reader.js';
import { eventually } from '../../support/eventually.js';
import { Api, NO_WORKER, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({ ...NO_WORKER, RATE_LIMIT_CONCURRENT: '3' });
  ada = await api.register();
});
afterAll(() => api.close());

const openStreams = () => api.service.processes[0]!.infra.concurrent.counts.follow;
const follow = (id: string, headers: Record<string, string> = {}, who = ada) =>
  EventReader.of(`${api.service.url}/api/v1/executions/${id}/events`, {
    authorization: `Bearer ${who.token}`,
    ...headers,
  });
const report = (id: string, status: string) => ada.ok('PUT', `/executions/${id}`, { status });

test('the stream shows an execution from its request to its end, like its history', async () => {
  const { id } = await ada.startExternal();
  const events = await follow(id);
  expect([events.status, events.headers.get('content-type'), events.headers.get('cache-control')]).toEqual([
    200,
    'text/event-stream',
    'no-store',
  ]);
  expect(events.headers.get('vary')).toContain('Accept');
  expect(await events.next()).toMatchObject({ id: '1', event: 'ExecutionRequested' });
  await report(id, 'running');
  expect(await events.next()).toMatchObject({ id: '2', event: 'ExecutionAttemptStarted' });
  await report(id, 'completed');
  const rest = await events.rest();
  expect(rest.map(({ event }) => event)).toEqual(['ExecutionReported']);
  const history = await ada.ok('GET', `/executions/${id}/events`);
  expect(events.received.map(({ data }) => data)).toEqual(history.events);
  await eventually(() => expect(openStreams()).toBe(0));
});

test('a reconnecting client continues after its last event, and learns when there are no more', async () => {
  const { id } = await ada.startExternal();
  const first = await follow(id);
  await first.next();
  first.leave();
  await report(id, 'running');
  const second = await follow(id, { 'last-event-id': '1' });
  expect(await second.next()).toMatchObject({ id: '2', event: 'ExecutionAttemptStarted' });
  await report(id, 'failed');
  expect((await second.rest()).map(({ id: version }) => version)).toEqual(['3']);

  const late = await follow(id, { 'last-event-id': '2' });
  expect((await late.rest()).map(({ id: version }) => version)).toEqual(['3']);
  const done = await ada.send('GET', `/executions/${id}/events`, undefined, {
    accept: 'text/event-stream',
    'last-event-id': '3',
  });
  expect(done.status).toBe(204);
});

test('each follower receives the events of its own execution only', async () => {
  const [one, two] = [await ada.startExternal(), await ada.startExternal()];
  const [ofOne, ofTwo] = [await follow(one.id), await follow(two.id)];
  await ada.ok('DELETE', `/executions/${one.id}`);
  expect((await ofOne.rest()).map(({ event }) => event)).toEqual(['ExecutionRequested', 'ExecutionCancelled']);
  await report(two.id, 'completed');
  expect((await ofTwo.rest()).map(({ event }) => event)).toEqual([
    'ExecutionRequested',
    'ExecutionAttemptStarted',
    'ExecutionReported',
  ]);
});

test.each([
  ['an unknown execution', () => '01900000-0000-7000-8000-000000000000', {}, 404],
  ['an invalid event id', (id: string) => id, { 'last-event-id': 'x' }, 400],
])('%s is refused as for any other request', async (_, idOf, headers, status) => {
  const { id } = await ada.startExternal();
  const path = `/executions/${idOf(id)}/events`;
  const answer = await ada.send('GET', path, undefined, { accept: 'text/event-stream', ...headers });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    status,
    'application/problem+json; charset=utf-8',
  ]);
});

test('another user’s execution is a 403', async () => {
  const { id } = await ada.startExternal();
  expect((await follow(id, {}, await api.register())).status).toBe(403);
});

test('the number of open streams per user is limited; closing one makes room for another', async () => {
  const { id } = await ada.startExternal();
  const streams = [await follow(id), await follow(id), await follow(id)];
  const refused = await ada.send('GET', `/executions/${id}/events`, undefined, { accept: 'text/event-stream' });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  streams[0]!.leave();
  await eventually(() => expect(openStreams()).toBe(2));
  const [next] = [await follow(id)];
  expect(next.status).toBe(200);
  for (const stream of [...streams, next]) stream.leave();
  await eventually(() => expect(openStreams()).toBe(0));
});

test('a process that stops ends its streams cleanly, and another process continues them', async () => {
  const { id } = await ada.startExternal();
  const events = await follow(id);
  await events.next();
  const [first] = api.service.processes;
  await api.service.start({ ...NO_WORKER });
  await api.service.stop(first!);
  expect(await events.rest()).toEqual([]);
  const again = await follow(id, { 'last-event-id': events.received.at(-1)!.id });
  await report(id, 'completed');
  expect((await again.rest()).map(({ event }) => event)).toEqual(['ExecutionAttemptStarted', 'ExecutionReported']);
});
