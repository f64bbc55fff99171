import { EventEmitter } from 'node:events';

import { LargeBodies, releaseLargeBody } from '../../../src/http/large-bodies.js';

const MIB = 1024 ** 2;

function aRequest({ length = 2 * MIB, complete = false }: { length?: number; complete?: boolean } = {}) {
  const raw = { complete };
  const request = {
    raw,
    headers: { 'content-length': String(length) },
    routeOptions: { bodyLimit: 24 * MIB },
  };
  const reply = { raw: Object.assign(new EventEmitter(), { req: { socket: new EventEmitter() } }) };
  return { request: request as never, reply: reply as never, gone: () => reply.raw.emit('close') };
}

/** Whether the next request would get a slot at once. */
async function isFree(bodies: LargeBodies): Promise<boolean> {
  const { request, reply } = aRequest();
  const admitted = bodies.admit('next', request, reply).then(() => releaseLargeBody(request));
  const isIn = await Promise.race([admitted.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);
  return isIn as boolean;
}

const one = () => new LargeBodies({ concurrentMax: 1, waitingMax: 10, waitMsMax: 60_000 });

test('a client that disconnects while its body is read frees the slot', async () => {
  const bodies = one();
  const { request, reply, gone } = aRequest();
  await bodies.admit('ada', request, reply);
  expect(await isFree(bodies)).toBe(false);
  gone();
  expect(await isFree(bodies)).toBe(true);
});

test('a client that disconnects while its body is handled does not', async () => {
  const bodies = one();
  const { request, reply, gone } = aRequest({ complete: true });
  await bodies.admit('ada', request, reply);
  gone();
  expect(await isFree(bodies)).toBe(false);
  releaseLargeBody(request);
  releaseLargeBody(request);
  expect(await isFree(bodies)).toBe(true);
});

test('a body of a mebibyte is small', async () => {
  const bodies = one();
  const { request, reply } = aRequest({ length: MIB });
  await bodies.admit('ada', request, reply);
  expect(await isFree(bodies)).toBe(true);
});
