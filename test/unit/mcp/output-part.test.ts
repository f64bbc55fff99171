import { OUTPUT_BYTES_MAX } from '../../../src/mcp/limits.js';
import { headAndTail, partFrom, shortened } from '../../../src/mcp/output-part.js';

const bytes = (text: string) => Buffer.from(text);

test('a part ends before a character that does not fit, and the next one begins with it', () => {
  const euros = bytes('€€€');
  expect(partFrom(euros, 0, 4)).toEqual({ text: '€', end: 3 });
  expect(partFrom(euros, 3, 6)).toEqual({ text: '€€', end: 9 });
  expect(partFrom(euros, 9, 4)).toEqual({ text: '', end: 9 });
  expect(partFrom(euros, 1_000, 4)).toEqual({ text: '', end: 9 });
});

test('every read goes on, whatever the bytes are', () => {
  const noise = Buffer.from([0xe2, 0x82, 0xac, 0xff, 0x80, 0x80, 0x80, 0x80, 0xf0, 0x9f]);
  let offset = 0;
  let reads = 0;
  while (offset < noise.length) {
    const { end } = partFrom(noise, offset, 4);
    expect(end).toBeGreaterThan(offset);
    offset = end;
    reads += 1;
  }
  expect(reads).toBeLessThanOrEqual(noise.length);
});

test('an output that fits is whole; a longer one has its head, its tail, and how to read on', () => {
  const fits = 'x'.repeat(OUTPUT_BYTES_MAX);
  expect(headAndTail(bytes(fits), 'id', 'stdout')).toBe(fits);
  const text = headAndTail(bytes(`a${'€'.repeat(OUTPUT_BYTES_MAX)}z`), 'id-1', 'stderr');
  const [, left, offset] =
    /\n\[(\d+) bytes left out\. .* \{"execution_id":"id-1","stream":"stderr","offset":(\d+)\}\]\n/.exec(text)!;
  expect(text).toMatch(/^a€+\n/);
  expect(text).toMatch(/\n€+z$/);
  const [head, tail] = text.split(/\n\[.*\]\n/) as [string, string];
  expect(Buffer.byteLength(head)).toBe(Number(offset));
  expect(Buffer.byteLength(head) + Number(left) + Buffer.byteLength(tail)).toBe(3 * OUTPUT_BYTES_MAX + 2);
});

test('what cannot be read on is cut at its end', () => {
  expect(shortened('abc', 3)).toBe('abc');
  expect(shortened('abcd', 3)).toBe('abc\n[1 characters left out]');
});
