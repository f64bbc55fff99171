import { Injectable } from '@nestjs/common';

import { newId } from '../../kernel/uuid.js';
import { type PayloadRef, PayloadStore } from '../../platform/payloads/payload-store.js';
import { StorageQuota } from '../../platform/payloads/storage-quota.js';
import { decodeExecutionInput, encodeExecutionInput, type ExecutionInput } from '../domain/execution-input.js';

/** An execution's input as the client sends it. */
export interface SubmittedInput {
  readonly stdin?: string | undefined;
  /** Replaces `stdin`. */
  readonly stdin_base64?: string | undefined;
  readonly args?: string[] | undefined;
  readonly env?: Record<string, string> | undefined;
  readonly files?: readonly { path: string; content: string; encoding: 'utf8' | 'base64' }[] | undefined;
  readonly outputs?: string[] | undefined;
}

/** An input that was stored again. */
export interface CopiedInput {
  readonly input: PayloadRef | null;
  /** Of its files. */
  readonly paths: readonly string[];
}

/** Stores an input before the event that refers to it. */
@Injectable()
export class InputStore {
  constructor(
    private readonly payloads: PayloadStore,
    private readonly quota: StorageQuota,
  ) {}

  /**
   * @param ownerId the sender, whose key encrypts it
   * @throws DomainError `quota_exceeded`, even without an input: the execution will have an output
   */
  async put(ownerId: string, submitted: SubmittedInput | undefined): Promise<PayloadRef | null> {
    if (submitted === undefined || Object.keys(submitted).length === 0) {
      await this.quota.check(ownerId, 0);
      return null;
    }
    const { stdin, stdin_base64, files, ...others } = submitted;
    const input: ExecutionInput = {
      ...others,
      ...(stdin !== undefined && { stdin: Buffer.from(stdin) }),
      ...(stdin_base64 !== undefined && { stdin: Buffer.from(stdin_base64, 'base64') }),
      ...(files && {
        files: files.map(({ path, content, encoding }) => ({ path, content: Buffer.from(content, encoding) })),
      }),
    };
    return this.store(ownerId, encodeExecutionInput(input));
  }

  /**
   * @param ref null: there is none, but the execution will have an output
   * @returns null if the input has been destroyed. @throws DomainError `quota_exceeded`
   */
  async copy(ownerId: string, ref: PayloadRef | null): Promise<CopiedInput | null> {
    if (ref === null) {
      await this.quota.check(ownerId, 0);
      return { input: null, paths: [] };
    }
    const content = await this.payloads.get(ref);
    if (content === null) return null;
    const paths = decodeExecutionInput(content).files?.map(({ path }) => path) ?? [];
    return { input: await this.store(ownerId, content), paths };
  }

  private async store(ownerId: string, content: Uint8Array): Promise<PayloadRef> {
    await this.quota.check(ownerId, content.length);
    return this.payloads.put({ payloadId: newId(), ownerId, kind: 'input', content });
  }
}
