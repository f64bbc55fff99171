import { createSecretKey, type KeyObject } from 'node:crypto';

import { KEY_BYTES, seal, unseal } from './sealed-box.js';

/**
 * Wrap data keys: always with the current one. Others open what is wrapped with them still, so that a key can be
 * replaced while everything runs.
 */
export class MasterKeys {
  private readonly current: KeyObject;
  private readonly accepted: readonly KeyObject[];

  /** Of {@link KEY_BYTES} each. */
  constructor(current: Uint8Array, accepted: readonly Uint8Array[] = []) {
    this.current = keyOf(current);
    this.accepted = accepted.map(keyOf);
  }

  wrap(dataKey: Uint8Array, context: string): Buffer {
    return seal(this.current, dataKey, context);
  }

  /** @throws Error where none of them opens it, or it was wrapped for another context */
  unwrap(wrapped: Uint8Array, context: string): { readonly dataKey: Buffer; readonly isCurrent: boolean } {
    const dataKey = opened(this.current, wrapped, context);
    if (dataKey) return { dataKey, isCurrent: true };
    for (const key of this.accepted) {
      const found = opened(key, wrapped, context);
      if (found) return { dataKey: found, isCurrent: false };
    }
    throw new Error('a data key that no master key of ours opens');
  }
}

function keyOf(bytes: Uint8Array): KeyObject {
  if (bytes.length !== KEY_BYTES) throw new Error(`a master key must have ${KEY_BYTES} bytes`);
  return createSecretKey(bytes);
}

function opened(key: KeyObject, wrapped: Uint8Array, context: string): Buffer | null {
  try {
    return unseal(key, wrapped, context);
  } catch {
    return null;
  }
}
