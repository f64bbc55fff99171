import { isStorableText } from '../../kernel/json.js';

/** More than any hand-written document needs, and far below the recursion limits of zod, V8 and Postgres. */
export const JSON_DEPTH_MAX = 32;

export interface TextFault {
  readonly path: readonly PropertyKey[];
  readonly tag: 'unicode' | 'depth';
  readonly message: string;
}

export const TOO_DEEP = { tag: 'depth', message: `Nested deeper than ${JSON_DEPTH_MAX} levels` } as const;

interface Level {
  readonly value: unknown;
  readonly path: readonly PropertyKey[];
}

/**
 * Whether the text is program input or output. It is stored as encrypted bytes, never as jsonb, and may contain NUL.
 * The path in the body decides; the schemas refuse these names anywhere else.
 */
function isBytes(path: readonly PropertyKey[]): boolean {
  const [first, ...rest] = path;
  // An item of a batch.
  if (first === 'items') return path.length > 3 && isBytes(path.slice(2));
  if (path.length === 1) return first === 'stdout' || first === 'stderr';
  if (first === 'input') return isInputBytes(rest);
  return first === 'tests' && isInputBytes(rest.slice(1));
}

/** In an input, or in a test. */
const isInputBytes = (path: readonly PropertyKey[]): boolean =>
  path.length === 1
    ? path[0] === 'stdin' || path[0] === 'expected_stdout'
    : path.length === 3 && path[0] === 'files' && path[2] === 'content';

/**
 * Finds the first string that Postgres would refuse, or the first value that is nested too deeply; else undefined.
 * Iterative: JSON.parse reads a megabyte of `[`, but a recursive walk would overflow the call stack.
 */
export function textFaultOf(root: unknown): TextFault | undefined {
  const pending: Level[] = [{ value: root, path: [] }];
  for (let level = pending.pop(); level; level = pending.pop()) {
    const { value, path } = level;
    if (typeof value === 'string') {
      if (!(isStorableText(value) || (isBytes(path) && value.isWellFormed()))) return unicodeFault(path);
    } else if (typeof value === 'object' && value !== null) {
      if (path.length >= JSON_DEPTH_MAX) {
        return { path, ...TOO_DEEP };
      }
      for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
        if (typeof key === 'string' && !isStorableText(key)) return unicodeFault(path);
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
