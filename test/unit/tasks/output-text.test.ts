import type { OutputRef } from '../../../src/tasks/domain/execution-events.js';
import { outputText } from '../../../src/tasks/queries/output-text.js';

/** As stored: the first `head` bytes and the last `tail` bytes of the output. */
function kept(written: string | Uint8Array, head: number, tail: number): [Uint8Array, OutputRef] {
  const bytes = Buffer.from(written as string);
  const content = Buffer.concat([bytes.subarray(0, head), bytes.subarray(bytes.length - tail)]);
  const payload = { payload_id: '', bytes: content.length, sha256: '' };
  return [content, { payload, bytes_total: bytes.length, truncated: true, head_bytes: head }];
}

test.each([
  ['between two lines', 'one\ntwo\nthree\n', 4, 6, 'one\n… 4 bytes left out …\nthree\n'],
  ['within a line', 'abcdefghij', 3, 3, 'abc\n… 4 bytes left out …\nhij'],
  ['without a head', 'abcdefghij', 0, 3, '… 7 bytes left out …\nhij'],
  ['without a tail', 'abcdefghij', 3, 0, 'abc\n… 7 bytes left out …\n'],
  ['of one byte', 'abcdefghij', 5, 4, 'abcde\n… 1 byte left out …\nghij'],
  ['of many', 'x'.repeat(1_234_573), 3, 3, 'xxx\n… 1,234,567 bytes left out …\nxxx'],
  ['after a whole character', 'éa0123456789', 2, 3, 'é\n… 8 bytes left out …\n789'],
  ['in a character of two', 'aé0123456789', 2, 3, 'a\n… 9 bytes left out …\n789'],
  ['in a character of three', 'a€0123456789', 3, 3, 'a\n… 10 bytes left out …\n789'],
  ['in a character of four', 'a😀0123456789', 4, 3, 'a\n… 11 bytes left out …\n789'],
  ['that ends in one of two', 'abc0123456789é', 3, 1, 'abc\n… 12 bytes left out …\n'],
  ['that ends in one of four', 'abc0123456789😀z', 3, 4, 'abc\n… 14 bytes left out …\nz'],
])('a gap %s is marked on its own line', (_, written, head, tail, text) => {
  expect(outputText(...kept(written, head, tail))).toBe(text);
});

test('invalid UTF-8 stays, except for a partial character at the gap', () => {
  const written = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.alloc(9, 'a'), Buffer.alloc(5, 0x80)]);
  expect(outputText(...kept(written, 2, 5))).toBe('��\n… 12 bytes left out …\n��');
});

test('a whole output has no mark, nor has one whose gap is at an unknown place', () => {
  const payload = { payload_id: '', bytes: 6, sha256: '' };
  const whole = { payload, bytes_total: 6, truncated: false };
  expect(outputText(Buffer.from('grüß'), whole)).toBe('grüß');
  expect(outputText(Buffer.from('abcdef'), { ...whole, bytes_total: 900, truncated: true })).toBe('abcdef');
  expect(outputText(Buffer.from('abcdef'), { ...whole, truncated: true, head_bytes: 6 })).toBe('abcdef');
});

test.each([
  ['without a gap', 'abcdefghij', 10, 0, 4, 'ab\n… 6 bytes left out …\nij'],
  ['of an odd size', 'abcdefghij', 10, 0, 5, 'abc\n… 5 bytes left out …\nij'],
  ['with a gap', 'abcdefghijklmnopqrstuvwxyz', 5, 5, 4, 'ab\n… 22 bytes left out …\nyz'],
  ['with a short head', 'abcdefghijklmnopqrstuvwxyz', 1, 9, 6, 'a\n… 20 bytes left out …\nvwxyz'],
  ['with a short tail', 'abcdefghijklmnopqrstuvwxyz', 9, 1, 6, 'abcde\n… 20 bytes left out …\nz'],
  ['in characters of two', 'éééééééééé', 20, 0, 6, 'é\n… 16 bytes left out …\né'],
])('text that does not fit is left out in the middle of an output %s', (_, written, head, tail, room, text) => {
  const [content, output] = kept(written, head, tail);
  expect(outputText(content, output, room)).toBe(text);
});
