/**
 * Pages of a list: how the store is asked, and where the next page starts.
 */
import type { Page } from '../store/store.ts'

const usualLimit = 100

export function pageOf(query: { readonly limit?: number | undefined; readonly cursor?: string | undefined }): Page {
  return { limit: query.limit ?? usualLimit, ...(query.cursor === undefined ? {} : { after: query.cursor }) }
}

/** The cursor of a page is the key of its last row; a page that isn't full is the last. */
export function nextOf<T>(rows: readonly T[], { limit }: Page, keyOf: (row: T) => string): string | null {
  const last = rows.at(-1)
  return last === undefined || rows.length < limit ? null : keyOf(last)
}
