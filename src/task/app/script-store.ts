import { Injectable } from '@nestjs/common';

import { type PayloadRef, PayloadStore } from '../../kernel/ports/payload-store.js';
import { newId } from '../../kernel/uuid.js';

/** Scripts are stored ahead of the event that refers to them. */
@Injectable()
export class ScriptStore {
  constructor(private readonly payloads: PayloadStore) {}

  put(ownerId: string, script: string): Promise<PayloadRef> {
    return this.payloads.put({ payloadId: newId(), ownerId, kind: 'script', content: Buffer.from(script, 'utf8') });
  }
}
