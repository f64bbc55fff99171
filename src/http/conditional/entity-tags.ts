import { HttpProblem } from '../problem.js';

/** RFC 9110, section 8.8.3. */
export interface EntityTag {
  /** Without the quotation marks. */
  readonly value: string;
  readonly weak: boolean;
}

/** Any tag (`*`), or one of a list. */
export type EntityTags = '*' | readonly EntityTag[];

/** Node reads headers as Latin-1. A tag may contain a comma. */
const TAG_OR_COMMA = /[ \t]*(?:(?<weak>W\/)?"(?<value>[\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)|,)/y;

/**
 * @param name of the header, for the error message
 * @throws HttpProblem 400 if the header is not a list of entity tags, or the list is empty
 */
export function entityTagsOf(header: string, name: string): EntityTags {
  if (header.trim() === '*') return '*';
  const tags: EntityTag[] = [];
  const pattern = new RegExp(TAG_OR_COMMA);
  const text = header.trimEnd();
  while (pattern.lastIndex < text.length) {
    const groups = pattern.exec(text)?.groups;
    if (!groups) throw malformed(name);
    // Empty elements are ignored (RFC 9110, section 5.6.1.2).
    if (groups['value'] !== undefined) tags.push({ value: groups['value'], weak: groups['weak'] !== undefined });
  }
  if (tags.length === 0) throw malformed(name);
  return tags;
}

const malformed = (name: string): HttpProblem =>
  new HttpProblem(
    400,
    `invalid_${name.toLowerCase().replaceAll('-', '_')}`,
    `${name} takes * or entity tags: "1", "2"`,
  );

export const entityTag = (value: string | number): string => `"${value}"`;

/** For If-Match: weak tags match nothing (RFC 9110, section 8.8.3.2). @param current is always strong */
export const matchesStrongly = (tags: EntityTags, current: string): boolean =>
  tags === '*' || tags.some(({ value, weak }) => !weak && value === current);

/** For If-None-Match. */
export const matchesWeakly = (tags: EntityTags, current: string): boolean =>
  tags === '*' || tags.some(({ value }) => value === current);
