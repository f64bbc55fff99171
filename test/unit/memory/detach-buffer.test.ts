import { detachBuffer } from '../../../src/platform/memory/detach-buffer.js';

test('memory that belongs to the buffer alone is freed', () => {
  const bytes = Buffer.alloc(100_000, 'x');
  const other = new Uint8Array(bytes.buffer);
  detachBuffer(bytes);
  expect(bytes).toHaveLength(0);
  expect(other).toHaveLength(0);
});

test('memory that other buffers share is kept', () => {
  const large = Buffer.alloc(100_000, 'x');
  detachBuffer(large.subarray(1));
  expect(large).toHaveLength(100_000);
  const pooled = Buffer.from('abc');
  detachBuffer(pooled);
  expect(pooled.toString()).toBe('abc');
});

test('a second call does no harm', () => {
  const bytes = new Uint8Array(10);
  detachBuffer(bytes);
  detachBuffer(bytes);
  expect(bytes).toHaveLength(0);
});
