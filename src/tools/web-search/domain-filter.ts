/** The domains a request allows or blocks, enforced on what is found and on every page that is opened. */
import { badRequest } from '../../protocol/errors.ts'

export interface DomainFilter {
  allows(hostname: string): boolean
  readonly allowed: readonly string[]
  readonly blocked: readonly string[]
}

export const MAX_DOMAINS = 100
const DOMAIN = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/

type Filters = {
  readonly allowed_domains?: readonly string[] | null | undefined
  readonly blocked_domains?: readonly string[] | null | undefined
}

/** `path` names the filters in errors, as `tools[0].filters`. A domain stands for its subdomains too. */
export function createDomainFilter(filters: Filters | null | undefined, path: string): DomainFilter {
  const allowed = readDomains(filters?.allowed_domains ?? [], `${path}.allowed_domains`)
  const blocked = readDomains(filters?.blocked_domains ?? [], `${path}.blocked_domains`)
  return {
    allowed,
    blocked,
    allows(hostname) {
      const host = hostname.toLowerCase().replace(/\.$/, '')
      const isIn = (domain: string) => host === domain || host.endsWith(`.${domain}`)
      return !blocked.some(isIn) && (allowed.length === 0 || allowed.some(isIn))
    },
  }
}

function readDomains(domains: readonly string[], path: string): readonly string[] {
  if (domains.length > MAX_DOMAINS) {
    throw badRequest(path, 'array_above_max_length', `Invalid '${path}': at most ${MAX_DOMAINS} domains are allowed.`)
  }
  return domains.map((written, index) => {
    const domain = toHostname(written)
    if (domain !== null) return domain
    const name = `${path}[${index}]`
    throw badRequest(
      name,
      'invalid_value',
      `Invalid '${name}': expected a domain as 'example.com', without 'https://'.`,
    )
  })
}

/** As URLs write it: lower case, international names in their ASCII form. */
function toHostname(written: string): string | null {
  if (/[/:?#@\\\s%]/.test(written)) return null
  const hostname = URL.parse(`https://${written.replace(/^\*\.|\.$/g, '')}`)?.hostname ?? ''
  return DOMAIN.test(hostname) ? hostname : null
}
