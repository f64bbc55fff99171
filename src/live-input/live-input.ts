/** One start of an attempt, whose program takes input while it runs. */
export interface InputTarget {
  readonly executionId: string;
  readonly attempt: number;
  /** Distinguishes two starts of one attempt: a released attempt starts again under the same number. */
  readonly startId: string;
}

/** What one request adds to the standard input of a program. */
export interface InputPiece {
  readonly bytes: Uint8Array;
  /** Whether standard input ends after these bytes. */
  readonly isLast: boolean;
  /** Of a request that may be repeated: its id, and the digest of its content. */
  readonly request?: { readonly id: string; readonly digest: string } | undefined;
}

/** Maximum size of one piece. */
export const INPUT_PIECE_BYTES_MAX = 64 * 1024;

/** How long a worker has to answer. */
export const INPUT_ANSWER_TIMEOUT_MS = 2_000;

/** A piece that was added, now or, if it is a repeat, by the request before. */
export interface AcceptedInput {
  readonly outcome: 'accepted';
  /** Accepted so far by this start, with the piece. */
  readonly bytes: number;
  /** Whether it was the last piece. */
  readonly closed: boolean;
  readonly replayed: boolean;
}

/**
 * A piece of which nothing was added. `full`: the program does not read. `closed`: its input was ended before. `ended`:
 * the program is over. `reused`: another piece had the request's id.
 */
export interface RefusedInput {
  readonly outcome: 'full' | 'closed' | 'ended' | 'reused';
}

export type InputAnswer = AcceptedInput | RefusedInput;

/** Decides at once, so that pieces keep the order in which they arrive. */
export type InputReceiver = (piece: InputPiece) => InputAnswer;

/** Carries input to a running program, from whoever sends it to the worker that runs it. Nothing is kept on the way. */
export abstract class LiveInput {
  /**
   * Pieces that are sent one after another arrive in that order.
   * @returns null: no worker takes input for this start, and the piece is lost
   * @throws Unavailable: the piece may have been added, or may still be
   */
  abstract send(target: InputTarget, piece: InputPiece): Promise<InputAnswer | null>;

  /** @param receiver its piece is valid only during the call. @returns a function to stop */
  abstract receive(target: InputTarget, receiver: InputReceiver): () => void;
}
