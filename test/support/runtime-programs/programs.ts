/** One program of each kind in a runtime. */
export interface RuntimePrograms {
  /** Prints HELLO. */
  readonly hello: string;
  /**
   * Prints its standard input, its arguments one per line, the variable GREETING, and the file data.txt; "to stderr" on
   * standard error; and exits with 7.
   */
  readonly echo: string;
  /** Has a fault in line 3; the message names it. */
  readonly faulty: { readonly script: string; readonly message: RegExp };
  /** Prints "before", and uses memory without end. */
  readonly hog: string;
  /** Prints "before", and does not end. */
  readonly loop: string;
  /** Recurses without end. */
  readonly recursion: { readonly script: string; readonly message: RegExp };
  /** Prints the sum of 1 to 4, added up in four threads. Absent: the language has none. */
  readonly threads?: string;
}

export const HELLO = 'Hello, wörld ✓ 𝕌\n';
