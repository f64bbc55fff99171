import { Wakeup } from '../../../src/platform/async/wakeup.js';

describe('Wakeup', () => {
  it('ends a wait at once if it woke between the check and the wait', async () => {
    const wakeup = new Wakeup();
    const { seen } = wakeup;
    wakeup.wake();
    expect(await wakeup.wait(seen, 60_000)).toBe(true);
  });

  it('wakes every waiting caller', async () => {
    const wakeup = new Wakeup();
    const waits = [wakeup.wait(wakeup.seen, 60_000), wakeup.wait(wakeup.seen, 60_000)];
    wakeup.wake();
    expect(await Promise.all(waits)).toEqual([true, true]);
  });

  it('reports whether the time was over or the signal aborted', async () => {
    const wakeup = new Wakeup();
    expect(await wakeup.wait(wakeup.seen, 1)).toBe(false);
    const controller = new AbortController();
    const wait = wakeup.wait(wakeup.seen, 60_000, controller.signal);
    controller.abort();
    expect(await wait).toBe(false);
    expect(await wakeup.wait(wakeup.seen, 60_000, controller.signal)).toBe(false);
  });
});
