import { createSecretKey, type KeyObject } from 'node:crypto';

import { KEY_BYTES, seal, unseal } from './sealed-box.js';

/**
 * Wrap data keys, always with the current one. The others still open what they wrapped, so that a key can be replaced
 * while everything runs.
 */
export class MasterKeys {
  /** The current one first. */
  private readonly keys: readonly [KeyObject, ...KeyObject[]];

  /** Each has {@link KEY_BYTES}. */
  constructor(current: Uint8Array, accepted: readonly Uint8Array[] = []) {
    this.keys = [keyOf(current), ...accepted.map(keyOf)];
  }

  wrap(dataKey: Uint8Array, context: string): Buffer {
    return seal(this.keys[0], dataKey, context);
  }

  /** @returns null if no key opens it, or it was wrapped for another context */
  find(wrapped: Uint8Array, context: string): { readonly dataKey: Buffer; readonly isCurrent: boolean } | null {
    for (const [index, key] of this.keys.entries()) {
      const dataKey = opened(key, wrapped, context);
      if (dataKey) return { dataKey, isCurrent: index === 0 };
    }
    return null;
  }

  /** @throws Error if {@link find} returns null */
  unwrap(wrapped: Uint8Array, context: string): Buffer {
    const found = this.find(wrapped, context);
    if (!found) throw new Error('no master key opens this data key');
    return found.dataKey;
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
