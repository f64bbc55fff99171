import { z } from 'zod';

/** @returns whether the text has at most this many code points, the length in JSON Schema and in the document */
function hasAtMost(text: string, charsMax: number): boolean {
  // A code point has one or two UTF-16 units.
  if (text.length <= charsMax) return true;
  return text.length <= charsMax * 2 && [...text].length <= charsMax;
}

/** A text of a request. Zod's `max` is unsuitable: it counts UTF-16 units, so an emoji has length two. */
export const text = ({ min, max }: { readonly min?: 1; readonly max: number }) =>
  (min === undefined ? z.string() : z.string().min(min))
    .refine((value) => hasAtMost(value, max), { message: `must be at most ${max} characters`, params: { tag: 'max' } })
    .meta({ maxLength: max });
