import { ByteLog } from '../../../src/platform/memory/byte-log.js';
import { detachBuffer } from '../../../src/platform/memory/detach-buffer.js';

test('added bytes are returned, in order and in any part', () => {
  const log = new ByteLog();
  const all = Buffer.from(Array.from({ length: 20_000 }, (_, n) => n % 251));
  for (let from = 0; from < all.length; from += 7) log.add(all.subarray(from, from + 7));
  expect(log.length).toBe(all.length);
  expect(log.slice(0).equals(all)).toBe(true);
  expect(log.whole().equals(all)).toBe(true);
  expect(log.slice(9_999, 10_003)).toEqual(all.subarray(9_999, 10_003));
});

test('a range is limited to the existing bytes', () => {
  const log = new ByteLog();
  expect(log.slice(0)).toHaveLength(0);
  log.add(Buffer.from('abc'));
  expect(log.slice(1, 100).toString()).toBe('bc');
  expect(log.slice(5)).toHaveLength(0);
});

test('later changes of an added or a returned buffer have no effect', () => {
  const log = new ByteLog();
  const given = Buffer.from('abc');
  log.add(given);
  given.fill(0);
  const taken = log.slice(0);
  log.add(Buffer.alloc(100_000, 'x'));
  expect(taken.toString()).toBe('abc');
  expect(log.slice(0, 3).toString()).toBe('abc');
});

test('the whole is exactly as large as its content, and can be freed; earlier slices stay', () => {
  const log = new ByteLog();
  for (const part of ['x'.repeat(5_000), 'yz']) log.add(Buffer.from(part));
  const taken = log.slice(4_999);
  const whole = log.whole();
  expect(whole.buffer.byteLength).toBe(5_002);
  detachBuffer(whole);
  expect(whole).toHaveLength(0);
  expect(taken.toString()).toBe('xyz');
});

test('can be added to after the whole was returned', () => {
  const log = new ByteLog();
  log.add(Buffer.from('abc'));
  expect(log.whole().toString()).toBe('abc');
  log.add(Buffer.from('def'));
  expect(log.whole().toString()).toBe('abcdef');
});
