import { joinedRoot, nodeHash } from './hashes.js';

/**
 * A Merkle tree (RFC 9162, 2.1) of which only the right edge is kept: the root of each perfect subtree in the binary
 * decomposition of its size, largest first. Enough to append leaves and to compute the root; 40 hashes for 2^40 leaves.
 */
export class CompactTree {
  private constructor(
    private leaves: number,
    private readonly subtrees: Buffer[],
  ) {}

  static empty(): CompactTree {
    return new CompactTree(0, []);
  }

  /** @param subtrees one for each bit set in the size, largest first */
  static of(size: number, subtrees: readonly Buffer[]): CompactTree {
    if (subtrees.length !== bitsSet(size)) throw new RangeError(`a tree of ${size} leaves has other subtrees`);
    return new CompactTree(size, [...subtrees]);
  }

  get size(): number {
    return this.leaves;
  }

  copy(): CompactTree {
    return new CompactTree(this.leaves, [...this.subtrees]);
  }

  append(leaf: Buffer): void {
    let subtree = leaf;
    // Each bit that the increment carries over joins two subtrees of equal size.
    for (let carried = this.leaves; carried % 2 === 1; carried = Math.floor(carried / 2)) {
      subtree = nodeHash(this.subtrees.pop()!, subtree);
    }
    this.subtrees.push(subtree);
    this.leaves += 1;
  }

  root(): Buffer {
    return joinedRoot(this.subtrees);
  }
}

function bitsSet(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
