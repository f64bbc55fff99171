import { isStorableText } from '../../../kernel/json.js';

/** Deeper than anything a person writes, and far from what recursion in zod, V8 or Postgres can bear. */
export const JSON_DEPTH_MAX = 32;

export interface TextFault {
  readonly path: readonly PropertyKey[];
  readonly tag: 'unicode' | 'depth';
  readonly message: string;
}

interface Level {
  readonly value: unknown;
  readonly path: readonly PropertyKey[];
}

/**
 * The first string that Postgres would refuse, or the first value nested too deep; undefined for none.
 * Iterative: JSON.parse reads a megabyte of `[`, a recursive walk of it ends the call stack.
 */
export function textFaultOf(root: unknown): TextFault | undefined {
  const pending: Level[] = [{ value: root, path: [] }];
  for (let level = pending.pop(); level; level = pending.pop()) {
    const { value, path } = level;
    if (typeof value === 'string') {
      if (!isStorableText(value)) return unicodeFault(path);
    } else if (typeof value === 'object' && value !== null) {
      if (path.length >= JSON_DEPTH_MAX) {
        return { path, tag: 'depth', message: `Nested deeper than ${JSON_DEPTH_MAX} levels` };
      }
      for (const [key, inner] of Object.entries(value)) {
        if (!isStorableText(key)) return unicodeFault(path);
        if (typeof inner === 'string' || (typeof inner === 'object' && inner !== null)) {
          pending.push({ value: inner, path: [...path, key] });
        }
      }
    }
  }
  return undefined;
}

const unicodeFault = (path: readonly PropertyKey[]): TextFault => ({
  path,
  tag: 'unicode',
  message: 'Must be well-formed Unicode without NUL',
});
