import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { parseDocument } from 'yaml';
import type { z } from 'zod';

import { type Runtime, runtimeFile } from './runtime.js';
import { Runtimes } from './runtimes.js';

const FILES_MAX = 256;
const EXTENSION = '.yaml';

/** Every fault of every file at once, so that one restart is enough. */
export class InvalidRuntimes extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`invalid runtimes:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'InvalidRuntimes';
  }
}

/**
 * Reads the declared runtimes: one YAML file per runtime, named after it (docs/runtimes.md). Other files are ignored.
 * @throws InvalidRuntimes
 */
export function loadRuntimes(folder: string): Runtimes {
  const faults: string[] = [];
  const runtimes: Runtime[] = [];
  for (const file of filesOf(folder)) {
    const parsed = parse(join(folder, file));
    faults.push(...parsed.faults.map((fault) => `${file}: ${fault}`));
    if (parsed.runtime) runtimes.push(parsed.runtime);
  }
  faults.push(...sharedNames(runtimes));
  if (faults.length > 0) throw new InvalidRuntimes(faults);
  // Not the order of the files: "python-data.yaml" precedes "python.yaml".
  return new Runtimes(runtimes.toSorted((one, other) => (one.name < other.name ? -1 : 1)));
}

function filesOf(folder: string): string[] {
  const names = namesIn(folder).filter((name) => name.endsWith(EXTENSION) && !name.startsWith('.'));
  if (names.length === 0) throw new InvalidRuntimes([`${folder} has no file of a runtime (*${EXTENSION})`]);
  if (names.length > FILES_MAX) throw new InvalidRuntimes([`${folder} has more than ${FILES_MAX} files`]);
  return names.toSorted();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new InvalidRuntimes([`${folder} cannot be read: ${(error as Error).message}`]);
  }
}

interface Parsed {
  readonly runtime?: Runtime;
  readonly faults: readonly string[];
}

function parse(path: string): Parsed {
  const document = parseDocument(readFileSync(path, 'utf8'));
  if (document.errors.length > 0) return { faults: document.errors.map(({ message }) => message.split('\n', 1)[0]!) };
  const parsed = runtimeFile.safeParse(document.toJS());
  if (!parsed.success) return { faults: parsed.error.issues.map(faultOf) };
  const stem = basename(path, EXTENSION);
  if (parsed.data.name !== stem) return { faults: [`name: must be that of the file, ${stem}`] };
  return { runtime: parsed.data, faults: [] };
}

const faultOf = ({ path, message }: z.core.$ZodIssue): string =>
  path.length === 0 ? message : `${path.join('.')}: ${message}`;

/** A name or alias must lead to one runtime. */
function sharedNames(runtimes: readonly Runtime[]): string[] {
  const owners = Map.groupBy(
    runtimes.flatMap(({ name, aliases }) => [name, ...aliases].map((used) => ({ used, by: name }))),
    ({ used }) => used,
  );
  return [...owners]
    .filter(([, uses]) => uses.length > 1)
    .map(([used, uses]) => `${used} is a name or alias more than once: of ${uses.map(({ by }) => by).join(', ')}`);
}
