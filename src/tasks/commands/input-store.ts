import { Injectable } from '@nestjs/common';

import { type PartContent, utf8Text } from '../../kernel/packed-json.js';
import { newId } from '../../kernel/uuid.js';
import { Semaphore } from '../../platform/async/semaphore.js';
import { scheduleMinorGc } from '../../platform/memory/minor-gc.js';
import { type PayloadRef, PayloadStore } from '../../platform/payloads/payload-store.js';
import { StorageQuota } from '../../platform/payloads/storage-quota.js';
import { decodeExecutionInput, encodeExecutionInput, type InputFile } from '../domain/execution-input.js';

/** At a time: each has the content in memory. */
export const COPIES_MAX = 4;

/** An execution's input as the client sends it. */
export interface SubmittedInput {
  stdin?: string | undefined;
  /** Replaces `stdin`. */
  stdin_base64?: string | undefined;
  readonly interactive?: boolean | undefined;
  readonly args?: string[] | undefined;
  readonly env?: Record<string, string> | undefined;
  readonly files?: readonly SubmittedFile[] | undefined;
  readonly outputs?: string[] | undefined;
}

export interface SubmittedFile {
  readonly path: string;
  content: string;
  readonly encoding: 'utf8' | 'base64';
}

/** An input that was stored again. */
export interface CopiedInput {
  readonly input: PayloadRef | null;
  /** Of its files. */
  readonly paths: readonly string[];
  readonly isInteractive: boolean;
}

/** Stores an input before the event that refers to it. */
@Injectable()
export class InputStore {
  private readonly copies = new Semaphore(COPIES_MAX);

  constructor(
    private readonly payloads: PayloadStore,
    private readonly quota: StorageQuota,
  ) {}

  /**
   * @param ownerId the sender, whose key encrypts it
   * @param submitted its texts are emptied: else they would stay in memory for as long as the request waits
   * @throws DomainError `quota_exceeded`, even without an input: the execution will have an output
   */
  async put(ownerId: string, submitted: SubmittedInput | undefined): Promise<PayloadRef | null> {
    if (submitted === undefined || Object.keys(submitted).length === 0) {
      await this.quota.check(ownerId, 0);
      return null;
    }
    return this.store(ownerId, packed(submitted));
  }

  /**
   * @param ref null: there is none, but the execution will have an output
   * @returns null if the input has been destroyed. @throws DomainError `quota_exceeded`
   */
  async copy(ownerId: string, ref: PayloadRef | null): Promise<CopiedInput | null> {
    if (ref === null) {
      await this.quota.check(ownerId, 0);
      return { input: null, paths: [], isInteractive: false };
    }
    return this.copies.run(async () => {
      const content = await this.payloads.get(ref);
      if (content === null) return null;
      const { files = [], interactive: isInteractive = false } = decodeExecutionInput(content);
      return { input: await this.store(ownerId, content), paths: files.map(({ path }) => path), isInteractive };
    });
  }

  private async store(ownerId: string, content: Uint8Array): Promise<PayloadRef> {
    await this.quota.check(ownerId, content.length);
    return this.payloads.put({ payloadId: newId(), ownerId, kind: 'input', content, freesContent: true });
  }
}

/**
 * A function of its own, so that nothing holds the texts when it returns. If they are large, they are collected at once:
 * they are young, and would stay for long if another collection found them alive.
 */
function packed(submitted: SubmittedInput): Buffer {
  const { stdin, stdin_base64, files, ...others } = submitted;
  const content = encodeExecutionInput({
    ...others,
    ...(stdin !== undefined && { stdin: utf8Text(stdin) }),
    ...(stdin_base64 !== undefined && { stdin: { text: stdin_base64, encoding: 'base64' } }),
    ...(files && { files: files.map(contentOfFile) }),
  });
  emptyInput(submitted);
  scheduleMinorGc(content.length);
  return content;
}

/** Frees its texts, which are not needed any more: a request may wait for long. */
export function emptyInput(submitted: SubmittedInput): void {
  if (submitted.stdin !== undefined) submitted.stdin = '';
  if (submitted.stdin_base64 !== undefined) submitted.stdin_base64 = '';
  for (const file of submitted.files ?? []) file.content = '';
}

export const contentOfFile = ({ path, content: text, encoding }: SubmittedFile): InputFile<PartContent> => ({
  path,
  content: { text, encoding },
});
