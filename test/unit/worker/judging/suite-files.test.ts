import { suiteFilesOf } from '../../../../src/worker/judging/suite-files.js';

const files = (...paths: readonly string[]) => paths.map((path) => ({ path, content: Buffer.from(path) }));
const pathsOf = (some: readonly { readonly path: string }[]) => some.map(({ path }) => path);

test.each<[what: string, input: string[], tests: string[][], common: string[], each: string[][]]>([
  ['no files', [], [[], []], [], [[], []]],
  ['files beside each other', ['a', 'd/b'], [['c'], ['d/e']], ['a', 'd/b'], [['c'], ['d/e']]],
  ['the same path', ['a', 'b'], [['a'], []], ['b'], [['a'], ['a']]],
  ['a file where a test has a folder', ['a'], [['a/b'], ['c']], [], [['a/b'], ['a', 'c']]],
  ['a folder where a test has a file', ['a/b/c'], [['a'], []], [], [['a'], ['a/b/c']]],
])('%s', (_, input, tests, common, each) => {
  const split = suiteFilesOf(
    files(...input),
    tests.map((own) => ({ files: files(...own) })),
  );
  expect(pathsOf(split.common)).toEqual(common);
  expect(tests.map((own) => pathsOf(split.of({ files: files(...own) })))).toEqual(each);
});
