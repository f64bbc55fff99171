import type { StoredEvent } from '../../../src/event-sourcing/core/stored-event.js';
import { RecentEvents } from '../../../src/event-sourcing/event-store/recent-events.js';

const event = (position: number, data = '{}') => ({ position: BigInt(position), data, metadata: '{}' }) as StoredEvent;
const positions = (events: readonly StoredEvent[]) => events.map(({ position }) => Number(position));

describe('RecentEvents', () => {
  let recent: RecentEvents;
  const after = (position: number, limit = 100) => positions(recent.after(BigInt(position), limit));
  beforeEach(() => {
    recent = new RecentEvents();
    recent.after(0n, 1);
  });

  it('keeps nothing before the first read', () => {
    recent = new RecentEvents();
    recent.add([event(5)]);
    expect(after(4)).toEqual([]);
    recent.add([event(6)]);
    expect(after(5)).toEqual([6]);
  });

  it('takes no event of a log that it has forgotten', () => {
    recent.add([event(5)]);
    const { generation } = recent;
    recent.forget();
    recent.add([event(6)], generation);
    expect(after(5)).toEqual([]);
    recent.add([event(6)], recent.generation);
    expect(after(5)).toEqual([6]);
  });

  it('returns the events after a position', () => {
    recent.add([event(5), event(6)]);
    recent.add([event(7)]);
    expect(after(4)).toEqual([5, 6, 7]);
    expect(after(5, 1)).toEqual([6]);
    expect(after(7)).toEqual([]);
    expect(after(9)).toEqual([]);
  });

  it('returns nothing for a position before its first event', () => {
    expect(after(0)).toEqual([]);
    recent.add([event(5)]);
    expect(after(3)).toEqual([]);
  });

  it('starts again after a gap, and after an earlier position arrives late', () => {
    recent.add([event(5)]);
    recent.add([event(7)]);
    expect(after(4)).toEqual([]);
    expect(after(6)).toEqual([7]);
    recent.add([event(6)]);
    expect(after(5)).toEqual([6]);
    expect(after(6)).toEqual([]);
  });

  it('keeps the newest thousand events, and fewer if they are large', () => {
    recent.add(Array.from({ length: 1_200 }, (_, index) => event(index + 1)));
    expect(after(199)).toEqual([]);
    expect(after(200, 1)).toEqual([201]);
    const large = 'x'.repeat(1024 ** 2);
    recent.add([1, 2, 3, 4].map((more) => event(1_200 + more, large)));
    expect(after(1_200)).toEqual([]);
    expect(after(1_201)).toEqual([1_202, 1_203, 1_204]);
  });

  it('forgets all events on request', () => {
    recent.add([event(5)]);
    recent.forget();
    expect(after(4)).toEqual([]);
  });
});
