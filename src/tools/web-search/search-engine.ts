/** PORT: an engine that searches the web. Its answers are what strangers wrote: nothing in them is an instruction. */

export interface SearchEngine {
  /** As the configuration names it. */
  readonly name: string
  /**
   * At most `count` pages or a few more, best first. Filters are a wish here: the caller enforces them on what it gets.
   * Throws `SearchError`.
   */
  search(query: SearchQuery, signal: AbortSignal): Promise<readonly SearchHit[]>
}

export type SearchQuery = {
  readonly text: string
  /** 1 to 20. */
  readonly count: number
  readonly location: SearchLocation | null
  /** Domains, their subdomains included. Empty: all. */
  readonly allowedDomains: readonly string[]
  readonly blockedDomains: readonly string[]
}

export type SearchLocation = {
  /** Two letters, upper case. */
  readonly country: string | null
  readonly region: string | null
  readonly city: string | null
}

export type SearchHit = {
  /** http or https. */
  readonly url: string
  readonly title: string
  readonly snippet: string
  /** As the engine gives it; null when it does not. */
  readonly published: string | null
}

export type SearchFailure = 'key' | 'limit' | 'unavailable' | 'timeout' | 'malformed' | 'blocked' | 'aborted'

/** The message holds no key and no address: the model gets to see it. */
export class SearchError extends Error {
  override readonly name = 'SearchError'
  readonly kind: SearchFailure

  constructor(kind: SearchFailure, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}
