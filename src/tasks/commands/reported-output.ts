import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { PayloadStore } from '../../platform/payloads/payload-store.js';
import { StorageQuota } from '../../platform/payloads/storage-quota.js';
import { deterministicId } from '../../kernel/uuid.js';
import type { OutputRef } from '../domain/execution-events.js';

/** What a run done elsewhere wrote, as its owner reports it. */
@Injectable()
export class ReportedOutput {
  constructor(
    private readonly payloads: PayloadStore,
    private readonly quota: StorageQuota,
  ) {}

  /**
   * Stores a stream ahead of the event that refers to it. Unlike a worker's, its id follows from the content and not
   * from the attempt: a report may be refused, and then its output must not stand where the attempt's own belongs.
   * @param ownerId whose key encrypts it
   * @throws DomainError `quota_exceeded`
   */
  async put(executionId: string, ownerId: string, kind: 'stdout' | 'stderr', text: string): Promise<OutputRef> {
    const content = Buffer.from(text, 'utf8');
    if (content.length === 0) return { payload: null, bytes_total: 0, truncated: false };
    const payloadId = deterministicId(
      executionId,
      'reported',
      kind,
      createHash('sha256').update(content).digest('hex'),
    );
    await this.quota.check(ownerId, content.length);
    const payload = await this.payloads.put({ payloadId, ownerId, kind, content });
    return { payload, bytes_total: content.length, truncated: false };
  }
}
