import type { Pool } from 'pg';

import { DomainError } from '../../kernel/errors.js';
import { DataKeys } from './data-keys.js';
import type { MasterKeys } from './master-keys.js';
import { seal, unseal } from './sealed-box.js';

/** Short confidential texts that are part of an event, sealed under the key of their owner. */
export abstract class SealedTexts {
  /**
   * @param context what the text is for; it opens for nothing else
   * @returns base64
   * @throws DomainError `owner_erased`; Unavailable
   */
  abstract seal(ownerId: string, context: string, text: string): Promise<string>;

  /**
   * @returns null if the key of its owner has been destroyed
   * @throws Error if it was sealed for another context, or changed since
   * @throws Unavailable
   */
  abstract open(ownerId: string, context: string, sealed: string): Promise<string | null>;
}

export class PostgresSealedTexts extends SealedTexts {
  private readonly keys: DataKeys;

  constructor({ pool, masterKeys }: { readonly pool: Pool; readonly masterKeys: MasterKeys }) {
    super();
    this.keys = new DataKeys(pool, masterKeys);
  }

  override async seal(ownerId: string, context: string, text: string): Promise<string> {
    const key = await this.keys.keyOf(ownerId);
    return seal(key, Buffer.from(text, 'utf8'), contextOf(ownerId, context)).toString('base64');
  }

  override async open(ownerId: string, context: string, sealed: string): Promise<string | null> {
    try {
      const key = await this.keys.keyOf(ownerId);
      return unseal(key, Buffer.from(sealed, 'base64'), contextOf(ownerId, context)).toString('utf8');
    } catch (error) {
      if (error instanceof DomainError && error.code === 'owner_erased') return null;
      throw error;
    }
  }
}

/** In lower case, as Postgres returns ids. */
const contextOf = (ownerId: string, context: string): string => `voidrunner ${context} of ${ownerId.toLowerCase()}`;
