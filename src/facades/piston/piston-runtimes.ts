import { Injectable } from '@nestjs/common';
import semver from 'semver';

import { OfferedRuntimes } from '../../runtimes/offered-runtimes.js';
import type { Runtime } from '../../runtimes/runtime.js';
import { Runtimes } from '../../runtimes/runtimes.js';

/** A runtime as Piston lists it. */
export interface PistonRuntime {
  readonly language: string;
  /** SemVer. */
  readonly version: string;
  readonly aliases: readonly string[];
  readonly runtime: Runtime;
}

/** The languages that Piston's packages name differently. */
const LANGUAGES: Readonly<Record<string, string>> = { cpp: 'c++', r: 'rscript', sqlite: 'sqlite3' };

/** Of a runtime whose image does not tell its version. */
const UNKNOWN_VERSION = '0.0.0';

/** The first version in the text: "go version go1.22.1 linux/amd64" is 1.22.1. */
export function semverOf(text: string | null): string {
  const found = text === null ? null : /\d+(\.\d+){1,2}/.exec(text)?.[0];
  return semver.coerce(found ?? text)?.version ?? UNKNOWN_VERSION;
}

export const languageOf = (name: string): string => LANGUAGES[name] ?? name;

export const aliasesOf = ({ name, aliases }: Pick<Runtime, 'name' | 'aliases'>): string[] =>
  [name, ...aliases].filter((alias) => alias !== languageOf(name));

/** The runtimes that a worker offers now. */
@Injectable()
export class PistonRuntimes {
  constructor(
    private readonly runtimes: Runtimes,
    private readonly offered: OfferedRuntimes,
  ) {}

  async all(): Promise<PistonRuntime[]> {
    const found = await Promise.all(this.runtimes.all.map((runtime) => this.of(runtime)));
    return found.filter((each) => each !== undefined);
  }

  /** @param range in node-semver's grammar, as Piston takes it: `3.x`, `>=3.10`, `*` */
  async find(language: string, range: string): Promise<PistonRuntime | undefined> {
    const declared = this.runtimes.all.find(
      (runtime) => languageOf(runtime.name) === language || aliasesOf(runtime).includes(language),
    );
    const offered = declared && (await this.of(declared));
    return offered && semver.satisfies(offered.version, range) ? offered : undefined;
  }

  private async of(runtime: Runtime): Promise<PistonRuntime | undefined> {
    const offer = await this.offered.find(runtime.name);
    if (!offer) return undefined;
    const { name } = runtime;
    return { language: languageOf(name), version: semverOf(offer.version), aliases: aliasesOf(runtime), runtime };
  }
}
