/**
 * The items of all sources as they come. A source is at most one item ahead of the consumer. When this one ends early,
 * the caller aborts the sources.
 */
export async function* merge<Item>(sources: readonly AsyncGenerator<Item, void>[]): AsyncGenerator<Item, void> {
  const next = (source: AsyncGenerator<Item, void>) => {
    const item = source.next().then((result) => ({ source, result }));
    // It may fail while the consumer is busy with an earlier item; the loop sees it then.
    void Promise.allSettled([item]);
    return item;
  };
  const pending = new Map(sources.map((source) => [source, next(source)]));
  while (pending.size > 0) {
    const { source, result } = await Promise.race(pending.values());
    if (result.done) {
      pending.delete(source);
      continue;
    }
    pending.set(source, next(source));
    yield result.value;
  }
}
