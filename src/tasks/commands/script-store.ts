import { Injectable } from '@nestjs/common';

import { newId } from '../../kernel/uuid.js';
import { type PayloadRef, PayloadStore } from '../../platform/payloads/payload-store.js';
import { StorageQuota } from '../../platform/payloads/storage-quota.js';

/** Stores a script before the event that refers to it. Both methods throw `quota_exceeded` if there is no space. */
@Injectable()
export class ScriptStore {
  constructor(
    private readonly payloads: PayloadStore,
    private readonly quota: StorageQuota,
  ) {}

  /** @returns the current reference if the script is unchanged */
  async replace(current: PayloadRef, ownerId: string, script: string): Promise<PayloadRef> {
    const content = Buffer.from(script, 'utf8');
    const stored = current.bytes === content.length ? await this.payloads.get(current) : null;
    return stored && content.equals(stored) ? current : this.store(ownerId, content);
  }

  put(ownerId: string, script: string): Promise<PayloadRef> {
    return this.store(ownerId, Buffer.from(script, 'utf8'));
  }

  private async store(ownerId: string, content: Buffer): Promise<PayloadRef> {
    await this.quota.check(ownerId, content.length);
    return this.payloads.put({ payloadId: newId(), ownerId, kind: 'script', content });
  }
}
