import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';

import { DomainError } from '../../kernel/errors.js';
import { StorageQuota } from './storage-quota.js';
import { reportingOutages } from '../postgres/outage.js';

/** Each process sums anew after as long: what others store meanwhile is what a quota can be passed by. */
const KNOWN_FOR_MS = 10_000;
/** Whoever is refused is summed anew after as long, so that room that was made is seen. */
const REFUSED_FOR_MS = 1_000;
const OWNERS_MAX = 10_000;
/** What one payload counts at least: its row, its key and its entries in indexes; and a sum has an end. */
const PAYLOAD_BYTES_MIN = 1_024;
/** The sweep makes room at such intervals, a user at once. */
const RETRY_AFTER_SECONDS = 600;

interface Known {
  bytes: number;
  readonly atMs: number;
}

const SUM = `
  select coalesce(sum(greatest(bytes, ${PAYLOAD_BYTES_MIN})), 0) as bytes from es.payloads where owner_id = $1`;

/** Sums what is in es.payloads: right whatever is destroyed, and nothing to keep up to date. */
export class PostgresStorageQuota extends StorageQuota {
  private readonly known = new LRUCache<string, Known>({ max: OWNERS_MAX });
  private readonly sums = new Map<string, Promise<Known>>();

  /** @param bytesMax of each user; 0: no limit */
  constructor(
    private readonly pool: Pool,
    private readonly bytesMax: number,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  override async check(ownerId: string, bytes: number): Promise<void> {
    if (this.bytesMax === 0) return;
    const size = bytes === 0 ? 0 : Math.max(bytes, PAYLOAD_BYTES_MIN);
    let known = await this.stored(ownerId, KNOWN_FOR_MS);
    if (!this.hasRoom(known, size)) known = await this.stored(ownerId, REFUSED_FOR_MS);
    if (!this.hasRoom(known, size)) throw this.refusal(known);
    // Counted, whether or not it comes to be stored: the next sum will say.
    known.bytes += size;
  }

  /** Full is full, also for what stores nothing yet. */
  private hasRoom(known: Known, bytes: number): boolean {
    return known.bytes < this.bytesMax && known.bytes + bytes <= this.bytesMax;
  }

  private async stored(ownerId: string, knownForMs: number): Promise<Known> {
    const known = this.known.get(ownerId);
    if (known && this.now() - known.atMs < knownForMs) return known;
    const begun = this.sums.get(ownerId);
    if (begun) return begun;
    const sum = this.sum(ownerId).finally(() => this.sums.delete(ownerId));
    this.sums.set(ownerId, sum);
    return sum;
  }

  private async sum(ownerId: string): Promise<Known> {
    const { rows } = await reportingOutages(() => this.pool.query<{ bytes: string }>(SUM, [ownerId]));
    const summed = { bytes: Number(rows[0]!.bytes), atMs: this.now() };
    this.known.set(ownerId, summed);
    return summed;
  }

  private refusal({ bytes }: Known): DomainError {
    return new DomainError('quota_exceeded', 'Storage quota exceeded', 'too_many', {
      quota: 'stored_bytes',
      max: this.bytesMax,
      stored: bytes,
      retry_after: RETRY_AFTER_SECONDS,
    });
  }
}
