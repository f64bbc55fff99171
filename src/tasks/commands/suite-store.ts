import { Injectable } from '@nestjs/common';

import { newId } from '../../kernel/uuid.js';
import { Semaphore } from '../../platform/async/semaphore.js';
import { detachBuffer } from '../../platform/memory/detach-buffer.js';
import { type PayloadRef, PayloadStore } from '../../platform/payloads/payload-store.js';
import { StorageQuota } from '../../platform/payloads/storage-quota.js';
import { COPIES_MAX } from './input-store.js';
import type { SuiteRef } from '../domain/execution-shape.js';
import { decodeTestSuite, type PackedSuite, type TestSuite } from '../domain/test-suite.js';

/** Stores tests before the event that refers to them. Both writes throw `quota_exceeded` if there is no space. */
@Injectable()
export class SuiteStore {
  private readonly copies = new Semaphore(COPIES_MAX);

  constructor(
    private readonly payloads: PayloadStore,
    private readonly quota: StorageQuota,
  ) {}

  /** Kept as long as its task. @returns the current reference if the tests are unchanged */
  async putOfTask(ownerId: string, suite: PackedSuite, current: SuiteRef | null = null): Promise<SuiteRef> {
    const { content } = suite;
    const stored = current?.payload.bytes === content.length ? await this.payloads.get(current.payload) : null;
    const isSame = stored !== null && content.equals(stored);
    if (stored) detachBuffer(stored);
    return isSame ? current! : this.put(ownerId, 'suite', suite);
  }

  /** Kept as long as the input of an execution. */
  putOfExecution(ownerId: string, suite: PackedSuite): Promise<SuiteRef> {
    return this.put(ownerId, 'input', suite);
  }

  /** @returns null if it has been destroyed */
  async get({ payload }: SuiteRef): Promise<TestSuite | null> {
    const content = await this.payloads.get(payload);
    return content && decodeTestSuite(content);
  }

  /** @param view gets null if it has been destroyed; the suite's memory is freed afterwards */
  async view<View>({ payload }: SuiteRef, view: (suite: TestSuite | null) => Promise<View>): Promise<View> {
    const content = await this.payloads.get(payload);
    try {
      return await view(content && decodeTestSuite(content));
    } finally {
      if (content) detachBuffer(content);
    }
  }

  /** For one more execution. @returns null if it has been destroyed */
  async copy(ownerId: string, suite: SuiteRef): Promise<SuiteRef | null> {
    return this.copies.run(async () => {
      const content = await this.payloads.get(suite.payload);
      return content && { ...suite, payload: await this.store(ownerId, 'input', content) };
    });
  }

  private async put(
    ownerId: string,
    kind: 'suite' | 'input',
    { content, tests, points }: PackedSuite,
  ): Promise<SuiteRef> {
    return { payload: await this.store(ownerId, kind, content), tests, points };
  }

  private async store(ownerId: string, kind: 'suite' | 'input', content: Uint8Array): Promise<PayloadRef> {
    await this.quota.check(ownerId, content.length);
    return this.payloads.put({ payloadId: newId(), ownerId, kind, content, freesContent: true });
  }
}
