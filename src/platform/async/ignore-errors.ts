/**
 * Ignores every error, bugs included: only for errors that are reported elsewhere, or that change nothing. Where only
 * an outage is expected, catch `Unavailable` instead.
 * @param _because why the error may be ignored
 * @returns undefined after an error
 */
export async function ignoreErrors<T>(work: Promise<T>, _because: string): Promise<T | undefined> {
  try {
    return await work;
  } catch {
    return undefined;
  }
}
