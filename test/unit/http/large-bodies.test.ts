import { EventEmitter } from 'node:events';

import { isLargeBody, LargeBodies, releaseLargeBody } from '../../../src/http/large-bodies.js';

const MIB = 1024 ** 2;

interface Given {
  readonly length?: number;
  readonly type?: string;
  readonly complete?: boolean;
  readonly hasLeft?: boolean;
}

function aRequest({ length = 2 * MIB, type = 'application/json', complete = false, hasLeft = false }: Given = {}) {
  const raw = { complete };
  const request = {
    raw,
    headers: { 'content-length': String(length), 'content-type': type },
    routeOptions: { bodyLimit: 24 * MIB, config: {} },
  };
  const reply = { raw: Object.assign(new EventEmitter(), { destroyed: hasLeft, req: { socket: new EventEmitter() } }) };
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

test('a client that has left gets no slot', async () => {
  const bodies = one();
  const { request, reply } = aRequest({ complete: true, hasLeft: true });
  await expect(bodies.admit('ada', request, reply)).rejects.toMatchObject({ status: 499 });
  expect(await isFree(bodies)).toBe(true);
});

test.each([
  ['two mebibytes of JSON', {}, true],
  ['a mebibyte', { length: MIB }, false],
  ['two mebibytes that will be refused', { type: 'text/plain' }, false],
])('%s', (_, given, isLarge) => {
  expect(isLargeBody(aRequest(given).request)).toBe(isLarge);
});
