/** A page that was asked for by cursor; the document has pages by offset, too. */
type Page = object | { readonly pagination: { readonly has_more: boolean; readonly next_cursor: string | null } };

/** The query of a list, without what says which page. */
export type ListItems<Query> = Omit<Query, 'cursor' | 'offset'>;

/** All items of all pages. @param fetchPage gets an empty cursor for the first page */
export async function* itemsOfPages<P extends Page, Item>(
  fetchPage: (cursor: string) => Promise<P>,
  itemsOf: (page: P) => readonly Item[],
): AsyncGenerator<Item, void, undefined> {
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: P = await fetchPage(cursor);
    yield* itemsOf(page);
    cursor = 'pagination' in page && page.pagination.has_more ? page.pagination.next_cursor : null;
  }
}
