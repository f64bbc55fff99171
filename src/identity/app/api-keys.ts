import { createHmac } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { CallerIdentity } from '../../http/request-context.js';
import type { Scope } from '../../http/scopes.js';
import { DomainError } from '../../kernel/errors.js';
import { type Requester, requireOwner } from '../../kernel/requester.js';
import { newId } from '../../kernel/uuid.js';
import type { Log } from '../../platform/telemetry/log.js';
import { isKeyText, keyHashOf, keyPrefixOf, newKeyText } from './key-text.js';
import type { ApiKey } from '../store/entities.js';
import type { KeyStore } from '../store/key-store.js';
import type { Revocations } from './revocations.js';
import type { SecurityFacts } from './security-facts.js';
import { invalidToken } from './tokens.js';

/** Of one user. Rate limits count per key. */
export const KEYS_MAX = 50;
/** Keys in use, as this process knows them; the least recently used are evicted. */
const KNOWN_MAX = 10_000;
/** A key is read again after this time; until then, its revocation must be known. */
export const KNOWN_MS_MAX = 15 * 60_000;
/** How often `last_used_at` is written. */
const TOUCH_INTERVAL_MS = 60_000;
/** Addresses of one key that this process remembers. */
const ADDRESSES_KNOWN_MAX = 1_000;
/** Uses that are recorded in the background at a time; the next ones are recorded at a later request. */
const RECORDING_MAX = 32;

export interface ApiKeysOptions {
  readonly store: KeyStore;
  readonly revocations: Revocations;
  readonly facts: SecurityFacts;
  readonly log: Log;
}

interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
}

interface KnownKey {
  readonly key: ApiKey;
  readonly identity: CallerIdentity;
  touchedMs: number;
  readonly addresses: Set<string>;
}

/** API keys: made, listed and revoked by their owner, and checked without an SQL statement per request (ADR 58). */
export class ApiKeys {
  /** By the hash of the key, in hexadecimal: the text is not kept. */
  private readonly known = new LRUCache<string, KnownKey>({ max: KNOWN_MAX, ttl: KNOWN_MS_MAX });
  private readonly recording = new Set<Promise<void>>();

  constructor(private readonly options: ApiKeysOptions) {}

  /**
   * @returns the key itself, which nobody can read again
   * @throws DomainError `too_many_keys`, `expires_in_past`
   */
  async create(
    userId: string,
    { name, scopes, expiresAt }: NewApiKey,
    metadata: EventMetadata,
  ): Promise<{ text: string; key: ApiKey }> {
    const { store, facts } = this.options;
    const text = newKeyText();
    const key: ApiKey = {
      id: newId(),
      userId,
      name,
      prefix: keyPrefixOf(text),
      hash: keyHashOf(text),
      scopes: [...scopes],
      createdAt: new Date(),
      expiresAt,
      lastUsedAt: null,
      revokedAt: null,
    };
    if (!(await store.insert(key, KEYS_MAX, metadata)))
      throw new DomainError('too_many_keys', `You have ${KEYS_MAX} API keys: revoke one first`, 'conflict');
    facts.announce(userId);
    return { text, key };
  }

  list(userId: string): Promise<ApiKey[]> {
    return this.options.store.listOf(userId, KEYS_MAX);
  }

  /** @throws DomainError `key_not_found`, `access_denied` */
  async get(id: string, requester: Requester): Promise<ApiKey> {
    const key = await this.options.store.find(id);
    if (!key) throw new DomainError('key_not_found', 'API key not found', 'not_found');
    requireOwner(requester, key.userId);
    return key;
  }

  /**
   * Takes effect in this process at once, and in others within a second.
   * @throws DomainError `key_not_found`, `access_denied`
   */
  async revoke(id: string, requester: Requester, metadata: EventMetadata): Promise<void> {
    const { store, revocations, facts } = this.options;
    const key = await this.get(id, requester);
    await store.revoke(key, metadata);
    revocations.add(id);
    facts.announce(key.userId);
  }

  /** @throws DomainError `invalid_token`; Unavailable */
  async verify(text: string, address: string): Promise<CallerIdentity> {
    if (!isKeyText(text)) throw invalidToken();
    const hash = keyHashOf(text);
    const known = this.known.get(hash.toString('hex')) ?? (await this.look(hash));
    const { key, identity } = known;
    if (key.expiresAt && key.expiresAt.getTime() <= Date.now()) throw invalidToken();
    if (await this.options.revocations.isRevoked(key.id)) {
      this.known.delete(hash.toString('hex'));
      throw invalidToken();
    }
    this.recordUse(known, address);
    return identity;
  }

  start(): void {
    this.options.revocations.start();
  }

  /** Resolves when all work in progress has ended, with or without success. */
  async stop(): Promise<void> {
    await Promise.all(this.recording);
    await this.options.revocations.stop();
  }

  private async look(hash: Buffer): Promise<KnownKey> {
    const key = await this.options.store.findByHash(hash);
    // Compared by an index, and not in constant time: what a comparison reveals is about the hash, not about the key.
    if (!key) throw invalidToken();
    const { id, userId, scopes } = key;
    const identity: CallerIdentity = {
      userId,
      isAdmin: false,
      sessionId: null,
      key: { id, scopes: scopes as Scope[] },
    };
    const known = { key, identity, touchedMs: key.lastUsedAt?.getTime() ?? 0, addresses: new Set<string>() };
    this.known.set(hash.toString('hex'), known);
    return known;
  }

  private recordUse(known: KnownKey, address: string): void {
    const now = Date.now();
    const isNew = !known.addresses.has(address) && known.addresses.size < ADDRESSES_KNOWN_MAX;
    if (!isNew && now - known.touchedMs < TOUCH_INTERVAL_MS) return;
    if (this.recording.size >= RECORDING_MAX) return;
    known.touchedMs = now;
    if (isNew) known.addresses.add(address);
    const work = this.written(known.key, isNew ? address : null)
      .catch((error: unknown) => {
        known.addresses.delete(address);
        this.options.log.warn({ key_id: known.key.id, err: error }, 'the use of an API key is not recorded');
      })
      .finally(() => this.recording.delete(work));
    this.recording.add(work);
  }

  private async written(key: ApiKey, newAddress: string | null): Promise<void> {
    const { store, facts } = this.options;
    await store.touch(key.id, TOUCH_INTERVAL_MS);
    if (newAddress === null) return;
    const metadata: EventMetadata = { actor: `user:${key.userId}`, correlation_id: key.id, key_id: key.id };
    const addressHash = createHmac('sha256', key.hash).update(newAddress).digest();
    if (await store.addAddress(key, addressHash, metadata)) facts.announce(key.userId);
  }
}
