import { EventEmitter } from 'node:events';

import { HttpProblem } from '../../../src/http/problem.js';
import { LargeResponses, UserConcurrencyLimit } from '../../../src/http/user-concurrency.js';

const aReply = (state: object = {}) => {
  const socket = new EventEmitter();
  return { raw: Object.assign(new EventEmitter(), { req: { socket }, ...state }) as never, socket };
};
const close = ({ raw }: { raw: EventEmitter }) => raw.emit('close');
const aLimit = (more: object = {}) =>
  new UserConcurrencyLimit({ name: 'things', concurrentMax: 2, waitingMax: 2, waitMsMax: 60_000, ...more });

/** Whether each has a slot, after all pending steps. */
async function haveSlots(taken: readonly Promise<unknown>[]): Promise<boolean[]> {
  const has = taken.map(() => false);
  taken.forEach((turn, index) => {
    void turn.then(
      () => (has[index] = true),
      (refused: unknown) => expect(refused).toBeInstanceOf(Error),
    );
  });
  await new Promise(setImmediate);
  return has;
}

test('each user’s requests run up to the limit, in order, and users do not wait for each other', async () => {
  const limit = aLimit();
  const replies = Array.from({ length: 4 }, () => aReply());
  const adas = replies.map((reply) => limit.acquire('ada', reply));
  const bobs = limit.acquire('bob', aReply());
  expect(await haveSlots([...adas, bobs])).toEqual([true, true, false, false, true]);
  expect(limit.waiting).toBe(2);
  close(replies[1]!);
  expect(await haveSlots(adas)).toEqual([true, true, true, false]);
  const end = await adas[0]!;
  end();
  // A request that ends twice frees one slot.
  end();
  close(replies[0]!);
  expect(await haveSlots([...adas, limit.acquire('ada', aReply())])).toEqual([true, true, true, true, false]);
});

test('a request beyond the queue’s limit is refused, with when to try again', async () => {
  const limit = aLimit({ concurrentMax: 1, waitingMax: 0 });
  await limit.acquire('ada', aReply());
  await expect(limit.acquire('ada', aReply())).rejects.toMatchObject({
    status: 429,
    code: 'concurrent_requests_exceeded',
    details: { limit: 'things', max: 1 },
    retryAfterSeconds: 1,
  });
});

test('a request that has waited too long is refused, and gets no slot later', async () => {
  const limit = aLimit({ concurrentMax: 1, waitMsMax: 1 });
  const first = aReply();
  await limit.acquire('ada', first);
  await expect(limit.acquire('ada', aReply())).rejects.toBeInstanceOf(HttpProblem);
  close(first);
  expect(await haveSlots([limit.acquire('ada', aReply())])).toEqual([true]);
});

test('a client that disconnects while it waits is skipped', async () => {
  const limit = aLimit({ concurrentMax: 1 });
  const [first, gone] = [aReply(), aReply()];
  await limit.acquire('ada', first);
  const waiting = limit.acquire('ada', gone);
  const next = limit.acquire('ada', aReply());
  gone.socket.emit('close');
  await expect(waiting).rejects.toBeInstanceOf(HttpProblem);
  close(first);
  expect(await haveSlots([next])).toEqual([true]);
});

test('a client that has already disconnected gets no slot', async () => {
  const limit = aLimit({ concurrentMax: 1, waitingMax: 0 });
  await limit.acquire('ada', aReply({ destroyed: true }));
  expect(await haveSlots([limit.acquire('ada', aReply())])).toEqual([true]);
});

test('a large response has one slot, however often it asks', async () => {
  const limit = new LargeResponses({ name: 'things', concurrentMax: 1, waitingMax: 0, waitMsMax: 60_000 });
  const reply = aReply();
  await limit.acquire('ada', reply);
  await limit.acquire('ada', reply);
  await expect(limit.acquire('ada', aReply())).rejects.toMatchObject({ status: 429 });
  close(reply);
  await limit.acquire('ada', aReply());
});
