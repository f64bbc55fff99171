/** Leaves [first, first + 2^level) of a tree, `first` being a multiple of 2^level: a perfect subtree. */
export interface Subtree {
  readonly level: number;
  /** The subtree's number among those of its level. */
  readonly index: number;
}

/** The largest power of two less than `size`, which is at least 2: where a tree splits (RFC 9162, 2.1.1). */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/**
 * The perfect subtrees of a tree's leaves [first, end), largest first; `first` is 0 or a split of the tree, so that they
 * are the ones from which its hash is computed.
 */
export function subtreesOf(first: number, end: number): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = first; at < end;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level += 1;
    subtrees.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return subtrees;
}
