/** Providers that speak the Messages API. */
import { type ProviderRow, providerRow } from '../upstream/provider-row.ts'

export const ANTHROPIC_VERSION = '2023-06-01'

/** Its Chat Completions are at the same address, for those who ask for `wire_api: chat`. */
export const ANTHROPIC_PROVIDERS: readonly ProviderRow[] = [
  providerRow({
    name: 'anthropic',
    title: 'Anthropic',
    baseUrl: 'https://api.anthropic.com/v1',
    envKeys: ['ANTHROPIC_API_KEY'],
    envBaseUrls: ['ANTHROPIC_BASE_URL'],
  }),
]

/** By custom this API's addresses are written without the version, which its own clients add. */
export const withVersion = (baseUrl: string): string =>
  /\/v\d[\w.-]*\/?$/.test(baseUrl) ? baseUrl : `${baseUrl.replace(/\/+$/, '')}/v1`
