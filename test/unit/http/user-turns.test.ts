import { EventEmitter } from 'node:events';

import { HttpProblem } from '../../../src/platform/http/problem.js';
import { UserTurns } from '../../../src/platform/http/user-turns.js';

const aReply = (state: object = {}) => {
  const socket = new EventEmitter();
  return { raw: Object.assign(new EventEmitter(), { req: { socket }, ...state }) as never, socket };
};
const close = ({ raw }: { raw: EventEmitter }) => raw.emit('close');
const aTurns = (more: object = {}) =>
  new UserTurns({ name: 'things', atOnce: 2, waitingMax: 2, waitMsMax: 60_000, ...more });

/** Whether each has its turn, once all that can happen has. */
async function haveTurns(taken: readonly Promise<unknown>[]): Promise<boolean[]> {
  const has = taken.map(() => false);
  taken.forEach((turn, index) => void turn.then(() => (has[index] = true)).catch(() => undefined));
  await new Promise(setImmediate);
  return has;
}

test('so many of a user at a time, the others in their order, and nobody waits for another user', async () => {
  const turns = aTurns();
  const replies = Array.from({ length: 4 }, () => aReply());
  const adas = replies.map((reply) => turns.take('ada', reply));
  const bobs = turns.take('bob', aReply());
  expect(await haveTurns([...adas, bobs])).toEqual([true, true, false, false, true]);
  expect(turns.waiting).toBe(2);
  close(replies[1]!);
  expect(await haveTurns(adas)).toEqual([true, true, true, false]);
  const end = await adas[0]!;
  end();
  // What ends twice has one turn to give.
  end();
  close(replies[0]!);
  expect(await haveTurns([...adas, turns.take('ada', aReply())])).toEqual([true, true, true, true, false]);
});

test('whoever is one too many is refused, with when to come back', async () => {
  const turns = aTurns({ atOnce: 1, waitingMax: 0 });
  await turns.take('ada', aReply());
  await expect(turns.take('ada', aReply())).rejects.toMatchObject({
    status: 429,
    code: 'concurrent_requests_exceeded',
    details: { limit: 'things', max: 1 },
    retryAfterSeconds: 1,
  });
});

test('whoever has waited too long is refused, and is not given a turn later', async () => {
  const turns = aTurns({ atOnce: 1, waitMsMax: 1 });
  const first = aReply();
  await turns.take('ada', first);
  await expect(turns.take('ada', aReply())).rejects.toBeInstanceOf(HttpProblem);
  close(first);
  expect(await haveTurns([turns.take('ada', aReply())])).toEqual([true]);
});

test('a client that goes while it waits is passed over', async () => {
  const turns = aTurns({ atOnce: 1 });
  const [first, gone] = [aReply(), aReply()];
  await turns.take('ada', first);
  const waiting = turns.take('ada', gone);
  const next = turns.take('ada', aReply());
  gone.socket.emit('close');
  await expect(waiting).rejects.toBeInstanceOf(HttpProblem);
  close(first);
  expect(await haveTurns([next])).toEqual([true]);
});

test('a client that is gone already takes no turn', async () => {
  const turns = aTurns({ atOnce: 1, waitingMax: 0 });
  await turns.take('ada', aReply({ destroyed: true }));
  expect(await haveTurns([turns.take('ada', aReply())])).toEqual([true]);
});
