import { ColdStarts, START_SLOT_TIMEOUT_MS } from '../../../src/sandbox/cold-starts.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const soon = () => jest.advanceTimersByTimeAsync(1);

function line(max: number) {
  const starts = new ColdStarts(max);
  const begun: string[] = [];
  const begin = (name: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const result = starts.run(() => {
      begun.push(name);
      return promise;
    });
    return { result, ready: () => resolve(name), fail: () => reject(new Error(name)) };
  };
  return { starts, begun, begin };
}

it('starts run up to the limit, in order of arrival', async () => {
  const { begun, begin } = line(2);
  const [a, b] = ['a', 'b', 'c', 'd'].map(begin);
  await soon();
  expect(begun).toEqual(['a', 'b']);
  b!.ready();
  await expect(b!.result).resolves.toBe('b');
  await soon();
  expect(begun).toEqual(['a', 'b', 'c']);
  a!.ready();
  await soon();
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
});

it('continues after a failed start', async () => {
  const { begun, begin } = line(1);
  const a = begin('a');
  const b = begin('b');
  a.fail();
  await expect(a.result).rejects.toThrow('a');
  b.ready();
  await expect(b.result).resolves.toBe('b');
  expect(begun).toEqual(['a', 'b']);
});

it('does not wait for a start that hangs, whose end then frees no second slot', async () => {
  const { begun, begin } = line(1);
  const [hangs, second] = ['hangs', 'second', 'third', 'fourth'].map(begin);
  await jest.advanceTimersByTimeAsync(START_SLOT_TIMEOUT_MS);
  expect(begun).toEqual(['hangs', 'second']);
  hangs!.ready();
  await soon();
  expect(begun).toEqual(['hangs', 'second']);
  second!.ready();
  await soon();
  expect(begun).toEqual(['hangs', 'second', 'third']);
});
