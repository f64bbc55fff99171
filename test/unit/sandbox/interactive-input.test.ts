import * as fc from 'fast-check';

import { INPUT_WAITING_BYTES_MAX, InteractiveInput } from '../../../src/sandbox/interactive-input.js';

const WINDOW = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** A cell that takes input as the test tells it to. */
class Taker {
  readonly frames: Buffer[] = [];
  private taken = 0;

  constructor(
    private readonly input: InteractiveInput,
    /** Where its count begins, so that it soon passes 2^32. */
    private readonly from = 0,
  ) {}

  connect(): void {
    this.input.connect((bytes) => this.frames.push(Buffer.from(bytes)));
  }

  get received(): Buffer {
    return Buffer.concat(this.frames);
  }

  take(bytes: number): void {
    this.taken += bytes;
    this.input.confirm((this.from + this.taken) % 2 ** 32);
  }
}

it('keeps what comes before the program, and sends it when it starts', () => {
  const input = new InteractiveInput();
  expect(input.add(Buffer.from('a'), false)).toBe('accepted');
  expect(input.add(Buffer.from('b'), false)).toBe('accepted');
  const taker = new Taker(input);
  taker.connect();
  input.add(Buffer.from('c'), false);
  expect(taker.frames.map(String)).toEqual(['ab', 'c']);
  expect(input.bytes).toBe(3);
});

it('sends no more than a window that is not confirmed', () => {
  const input = new InteractiveInput();
  const taker = new Taker(input);
  taker.connect();
  for (let n = 0; n < 4; n++) input.add(Buffer.alloc(WINDOW, n), false);
  expect(taker.received.length).toBe(WINDOW);
  taker.take(10);
  expect(taker.received.length).toBe(WINDOW + 10);
  expect(taker.received.at(-1)).toBe(1);
});

it('refuses what does not fit, whole, until there is room', () => {
  const input = new InteractiveInput();
  const taker = new Taker(input);
  taker.connect();
  for (let n = 0; n < INPUT_WAITING_BYTES_MAX / WINDOW; n++) input.add(Buffer.alloc(WINDOW), false);
  expect(input.add(Buffer.alloc(2), false)).toBe('full');
  taker.take(1);
  expect(input.add(Buffer.alloc(2), false)).toBe('full');
  taker.take(1);
  expect(input.add(Buffer.alloc(2), false)).toBe('accepted');
  expect(input.bytes).toBe(INPUT_WAITING_BYTES_MAX + 2);
});

it('can be closed while it is full', () => {
  const input = new InteractiveInput();
  for (let n = 0; n < INPUT_WAITING_BYTES_MAX / WINDOW; n++) input.add(Buffer.alloc(WINDOW), false);
  expect(input.add(NOTHING, true)).toBe('accepted');
  expect(input.add(NOTHING, false)).toBe('closed');
});

it('sends its end after all bytes, once', () => {
  const input = new InteractiveInput();
  const taker = new Taker(input);
  taker.connect();
  input.add(Buffer.alloc(WINDOW), false);
  expect(input.add(Buffer.from('last'), true)).toBe('accepted');
  expect(input.isClosed).toBe(true);
  expect(taker.frames).toHaveLength(1);
  taker.take(WINDOW);
  taker.take(4);
  expect(taker.frames.slice(1).map(String)).toEqual(['last', '']);
});

it('sends an end that comes before the program', () => {
  const input = new InteractiveInput();
  input.add(NOTHING, true);
  const taker = new Taker(input);
  taker.connect();
  expect(taker.frames).toEqual([NOTHING]);
});

it('drops everything when the program is over', () => {
  const input = new InteractiveInput();
  const taker = new Taker(input);
  taker.connect();
  for (let n = 0; n < 2; n++) input.add(Buffer.alloc(WINDOW), false);
  input.end();
  taker.take(WINDOW);
  expect(taker.frames).toHaveLength(1);
  expect(input.add(Buffer.from('x'), false)).toBe('ended');
  expect(input.add(NOTHING, true)).toBe('ended');
});

it('is not connected to a program that starts after its end', () => {
  const input = new InteractiveInput();
  input.add(Buffer.from('x'), false);
  input.end();
  const taker = new Taker(input);
  taker.connect();
  expect(taker.frames).toEqual([]);
});

it('does not believe a confirmation of what was not sent', () => {
  const input = new InteractiveInput();
  input.connect(() => undefined);
  input.add(Buffer.from('four'), false);
  input.confirm(4);
  expect(() => input.confirm(5)).toThrow('did not get');
  // Backwards.
  expect(() => input.confirm(3)).toThrow('did not get');
});

it('counts confirmations modulo 2^32', () => {
  const input = new InteractiveInput();
  // As after 4 GiB.
  Reflect.set(input, 'total', 2 ** 32 - 2);
  Reflect.set(input, 'confirmed', 2 ** 32 - 2);
  const taker = new Taker(input, 2 ** 32 - 2);
  taker.connect();
  input.add(Buffer.alloc(WINDOW), false);
  input.add(Buffer.from('more'), false);
  taker.take(1);
  expect(taker.received.length).toBe(WINDOW + 1);
  taker.take(WINDOW);
  expect(taker.received.subarray(WINDOW).toString()).toBe('more');
  taker.take(3);
  expect(input.bytes).toBe(2 ** 32 + WINDOW + 2);
});

it('delivers each byte once and in order, whatever is added and taken when', () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 0, max: WINDOW }) }),
    fc.record({ take: fc.integer({ min: 1, max: WINDOW }) }),
    fc.constant({ connect: true }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const input = new InteractiveInput();
      const taker = new Taker(input);
      const accepted: Buffer[] = [];
      let taken = 0;
      const take = (wanted: number) => {
        const bytes = Math.min(wanted, taker.received.length - taken);
        taken += bytes;
        if (bytes > 0) taker.take(bytes);
      };
      for (const [at, each] of steps.entries()) {
        if ('add' in each) {
          const bytes = Buffer.alloc(each.add, at);
          if (input.add(bytes, false) === 'accepted') accepted.push(bytes);
        } else if ('take' in each) take(each.take);
        else taker.connect();
        expect(taker.received.length - taken).toBeLessThanOrEqual(WINDOW);
      }
      taker.connect();
      while (taken < taker.received.length) take(WINDOW);
      expect(taker.received.equals(Buffer.concat(accepted))).toBe(true);
    }),
    { numRuns: 60 },
  );
});
