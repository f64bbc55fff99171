const MS_PER_SECOND = 1_000;

/** `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3). @returns null without a valid one */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * MS_PER_SECOND;
  // Date.parse takes much for a date: an HTTP date begins with a day of the week.
  const time = /^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : Math.max(0, time - now);
}
