import { VoidRunner } from '@voidrunner/client';

import { parseFileUri, uriOf } from '../../../src/mcp/file-uri.js';
import { IMAGE_BYTES_MAX, IMAGES_MAX, LINKS_MAX } from '../../../src/mcp/limits.js';
import { contentOfFiles, notesForCaller } from '../../../src/mcp/result-files.js';

const ID = '0198f3a0-0000-7000-8000-000000000000';

test.each(['a.txt', 'out/b c.csv', 'ü/100%.txt', 'a#b?c'])('the path %s is in its URI and back', (path) => {
  expect(parseFileUri(uriOf(ID, path))).toEqual({ executionId: ID, path });
});

test.each([
  '',
  `voidrunner://executions/${ID}`,
  `voidrunner://tasks/${ID}/files/a`,
  `voidrunner://executions/${ID}/files/%`,
])('%j is not the URI of a file', (uri) => expect(parseFileUri(uri)).toBeNull());

const file = (path: string, media_type: string, bytes: number) => ({ path, media_type, bytes, sha256: '' });
const fetchOne: typeof fetch = async () => new Response(Uint8Array.of(1, 2));
const context = {
  vr: new VoidRunner({ baseUrl: 'http://service', apiKey: 'k', fetch: fetchOne }),
  signal: new AbortController().signal,
};

test('small images are content up to their number; all else is a link', async () => {
  const images = Array.from({ length: IMAGES_MAX + 1 }, (_, index) => file(`${index}.png`, 'image/png', 2));
  const files = [
    ...[file('big.png', 'image/png', IMAGE_BYTES_MAX + 1), file('draw.svg', 'image/svg+xml', 2)],
    ...[file('empty.png', 'image/png', 0), ...images],
  ];
  const content = await contentOfFiles({ id: ID, files }, context);
  expect(content.slice(0, IMAGES_MAX)).toEqual(
    Array.from({ length: IMAGES_MAX }, () => ({ type: 'image', data: 'AQI=', mimeType: 'image/png' })),
  );
  expect(content.slice(IMAGES_MAX).map((each) => each.type === 'resource_link' && each.name)).toEqual([
    ...['big.png', 'draw.svg', 'empty.png', `${IMAGES_MAX}.png`],
  ]);
});

test('links have a bound', async () => {
  const files = Array.from({ length: LINKS_MAX + 5 }, (_, index) => file(`${index}.csv`, 'text/csv', 1));
  expect(await contentOfFiles({ id: ID, files }, context)).toHaveLength(LINKS_MAX);
});

test('a note about patterns keeps those of the caller', () => {
  const note = (indexes: string) => `no file matches these of outputs, counted from 0: ${indexes}`;
  expect(notesForCaller(['other', note('0, 2, 3')], 1)).toEqual(['other', note('0')]);
  expect(notesForCaller([note('1, 2')], 1)).toEqual([]);
});
