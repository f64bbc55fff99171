/**
 * Waits until a callback is called; a timeout or an abort ends the wait as well. The caller then checks what happened.
 * @param subscribe registers the callback, and returns how to unregister it. Must not call it at once.
 */
export async function waitForCall(
  subscribe: (callback: () => void) => () => void,
  { timeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      unsubscribe();
      resolve();
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
    signal?.addEventListener('abort', end);
    const unsubscribe = subscribe(end);
  });
}
