/** A provider that needs only a key, or only to be running. */
export type ProviderRow = {
  /** As in `provider/model`. */
  readonly name: string
  readonly title: string
  /** Up to and including the version segment. */
  readonly baseUrl: string
  /** Every customer has an address of their own: it must be given, and `baseUrl` only shows its form. */
  readonly ownAddress?: boolean
  /** Where it also offers Chat Completions, when that is elsewhere; for those who ask for `wire_api: chat`. */
  readonly chatBaseUrl?: string
  /** Environment variables that may hold the key, the first that is set counts. */
  readonly envKeys: readonly string[]
  /** Environment variables that may move `baseUrl`. */
  readonly envBaseUrls: readonly string[]
  /** Runs on the user's own machine: needs no key, is found by its port. */
  readonly local: boolean
}

type RowInit = Pick<ProviderRow, 'name' | 'title' | 'baseUrl'>

export const providerRow = <T extends RowInit & Partial<ProviderRow>>(
  init: T,
): T & Pick<ProviderRow, 'envKeys' | 'envBaseUrls' | 'local'> => ({
  envKeys: [],
  envBaseUrls: [],
  local: false,
  ...init,
})
