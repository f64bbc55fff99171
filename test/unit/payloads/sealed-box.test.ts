import { createSecretKey, randomBytes } from 'node:crypto';

import { KEY_BYTES, OpeningBox, seal, unseal } from '../../../src/platform/payloads/sealed-box.js';

const newKey = () => createSecretKey(randomBytes(KEY_BYTES));
const KEY = newKey();

test.each([0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 300_000])('a box of %i bytes can be opened', (length) => {
  const plaintext = randomBytes(length);
  expect(unseal(KEY, seal(KEY, plaintext, 'context'), 'context').equals(plaintext)).toBe(true);
});

test.each([13, 14, 1_000, 64 * 1024, 100_000])('a box in pieces of %i bytes can be opened', (size) => {
  const plaintext = randomBytes(150_000);
  const box = seal(KEY, plaintext, 'context');
  const opening = new OpeningBox(KEY, 'context', plaintext.length);
  for (let at = 0; at < box.length; at += size) opening.add(box.subarray(at, at + size));
  expect(opening.opened().equals(plaintext)).toBe(true);
});

test('a box of another size does not open', () => {
  const box = seal(KEY, randomBytes(1_000), 'context');
  const shorter = new OpeningBox(KEY, 'context', 1_000);
  shorter.add(box.subarray(0, -1));
  expect(() => shorter.opened()).toThrow('sealed box');
  expect(() => new OpeningBox(KEY, 'context', 1_000).add(Buffer.concat([box, Buffer.from('x')]))).toThrow('sealed box');
  expect(() => new OpeningBox(KEY, 'context', 1_000).opened()).toThrow('sealed box');
});

test('sealing leaves the plaintext unchanged, and every box is different', () => {
  const plaintext = Buffer.alloc(100_000, 'x');
  const box = seal(KEY, plaintext, 'context');
  expect(plaintext.equals(Buffer.alloc(100_000, 'x'))).toBe(true);
  expect(seal(KEY, plaintext, 'context').equals(box)).toBe(false);
});

test.each(['the first', 'the last'])('a box with its %s byte changed does not open', (which) => {
  const box = seal(KEY, randomBytes(100_000), 'context');
  const at = which === 'the first' ? 1 : box.length - 1;
  box[at] = box[at]! ^ 1;
  expect(() => unseal(KEY, box, 'context')).toThrow();
});

test('a box opens only with its own key and context', () => {
  const box = seal(KEY, Buffer.from('secret'), 'context');
  expect(() => unseal(newKey(), box, 'context')).toThrow();
  expect(() => unseal(KEY, box, 'other')).toThrow();
});
