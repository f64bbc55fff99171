import { z } from 'zod';

/** @returns whether it has at most as many code points: what JSON Schema, and so the document, calls its length */
function hasAtMost(text: string, charsMax: number): boolean {
  // A code point has one or two UTF-16 units.
  if (text.length <= charsMax) return true;
  return text.length <= charsMax * 2 && [...text].length <= charsMax;
}

/** A text of a request. Not zod's `max`, which counts UTF-16 units: to it an emoji is two characters. */
export const text = ({ min, max }: { readonly min?: 1; readonly max: number }) =>
  (min === undefined ? z.string() : z.string().min(min))
    .refine((value) => hasAtMost(value, max), { message: `must be at most ${max} characters`, params: { tag: 'max' } })
    .meta({ maxLength: max });
