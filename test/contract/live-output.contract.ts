import { newId } from '../../src/kernel/uuid.js';
import type { LiveOutput, OutputChunk, OutputSource } from '../../src/live-output/live-output.js';

export const aSource = (changes: Partial<OutputSource> = {}): OutputSource => ({
  executionId: newId(),
  attempt: 1,
  startId: newId(),
  stream: 'stdout',
  ...changes,
});

export const chunk = (offset: number, text: string): OutputChunk => ({ offset, bytes: Buffer.from(text) });

const told = ({ offset, bytes }: OutputChunk): [number, string] => [offset, Buffer.from(bytes).toString()];

/** Reads until that many different chunks have arrived. */
export async function readSome(live: LiveOutput, source: OutputSource, count: number): Promise<[number, string][]> {
  const over = new AbortController();
  const read = new Map<number, string>();
  for await (const each of live.read(source, over.signal)) {
    read.set(...told(each));
    if (read.size === count) over.abort();
  }
  return [...read];
}

export function liveOutputContract(liveOutput: () => LiveOutput): void {
  let live: LiveOutput;
  beforeEach(() => {
    live = liveOutput();
  });

  test('a late reader gets everything from the beginning, then the new chunks', async () => {
    const source = aSource();
    await live.publish(source, chunk(0, 'a'));
    await live.publish(source, chunk(1, 'bc'));
    const over = new AbortController();
    const reader = live.read(source, over.signal)[Symbol.asyncIterator]();
    expect(told((await reader.next()).value as OutputChunk)).toEqual([0, 'a']);
    expect(told((await reader.next()).value as OutputChunk)).toEqual([1, 'bc']);
    const next = reader.next();
    await live.publish(source, chunk(3, 'd'));
    expect(told((await next).value as OutputChunk)).toEqual([3, 'd']);
    over.abort();
    expect(await reader.next()).toMatchObject({ done: true });
  });

  test('each stream, attempt and start is a separate source', async () => {
    const source = aSource();
    const others = [{ stream: 'stderr' }, { attempt: 2 }, { startId: newId() }, { executionId: newId() }] as const;
    for (const other of others) await live.publish({ ...source, ...other }, chunk(0, 'not this'));
    await live.publish(source, chunk(0, 'this'));
    expect(await readSome(live, source, 1)).toEqual([[0, 'this']]);
  });

  test('bytes arrive unchanged', async () => {
    const source = aSource();
    await live.publish(source, { offset: 0, bytes: Buffer.from([0, 255, 10, 13]) });
    for await (const { bytes } of live.read(source, AbortSignal.timeout(60_000))) {
      expect([...bytes]).toEqual([0, 255, 10, 13]);
      break;
    }
  });

  test('all readers get everything', async () => {
    const source = aSource();
    const readers = Array.from({ length: 5 }, () => readSome(live, source, 20));
    const chunks = Array.from({ length: 20 }, (_, n) => chunk(n, 'x'));
    for (const each of chunks) await live.publish(source, each);
    for (const read of await Promise.all(readers)) expect(read).toEqual(chunks.map(told));
  });

  test('a reader of a source without output can stop waiting', async () => {
    const over = new AbortController();
    const reading = live.read(aSource(), over.signal)[Symbol.asyncIterator]().next();
    over.abort();
    expect(await reading).toMatchObject({ done: true });
  });
}
