import { EventEmitter } from 'node:events';

import { Unavailable } from '../../../src/kernel/errors.js';
import { ConcurrentRequests } from '../../../src/platform/http/concurrent-requests.js';
import { HttpProblem } from '../../../src/platform/http/problem.js';

const aReply = (state: object = {}) => ({ raw: Object.assign(new EventEmitter(), state) as never });
const close = ({ raw }: { raw: EventEmitter }) => raw.emit('close');

test('a user has so many at once, and each user as many', () => {
  const requests = new ConcurrentRequests(2);
  requests.enter('ada', aReply());
  requests.enter('ada', aReply());
  expect(() => requests.enter('ada', aReply())).toThrow(HttpProblem);
  expect(requests.enter('bob', aReply()).aborted).toBe(false);
  expect(requests.count).toBe(3);
});

test('a refusal names the limit and says when to come back', () => {
  const requests = new ConcurrentRequests(0);
  const refused = expect.objectContaining({
    status: 429,
    detail: 'Rate limit exceeded',
    details: { limit: 'concurrent_requests', max: 0 },
    retryAfterSeconds: 1,
  });
  expect(() => requests.enter('ada', aReply())).toThrow(refused);
});

test('an answer that is out, or a client that is gone, makes room', () => {
  const requests = new ConcurrentRequests(1);
  const reply = aReply();
  const signal = requests.enter('ada', reply);
  close(reply);
  expect([signal.aborted, requests.count]).toEqual([true, 0]);
  expect(requests.enter('ada', aReply()).aborted).toBe(false);
});

test('a client that is gone already takes no place', () => {
  const requests = new ConcurrentRequests(1);
  expect(requests.enter('ada', aReply({ destroyed: true })).aborted).toBe(true);
  expect(requests.count).toBe(0);
});

test('those that are open learn that the process stops, and count until they are closed', () => {
  const requests = new ConcurrentRequests(1);
  const reply = aReply();
  const signal = requests.enter('ada', reply);
  requests.onModuleDestroy();
  expect(signal.reason).toBeInstanceOf(Unavailable);
  expect(requests.count).toBe(1);
  close(reply);
  expect(requests.count).toBe(0);
});
