import type { Pool } from 'pg';

import { Semaphore } from '../async/semaphore.js';
import { detachBuffer } from '../memory/detach-buffer.js';
import { reportingOutages } from '../postgres/outage.js';
import { DataKeys } from './data-keys.js';
import type { MasterKeys } from './master-keys.js';
import { seal, unseal } from './sealed-box.js';

const DAY_MS = 86_400_000;
/** A program is compiled again a week after it was, however often it runs: runs write nothing. */
export const PROGRAM_AGE_MS_MAX = 7 * DAY_MS;
/** Of one owner, however small. */
const PROGRAMS_MAX = 200;
/** Each needs up to three times its size on its way. */
const AT_A_TIME_MAX = 3;
/** Programs that wait to be kept, each of up to 16 MiB; more are not kept. */
const KEEPS_WAITING_MAX = 4;

export interface PostgresCompiledProgramsOptions {
  readonly pool: Pool;
  readonly masterKeys: MasterKeys;
  /** Of all programs of one owner: the oldest make room for new ones. */
  readonly ownerBytesMax: number;
  readonly ageMsMax?: number;
}

/** The key comes with the ciphertext, never from memory: an erasure takes effect at once. */
const FIND = `
  select p.ciphertext, k.wrapped_key
  from es.compiled_programs p join es.data_keys k using (owner_id)
  where p.owner_id = $1 and p.key = $2 and k.wrapped_key is not null
    and p.stored_at > now() - $3 * interval '1 millisecond'`;

/** Guarded by the row of the key, as payloads are. One that is too old is replaced. */
const KEEP = `
  insert into es.compiled_programs (owner_id, key, bytes, ciphertext)
  select $1, $2, $3, $4 where exists (select from es.data_keys where owner_id = $1 and destroyed_at is null)
  on conflict (owner_id, key) do update set bytes = excluded.bytes, ciphertext = excluded.ciphertext, stored_at = now()`;

const MAKE_ROOM = `
  delete from es.compiled_programs p
  using (
    select key, sum(bytes) over newest_first as bytes_up_to, row_number() over newest_first as number
    from es.compiled_programs where owner_id = $1 window newest_first as (order by stored_at desc, key)
  ) of_owner
  where p.owner_id = $1 and p.key = of_owner.key and (of_owner.bytes_up_to > $2 or of_owner.number > $3)`;

const SWEEP_OLD = `delete from es.compiled_programs where stored_at < now() - $1 * interval '1 millisecond'`;

const SWEEP_ERASED = `
  delete from es.compiled_programs
  where owner_id in (select owner_id from es.data_keys where destroyed_at is not null)`;

/** Compiled programs in Postgres, sealed with the key of their owner. Every method may throw Unavailable. */
export class PostgresCompiledPrograms {
  private readonly keys: DataKeys;
  private readonly finding = new Semaphore(AT_A_TIME_MAX);
  /** Separate: a run waits until its program is found, and nobody until one is kept. */
  private readonly keeping = new Semaphore(AT_A_TIME_MAX);

  constructor(private readonly options: PostgresCompiledProgramsOptions) {
    this.keys = new DataKeys(options.pool, options.masterKeys);
  }

  /** @returns null if there is none, or none that is young enough. @throws Error if the stored bytes were changed */
  find(ownerId: string, key: Buffer): Promise<Uint8Array | null> {
    return this.finding.run(async () => {
      const rows = await this.query<{ ciphertext: Buffer; wrapped_key: Buffer }>(FIND, [ownerId, key, this.ageMsMax]);
      const row = rows[0];
      if (!row) return null;
      return unseal(this.keys.unwrap(ownerId, row.wrapped_key), row.ciphertext, contextOf(ownerId, key));
    });
  }

  /**
   * One that is larger than all programs of an owner may be is not kept; nor is one while many wait.
   *
   * @throws DomainError `owner_erased`
   */
  async keep(ownerId: string, key: Buffer, program: Uint8Array): Promise<void> {
    const { ownerBytesMax } = this.options;
    if (program.length > ownerBytesMax || this.keeping.queued >= KEEPS_WAITING_MAX) return;
    await this.keeping.run(async () => {
      const sealed = seal(await this.keys.keyOf(ownerId), program, contextOf(ownerId, key));
      await this.query(KEEP, [ownerId, key, program.length, sealed]);
      detachBuffer(sealed);
      await this.query(MAKE_ROOM, [ownerId, ownerBytesMax, PROGRAMS_MAX]);
    });
  }

  private get ageMsMax(): number {
    return this.options.ageMsMax ?? PROGRAM_AGE_MS_MAX;
  }

  private async query<Row>(text: string, values: unknown[]): Promise<Row[]> {
    return (await reportingOutages(() => this.options.pool.query(text, values))).rows as Row[];
  }
}

/** Deletes those that are too old, and those of erased owners. @throws Unavailable */
export async function sweepCompiledPrograms(pool: Pool, ageMsMax = PROGRAM_AGE_MS_MAX): Promise<void> {
  await reportingOutages(() => pool.query(SWEEP_OLD, [ageMsMax]));
  await reportingOutages(() => pool.query(SWEEP_ERASED));
}

const contextOf = (ownerId: string, key: Buffer): string =>
  `voidrunner program ${key.toString('hex')} of ${ownerId.toLowerCase()}`;
