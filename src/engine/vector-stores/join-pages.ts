/** The pages of a document as one text, and which page a place of it is on. */
export type JoinedPages = {
  readonly text: string
  /** Counted from 1; null for a document that has no pages. */
  pageAt(place: number): number | null
}

const BETWEEN = '\n\n'

export function joinPages(pages: readonly string[]): JoinedPages {
  const starts: number[] = []
  let at = 0
  for (const page of pages) {
    starts.push(at)
    at += page.length + BETWEEN.length
  }
  return {
    text: pages.join(BETWEEN),
    pageAt(place) {
      if (pages.length < 2) return null
      let low = 0
      let high = starts.length - 1
      while (low < high) {
        const middle = Math.ceil((low + high) / 2)
        if ((starts[middle] ?? 0) <= place) low = middle
        else high = middle - 1
      }
      return low + 1
    },
  }
}
