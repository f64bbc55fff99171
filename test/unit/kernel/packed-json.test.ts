import fc from 'fast-check';

import { packJson, unpackJson, utf8Text } from '../../../src/kernel/packed-json.js';

test('whatever is packed is unpacked', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.jsonValue(), (parts, value) => {
      const content = packJson((part) => ({ value, parts: parts.map(part) }));
      const { value: unpacked, part } = unpackJson(content);
      const { parts: indexes, value: same } = unpacked as { parts: number[]; value: unknown };
      expect(JSON.stringify(same)).toBe(JSON.stringify(value));
      expect(indexes.map((index) => [...part(index)])).toEqual(parts.map((bytes) => [...bytes]));
    }),
  );
});

test('texts become bytes, of any size', () => {
  const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constant('é'.repeat(300_000)));
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(new Uint8Array(700_001).fill(7)));
  fc.assert(
    fc.property(texts, bytes, (text, binary) => {
      const base64 = Buffer.from(binary).toString('base64');
      const content = packJson((part) => [part(utf8Text(text)), part({ text: base64, encoding: 'base64' })]);
      const { part } = unpackJson(content);
      expect(part(0).equals(Buffer.from(text))).toBe(true);
      expect(part(1).equals(binary)).toBe(true);
      expect(content.buffer.byteLength).toBe(content.length);
      // A view, not a copy.
      expect(part(0).buffer).toBe(content.buffer);
    }),
  );
});

test('a text that is not what its encoding says is a fault: its part would be memory of something else', () => {
  expect(() => packJson((part) => part({ text: 'AA A', encoding: 'base64' }))).toThrow('encoding');
});

test('anything else is a fault', () => {
  const content = packJson((part) => part(Buffer.from('abc')));
  expect(() => unpackJson(content.subarray(0, -1))).toThrow('length');
  expect(() => unpackJson(Buffer.concat([content, Buffer.from('x')]))).toThrow('length');
  expect(() => unpackJson(content).part(1)).toThrow('no part 1');
});
