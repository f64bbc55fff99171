import { foldersOf } from '../../sandbox/job-input.js';
import type { InputFile } from '../../tasks/domain/execution-input.js';
import type { TestCase } from '../../tasks/domain/test-suite.js';

type Files = readonly InputFile[];

/** The files of an execution's input: those that every test gets, and those that stand in the way of a test's own. */
export interface SuiteFiles {
  readonly common: Files;
  /** All that a test gets beside the common ones: its own, and of the others those that leave it room. */
  of(test: Pick<TestCase, 'files'>): Files;
}

/** A test's own files win: at their paths, at those of their folders, and below them. */
export function suiteFilesOf(input: Files, tests: readonly Pick<TestCase, 'files'>[]): SuiteFiles {
  const used = placesOf(tests.flatMap(({ files = [] }) => files));
  const common = input.filter((file) => !isInTheWay(file, used));
  const others = input.filter((file) => isInTheWay(file, used));
  const of = ({ files = [] }: Pick<TestCase, 'files'>): Files => {
    const own = placesOf(files);
    return [...others.filter((file) => !isInTheWay(file, own)), ...files];
  };
  return { common, of };
}

interface Places {
  readonly files: ReadonlySet<string>;
  readonly folders: ReadonlySet<string>;
}

const placesOf = (files: Files): Places => ({
  files: new Set(files.map(({ path }) => path)),
  folders: new Set(files.flatMap(({ path }) => foldersOf(path))),
});

const isInTheWay = ({ path }: InputFile, { files, folders }: Places): boolean =>
  files.has(path) || folders.has(path) || foldersOf(path).some((folder) => files.has(folder));
