import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';

import { OpenRequests } from '../../../src/platform/http/open-requests.js';

describe('requests held open', () => {
  const client = () => ({ raw: new EventEmitter() as ServerResponse });
  const untilAborted = (signal: AbortSignal) =>
    new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('ended')));

  it('refuses a user more than so many at once, before anything is done, and nobody else', async () => {
    const requests = new OpenRequests(2);
    const clients = [client(), client()];
    const held = clients.map((reply) => requests.hold('a', reply, untilAborted));
    let done = 0;
    const work = async () => (done += 1);

    await expect(requests.hold('a', client(), work)).rejects.toMatchObject({ status: 429, retryAfterSeconds: 1 });
    expect(done).toBe(0);
    expect(await requests.hold('b', client(), work)).toBe(1);
    expect(requests.count).toBe(2);

    clients[0]!.raw.emit('close');
    expect(await held[0]).toBe('ended');
    expect(await requests.hold('a', client(), work)).toBe(2);

    clients[1]!.raw.emit('close');
    await held[1];
    expect(requests.count).toBe(0);
  });

  it('counts no request that has failed', async () => {
    const requests = new OpenRequests(1);
    await expect(requests.hold('a', client(), () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
    expect(requests.count).toBe(0);
  });

  it('ends all of them when the process stops, and each that comes after', async () => {
    const requests = new OpenRequests(1);
    const held = requests.hold('a', client(), untilAborted);
    requests.onModuleDestroy();
    expect(await held).toBe('ended');
    await requests.hold('a', client(), async (signal) => expect(signal.aborted).toBe(true));
  });
});
