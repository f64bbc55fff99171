import { EventEmitter, once } from 'node:events';

import type { FastifyReply } from 'fastify';

import { cutOffWhenStalled } from '../../../src/http/stalled-client.js';
import { allOf } from '../../support/all-of.js';
import { runningTimers } from '../../support/timers.js';

const A_MINUTE_MS = 60_000;

function aReply() {
  const raw = Object.assign(new EventEmitter(), {
    req: { socket: new EventEmitter() },
    destroy: () => raw.emit('destroyed'),
  });
  return { reply: { raw } as unknown as FastifyReply, raw };
}

test('the client must also read buffered content in time', async () => {
  const { reply, raw } = aReply();
  const cutOff = once(raw, 'destroyed');
  expect(await allOf(cutOffWhenStalled(reply, ['a', 'b'], 10))).toEqual(['a', 'b']);
  await cutOff;
});

test('a finished response leaves nothing behind', async () => {
  const { reply, raw } = aReply();
  const before = runningTimers();
  await allOf(cutOffWhenStalled(reply, ['a', 'b'], A_MINUTE_MS));
  expect(runningTimers()).toBe(before + 1);
  raw.emit('close');
  expect(runningTimers()).toBe(before);
});
