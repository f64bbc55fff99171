import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { deterministicId } from '../../kernel/uuid.js';
import { PayloadStore } from '../../platform/payloads/payload-store.js';
import { StorageQuota } from '../../platform/payloads/storage-quota.js';
import type { OutputRef } from '../domain/execution-events.js';

/** Stores the output of external executions, as their owners report it. */
@Injectable()
export class ReportedOutput {
  constructor(
    private readonly payloads: PayloadStore,
    private readonly quota: StorageQuota,
  ) {}

  /**
   * Stores a stream before the event that refers to it. Its id is computed from the content; a worker's from the
   * attempt. A report may be refused, and its output must not take the id of the attempt's own output.
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
