import { createHash } from 'node:crypto';

import type { Runtime } from '../../runtimes/runtime.js';

/**
 * Judge0's ids of the languages that runtimes have, the one of its newest documented version first. The others are those
 * of other versions of the same language: in Judge0 CE 1.13, before it, and on Judge0's public instance since. Ids of
 * Python 2 are not among them: its programs are not programs of Python 3.
 */
const IDS: Readonly<Record<string, readonly [number, ...number[]]>> = {
  bash: [46, 1, 2],
  c: [50, 48, 49, 75, 103, 104, 110, 4, 5, 6, 7, 8, 9],
  cpp: [54, 52, 53, 76, 105, 10, 11, 12, 13, 14, 15],
  go: [60, 95, 106, 107, 22],
  java: [62, 91, 26, 27, 28],
  javascript: [63, 93, 97, 102, 29, 30],
  lua: [64],
  perl: [85],
  php: [68, 98],
  python: [71, 92, 100, 109, 34, 35],
  r: [80, 99],
  ruby: [72, 38, 39, 40, 41],
  rust: [73, 108, 42],
  sqlite: [82],
  typescript: [74, 94, 101],
};

/** Ids of runtimes that Judge0 does not have: far above Judge0's own, and the same wherever the runtime is declared. */
const OWN_IDS_FROM = 1_000;
const OWN_IDS = 1_000_000_000;

const ownId = (name: string): number =>
  OWN_IDS_FROM + (createHash('sha256').update(name).digest().readUInt32BE(0) % OWN_IDS);

/** The id by which the runtime is listed, then the others. */
export const idsOf = (name: string): readonly [number, ...number[]] => IDS[name] ?? [ownId(name)];

export interface Language {
  readonly id: number;
  readonly runtime: Runtime;
  /** Another id of a language that is listed. */
  readonly isAlias: boolean;
}

/** The languages of the declared runtimes, by their ids. @throws Error if two runtimes share an id */
export function languagesOf(runtimes: readonly Runtime[]): ReadonlyMap<number, Language> {
  const languages = new Map<number, Language>();
  for (const runtime of runtimes) {
    for (const [index, id] of idsOf(runtime.name).entries()) {
      const other = languages.get(id);
      if (other) throw new Error(`the runtimes ${other.runtime.name} and ${runtime.name} have the same language id`);
      languages.set(id, { id, runtime, isAlias: index > 0 });
    }
  }
  return languages;
}

/** @param version null if it is not known */
export const languageName = ({ language }: Pick<Runtime, 'language'>, version: string | null): string =>
  version === null ? language : `${language} (${version})`;
