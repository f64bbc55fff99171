/** What an event records of a payload: its id, its size, and a proof of its stored form. */
export interface PayloadRef {
  readonly payload_id: string;
  /** Of the plaintext. */
  readonly bytes: number;
  /** Hex SHA-256 of the ciphertext, so that a history stays provable after its key is destroyed. */
  readonly sha256: string;
}

/** `suite`: the tests of a task. Those of one execution are an `input`. */
export type PayloadKind = 'script' | 'suite' | 'input' | 'stdout' | 'stderr' | 'file' | 'test_results';

/** Scripts, tests, inputs, outputs and files: encrypted with the key of their owner, beside the log and never in it. */
export abstract class PayloadStore {
  /**
   * Stores bytes under an id. May be repeated: the first write of an id stays, and its ref is returned, even if it has
   * been destroyed since.
   * @param payload.freesContent frees the memory of the content as soon as it is sealed, if it has its own: the caller
   *   cannot use it again, whatever happens
   * @throws Unavailable
   */
  abstract put(payload: {
    payloadId: string;
    ownerId: string;
    kind: PayloadKind;
    content: Uint8Array;
    freesContent?: boolean;
  }): Promise<PayloadRef>;

  /**
   * @returns the plaintext in memory of its own, or null if the payload or the key of its owner has been destroyed
   * @throws Error if the stored bytes do not match the ref: somebody changed them
   */
  abstract get(ref: PayloadRef): Promise<Uint8Array | null>;
}
