import { Injectable } from '@nestjs/common';

import { OfferedRuntimes } from '../../runtimes/offered-runtimes.js';
import { Runtimes } from '../../runtimes/runtimes.js';
import { idsOf, type Language, languageName, languagesOf } from './languages.js';

/** The languages, with the versions that workers offer now. */
@Injectable()
export class LanguageCatalog {
  readonly byId: ReadonlyMap<number, Language>;

  constructor(
    runtimes: Runtimes,
    private readonly offered: OfferedRuntimes,
  ) {
    this.byId = languagesOf(runtimes.all);
  }

  /** By which a worker can run programs now. */
  async listed() {
    const all = await Promise.all(
      [...this.byId.values()].map(async (language) => ({ language, ...(await this.of(language)) })),
    );
    return all
      .filter(({ language, isOffered }) => isOffered && !language.isAlias)
      .map(({ id, name }) => ({ id, name }))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** With the ids of other versions, which lead to the same runtime. */
  async all() {
    const all = await Promise.all([...this.byId.values()].map((language) => this.of(language)));
    return all
      .map(({ id, name, is_archived }) => ({ id, name, is_archived }))
      .toSorted((one, other) => one.id - other.id);
  }

  /** As `GET /languages/{id}` shows it; undefined for an unknown id. */
  async find(id: number) {
    const language = this.byId.get(id);
    if (!language) return undefined;
    const { name, is_archived } = await this.of(language);
    const { file_name, compile, run } = language.runtime;
    const compile_cmd = compile ? compile.command.join(' ') : null;
    return { id, name, is_archived, source_file: file_name, compile_cmd, run_cmd: run.join(' ') };
  }

  /** Of an execution's runtime, which may no longer be declared. */
  async ofRuntime(name: string, id = idsOf(name)[0]) {
    const language = this.byId.get(id);
    return { id, name: language ? (await this.of(language)).name : name };
  }

  private async of({ id, runtime, isAlias }: Language) {
    const offer = await this.offered.find(runtime.name);
    return {
      id,
      name: languageName(runtime, offer?.version ?? null),
      // An archived language takes no submissions; these do.
      is_archived: false,
      isAlias,
      isOffered: offer !== undefined,
    };
  }
}
