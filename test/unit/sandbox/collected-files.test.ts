import { FileRecords, PATHS_BYTES_MAX } from '../../../src/sandbox/collected-files.js';

const MAX = { count: 2, bytes: 10 };
const PATTERNS = 3;

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const sized = (bytes: Uint8Array): Buffer => Buffer.concat([u32(bytes.length), bytes]);
const record = (kind: string, path: string | Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(kind), sized(Buffer.from(path as string))]);
const file = (path: string | Uint8Array, content: string): Buffer =>
  Buffer.concat([record('F', path), sized(Buffer.from(content))]);
const end = (matched: number, matches: number): Buffer => record('E', Buffer.concat([u32(matched), u32(matches)]));

const written = (pieces: readonly Buffer[], max = MAX) => {
  const records = new FileRecords(max);
  for (const piece of pieces) records.write(piece);
  return records.result(PATTERNS);
};

const ALL = Buffer.concat([file('a', 'abc'), file('ü/b', ''), record('L', 'c'), record('N', 'd'), end(0b101, 9)]);

test.each([1, 2, 3, 7, ALL.length])('records may arrive in pieces of %i bytes', (size) => {
  const count = Math.ceil(ALL.length / size);
  const pieces = Array.from({ length: count }, (_, index) => ALL.subarray(index * size, (index + 1) * size));
  expect(written(pieces)).toEqual({
    files: [
      { path: 'a', content: Buffer.from('abc') },
      { path: 'ü/b', content: Buffer.alloc(0) },
    ],
    skipped: [
      { path: 'c', reason: 'too_large' },
      { path: 'd', reason: 'not_a_regular_file' },
    ],
    matches: 9,
    unmatched: [1],
    complete: true,
  });
});

test('nothing is complete without an end, and a file that is cut short is none', () => {
  const cut = written([ALL.subarray(0, file('a', 'abc').length + 7)]);
  expect(cut).toMatchObject({ files: [{ path: 'a' }], skipped: [], matches: 1, unmatched: [], complete: false });
  expect(written([])).toMatchObject({ files: [], complete: false });
});

test('a name that cannot be shown is skipped, as far as it can be shown', () => {
  const odd = [Buffer.from([0xff]), 'a\nb', 'c\u009B'];
  const { files, skipped } = written([...odd.map((path) => file(path, 'x')), end(1, 3)], { count: 9, bytes: 10 });
  expect(files).toEqual([]);
  expect(skipped).toEqual(['\uFFFD', 'a\uFFFDb', 'c\uFFFD'].map((path) => ({ path, reason: 'invalid_name' })));
});

test.each([
  ['an unknown kind', record('X', 'a')],
  ['a path that is too long', record('F', 'x'.repeat(256))],
  ['an end of another size', record('E', 'abc')],
  ['a file after the end', Buffer.concat([end(0, 0), file('a', '')])],
  ['more bytes than were asked for', Buffer.concat([file('a', '12345'), file('b', '123456')])],
  ['more files than were asked for', Buffer.concat(['a', 'b', 'c'].map((path) => file(path, '')))],
])('%s is an error', (_, bytes) => {
  expect(() => written([bytes])).toThrow(/^the launcher sent/);
});

test('all of the longest paths fit into an event', () => {
  const names = Array.from({ length: 64 }, (_, n) => `${String(n).padStart(3, '0')}${'"'.repeat(252)}`);
  const max = { count: 64, bytes: 64 };
  const { files, skipped, matches } = written([...names.map((name) => file(name, 'x')), end(1, 64)], max);
  expect([files.length, skipped.length, matches]).toEqual([32, 0, 64]);
  expect(Buffer.byteLength(JSON.stringify(files.map(({ path }) => path)))).toBeLessThan(PATHS_BYTES_MAX + 64);
});
