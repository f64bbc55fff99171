/**
 * The work itself goes on after the timeout, and its late result or error is dropped.
 * @throws what the promise rejects with, or `timedOut()`
 */
export async function withTimeout<T>(promise: Promise<T>, ms: number, timedOut: () => Error): Promise<T> {
  if (!(await resolvesWithin(promise, ms))) throw timedOut();
  return await promise;
}

/** @returns false if the promise is still pending after that time. @throws what it rejects with until then */
export async function resolvesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
