import { createHash } from 'node:crypto';

import { detachBuffer } from '../../src/platform/memory/detach-buffer.js';
import { type PayloadKind, type PayloadRef, PayloadStore } from '../../src/platform/payloads/payload-store.js';

/** The port without Postgres and without encryption: for unit tests of its users. */
export class InMemoryPayloadStore extends PayloadStore {
  /** Runs before every call. If it throws, that is an outage. */
  before: (call: 'put' | 'get') => void = () => undefined;
  readonly stored = new Map<string, { ownerId: string; kind: PayloadKind; content: Uint8Array }>();

  override async put(payload: {
    payloadId: string;
    ownerId: string;
    kind: PayloadKind;
    content: Uint8Array;
    freesContent?: boolean;
  }): Promise<PayloadRef> {
    this.before('put');
    const { payloadId, freesContent, ...given } = payload;
    const kept = { ...given, content: Buffer.from(given.content) };
    if (freesContent) detachBuffer(given.content);
    const { content } = this.stored.get(payloadId) ?? kept;
    if (!this.stored.has(payloadId)) this.stored.set(payloadId, kept);
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { payload_id: payloadId, bytes: content.length, sha256 };
  }

  override async get(ref: PayloadRef): Promise<Uint8Array | null> {
    this.before('get');
    const stored = this.stored.get(ref.payload_id);
    return stored ? Buffer.from(stored.content) : null;
  }

  /** As when the owner's key is destroyed: the payload cannot be read. */
  destroy(payloadId: string): void {
    this.stored.delete(payloadId);
  }
}
