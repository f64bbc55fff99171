/** Like Promise.all, but waits for every promise, also after one has failed: none of them is still at work afterwards. */
export async function allSettled<const Promises extends readonly Promise<unknown>[]>(
  promises: Promises,
): Promise<{ -readonly [Index in keyof Promises]: Awaited<Promises[Index]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
