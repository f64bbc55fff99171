import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';

import { DomainError } from '../../kernel/errors.js';
import { reportingOutages } from '../postgres/outage.js';
import { StorageQuota } from './storage-quota.js';

/** Each process sums again after this time: what others store meanwhile may exceed the quota. */
const KNOWN_FOR_MS = 10_000;
/** After a refusal the sum is refreshed after this time, so that freed space is seen. */
const REFUSED_FOR_MS = 1_000;
const OWNERS_MAX = 10_000;
/** What one payload counts at least: its row, its key and its index entries. It also bounds the rows of a sum. */
const PAYLOAD_BYTES_MIN = 1_024;
/** The sweep frees space at such intervals, a user at once. */
const RETRY_AFTER_SECONDS = 600;

interface Known {
  bytes: number;
  readonly atMs: number;
}

const SUM = `
  select coalesce(sum(greatest(bytes, ${PAYLOAD_BYTES_MIN})), 0) as bytes from es.payloads where owner_id = $1`;

/** Sums es.payloads: correct whatever is destroyed, and nothing must be kept up to date. */
export class PostgresStorageQuota extends StorageQuota {
  private readonly known = new LRUCache<string, Known>({ max: OWNERS_MAX });
  private readonly sums = new Map<string, Promise<Known>>();

  /** @param bytesMax per user; 0: no limit */
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
    // Counted even if it is not stored in the end: the next sum corrects that.
    known.bytes += size;
  }

  /** A full quota also refuses what stores nothing yet. */
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
