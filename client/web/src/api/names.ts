// What a reader types into a search box: a part of a name, in upper or lower case.

/** One page of what a search found. */
export interface Found<Item> {
  items: Item[];
  nextPageToken: string;
}

/** The filter for it. To the server `%` and `_` are signs for other text, and nothing escapes them: see `foundByName`. */
export function nameFilter(search: string): string {
  const words = search.trim();
  return words ? `name ILIKE '%${words.replaceAll("'", "''")}%'` : "";
}

/** The page at a token without what has only some other text where `%` and `_` were typed, or the next one that has any. */
export async function foundByName<Item extends { name: string }>(
  search: string,
  pageToken: string,
  fetchPage: (pageToken: string) => Promise<Found<Item>>,
): Promise<Found<Item>> {
  const page = await fetchPage(pageToken);
  if (!/[%_]/.test(search)) return page;
  const wanted = search.trim().toLowerCase();
  const items = page.items.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (items.length === 0 && page.nextPageToken) return foundByName(search, page.nextPageToken, fetchPage);
  return { ...page, items };
}
