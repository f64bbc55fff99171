/** Members of a request as Rails reads them: texts, numbers and booleans; of other values, it takes none. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** Rails' `present?`: neither absent nor false nor blank. */
export const isPresent = (value: unknown): boolean =>
  value !== false && value !== undefined && value !== null && textOf(value)?.trim() !== '';
