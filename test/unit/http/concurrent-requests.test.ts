import { EventEmitter } from 'node:events';

import { ConcurrentRequests } from '../../../src/http/concurrent-requests.js';
import { HttpProblem } from '../../../src/http/problem.js';
import { Unavailable } from '../../../src/kernel/errors.js';

const aReply = (state: object = {}) => {
  const socket = new EventEmitter();
  return { raw: Object.assign(new EventEmitter(), { req: { socket }, ...state }) as never, socket };
};
const close = ({ raw }: { raw: EventEmitter }) => raw.emit('close');

test('each user has the same limit of concurrent requests', () => {
  const requests = new ConcurrentRequests(2);
  requests.enter('wait', 'ada', aReply());
  requests.enter('wait', 'ada', aReply());
  expect(() => requests.enter('wait', 'ada', aReply())).toThrow(HttpProblem);
  expect(requests.enter('follow', 'bob', aReply()).aborted).toBe(false);
  expect(requests.counts).toEqual({ follow: 1, wait: 2 });
});

test('a refusal names the limit, and when to try again', () => {
  const requests = new ConcurrentRequests(0);
  const refused = expect.objectContaining({
    status: 429,
    detail: 'Rate limit exceeded',
    details: { limit: 'concurrent_requests', max: 0 },
    retryAfterSeconds: 1,
  });
  expect(() => requests.enter('wait', 'ada', aReply())).toThrow(refused);
});

test('a finished response or a closed connection frees its place', () => {
  const requests = new ConcurrentRequests(1);
  const reply = aReply();
  const signal = requests.enter('wait', 'ada', reply);
  close(reply);
  expect([signal.aborted, requests.counts.wait]).toEqual([true, 0]);
  expect(requests.enter('wait', 'ada', aReply()).aborted).toBe(false);
});

test('so does a connection that closes while its response waits behind another', () => {
  const requests = new ConcurrentRequests(1);
  const { raw, socket } = aReply();
  const signal = requests.enter('follow', 'ada', { raw });
  socket.emit('close');
  close({ raw });
  expect([signal.aborted, requests.counts.follow]).toEqual([true, 0]);
});

test('a client that has already disconnected takes no place', () => {
  const requests = new ConcurrentRequests(1);
  expect(requests.enter('wait', 'ada', aReply({ destroyed: true })).aborted).toBe(true);
  expect(requests.counts.wait).toBe(0);
});

test('open requests learn that the process stops, and count until they are closed', () => {
  const requests = new ConcurrentRequests(1);
  const reply = aReply();
  const signal = requests.enter('wait', 'ada', reply);
  requests.onModuleDestroy();
  expect(signal.reason).toBeInstanceOf(Unavailable);
  expect(requests.counts.wait).toBe(1);
  close(reply);
  expect(requests.counts.wait).toBe(0);
});
