import { hash } from 'node:crypto';

import { lookup } from 'mime-types';

import { deterministicId } from '../kernel/uuid.js';
import type { PayloadStore } from '../platform/payloads/payload-store.js';
import type { CollectedFile } from '../sandbox/sandbox.js';
import type { AttemptLease } from '../tasks/domain/execution-commands.js';
import type { StoredFile } from '../tasks/domain/execution-events.js';

/**
 * Stores the files of a run, before the event that refers to them. The ids are derived from execution, attempt and
 * path, so storing again after an outage changes nothing.
 */
export async function storeFiles(
  payloads: PayloadStore,
  lease: AttemptLease,
  ownerId: string,
  files: readonly CollectedFile[],
): Promise<StoredFile[]> {
  const stored = files.map(({ path, content }) => storeFile(payloads, lease, ownerId, path, content));
  // Waits for all, so that none still reads a buffer when the caller detaches it.
  await Promise.allSettled(stored);
  return Promise.all(stored);
}

async function storeFile(
  payloads: PayloadStore,
  { executionId, attempt }: AttemptLease,
  ownerId: string,
  path: string,
  content: Uint8Array,
): Promise<StoredFile> {
  const facts = {
    path,
    bytes: content.length,
    sha256: hash('sha256', content, 'hex'),
    media_type: lookup(path) || 'application/octet-stream',
  };
  if (content.length === 0) return { ...facts, payload: null };
  const payloadId = deterministicId(executionId, attempt, 'file', path);
  return { ...facts, payload: await payloads.put({ payloadId, ownerId, kind: 'file', content }) };
}
