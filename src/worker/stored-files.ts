import { hash } from 'node:crypto';
import { extname } from 'node:path';

import { lookup } from 'mime-types';

import { deterministicId } from '../kernel/uuid.js';
import { allSettled } from '../platform/async/all-settled.js';
import type { PayloadStore } from '../platform/payloads/payload-store.js';
import type { CollectedFile } from '../sandbox/sandbox.js';
import type { AttemptLease } from '../tasks/domain/execution-commands.js';
import type { StoredFile } from '../tasks/domain/execution-events.js';

/** TypeScript: registered for videos. */
const TEXTS: ReadonlySet<string> = new Set(['.ts', '.mts']);

/**
 * Stores the files of a run, before the event that refers to them. The ids are derived from execution, attempt and
 * path, so storing again after an outage changes nothing.
 */
export const storeFiles = (
  payloads: PayloadStore,
  lease: AttemptLease,
  ownerId: string,
  files: readonly CollectedFile[],
): Promise<StoredFile[]> =>
  // None may still read a buffer when the caller detaches it.
  allSettled(files.map(({ path, content }) => storeFile(payloads, lease, ownerId, path, content)));

/** Not of a name without a dot, which `lookup` would take for an extension. */
function mediaTypeOf(path: string): string {
  const extension = extname(path).toLowerCase();
  return TEXTS.has(extension) ? 'text/plain' : lookup(extension) || 'application/octet-stream';
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
    media_type: mediaTypeOf(path),
  };
  if (content.length === 0) return { ...facts, payload: null };
  const payloadId = deterministicId(executionId, attempt, 'file', path);
  return { ...facts, payload: await payloads.put({ payloadId, ownerId, kind: 'file', content }) };
}
