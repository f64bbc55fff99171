import { Injectable } from '@nestjs/common';

import { type PayloadRef, PayloadStore } from '../../kernel/ports/payload-store.js';
import { newId } from '../../kernel/uuid.js';

/** Scripts are stored ahead of the event that refers to them. */
@Injectable()
export class ScriptStore {
  constructor(private readonly payloads: PayloadStore) {}

  /** @returns the current one where the script is the same: nothing changes then */
  async replace(current: PayloadRef, ownerId: string, script: string): Promise<PayloadRef> {
    const content = Buffer.from(script, 'utf8');
    const stored = current.bytes === content.length ? await this.payloads.get(current) : null;
    return stored && content.equals(stored) ? current : this.store(ownerId, content);
  }

  put(ownerId: string, script: string): Promise<PayloadRef> {
    return this.store(ownerId, Buffer.from(script, 'utf8'));
  }

  private store(ownerId: string, content: Buffer): Promise<PayloadRef> {
    return this.payloads.put({ payloadId: newId(), ownerId, kind: 'script', content });
  }
}
