import type { SearchQuery } from '../search-engine.ts'

/** More of them make a query that engines refuse; the rest is left to the filter behind. */
const MAX_OPERATORS = 10

/** The query with its domains in the form that engines without a field for them know: `site:a OR site:b`. */
export function withSiteOperators({ text, allowedDomains, blockedDomains }: SearchQuery): string {
  const sites = allowedDomains.slice(0, MAX_OPERATORS).map((domain) => `site:${domain}`)
  const none = blockedDomains.slice(0, MAX_OPERATORS).map((domain) => ` -site:${domain}`)
  const only = sites.length > 1 ? ` (${sites.join(' OR ')})` : sites.length === 1 ? ` ${sites[0]}` : ''
  return `${text}${only}${none.join('')}`
}
