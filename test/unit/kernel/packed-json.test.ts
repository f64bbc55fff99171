import fc from 'fast-check';

import { packJson, unpackJson } from '../../../src/kernel/packed-json.js';

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

test('anything else is a fault', () => {
  const content = packJson((part) => part(Buffer.from('abc')));
  expect(() => unpackJson(content.subarray(0, -1))).toThrow('length');
  expect(() => unpackJson(Buffer.concat([content, Buffer.from('x')]))).toThrow('length');
  expect(() => unpackJson(content).part(1)).toThrow('no part 1');
});
