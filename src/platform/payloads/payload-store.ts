/** What an event says of a payload: where it is, how large, and a proof of its stored form. */
export interface PayloadRef {
  readonly payload_id: string;
  /** Of the plaintext. */
  readonly bytes: number;
  /** Hex SHA-256 of the ciphertext, so that a history stays provable after its key is destroyed. */
  readonly sha256: string;
}

export type PayloadKind = 'script' | 'input' | 'stdout' | 'stderr';

/** Scripts, inputs and outputs: encrypted with their owner's key, beside the log and never in it. */
export abstract class PayloadStore {
  /**
   * Stores bytes under an id. May be repeated: the first write of an id stays, and its ref is returned, also
   * where it has been destroyed since.
   * @throws Unavailable
   */
  abstract put(payload: {
    payloadId: string;
    ownerId: string;
    kind: PayloadKind;
    content: Uint8Array;
  }): Promise<PayloadRef>;

  /**
   * @returns the plaintext, or null where the payload or its owner's key has been destroyed
   * @throws Error where the stored bytes do not match the ref: somebody changed them
   */
  abstract get(ref: PayloadRef): Promise<Uint8Array | null>;
}
