/**
 * The one way out for every URL that came from a request, a model, a tool or a document: the public internet only.
 *
 * An address is checked where the connection is made. A check before would look at another answer of DNS than the one
 * that is connected to, and undici never looks up a literal; so literals are checked when the URL is, names when they
 * are resolved, and the connection goes to the addresses that were checked. Redirects are never followed by the
 * transport: each hop is a new URL.
 *
 * Model providers are the operator's own configuration and do not come here.
 */
import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
// Not the whole package; see upstream-http.ts.
import Agent from 'undici/lib/dispatcher/agent.js'
import { isPublicAddress } from './public-address.ts'

/** May reach a client: it says what was wrong with the URL, never what a private address answered. */
export class OutboundRefused extends Error {
  override readonly name = 'OutboundRefused'
}

export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export type OutboundPolicy = {
  /** `host:port` as URLs write the host, private or not: the operator's exceptions. */
  readonly allowPrivateHosts: readonly string[]
  readonly connectTimeoutMs?: number
  /** By default the system's. */
  readonly resolve?: Resolve
}

export interface OutboundGuard {
  /** The URL, if it may be called. Throws `OutboundRefused`; whether a name leads to a private address shows later. */
  check(url: string | URL): URL
  /** Connects to checked addresses only; hand it to undici's `request` or `fetch`. Redirects are the caller's. */
  readonly dispatcher: Dispatcher
  /** Another guard, with further exceptions; it has to be closed too. */
  excepting(hosts: readonly string[]): OutboundGuard
  /** Ends all connections. */
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000
const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

export function createOutboundGuard(policy: OutboundPolicy): OutboundGuard {
  const exceptions = new Set(policy.allowPrivateHosts.map((host) => host.toLowerCase()))
  const resolve = policy.resolve ?? ((name, options, done) => systemLookup(name, options, done))

  const check = (given: string | URL): URL => {
    const url = URL.parse(String(given))
    if (url === null) throw new OutboundRefused('it is not an absolute URL')
    const usualPort = PORTS[url.protocol]
    if (usualPort === undefined) throw new OutboundRefused('only http and https URLs are fetched')
    if (url.username !== '' || url.password !== '') throw new OutboundRefused('it holds a user name or a password')
    if (exceptions.has(hostAndPort(url))) return url
    if (url.port !== '' && url.port !== '80' && url.port !== '443') {
      throw new OutboundRefused('only the ports 80 and 443 are called')
    }
    const host = bareHost(url.hostname)
    if (isIP(host) !== 0 ? !isPublicAddress(host) : isLocalName(host)) throw notPublic()
    return url
  }

  const agents = { open: agentOf(policy, publicOnly(resolve)), excepted: agentOf(policy, unchecked(resolve)) }
  const dispatcher = agents.open.compose((dispatch) => (options, handler) => {
    const url = check(`${options.origin}${options.path}`)
    if (exceptions.has(hostAndPort(url))) return agents.excepted.dispatch(options, handler)
    return dispatch(options, handler)
  })
  return {
    check,
    dispatcher,
    excepting: (hosts) =>
      createOutboundGuard({ ...policy, allowPrivateHosts: [...policy.allowPrivateHosts, ...hosts] }),
    async close() {
      await Promise.all([agents.open.destroy(), agents.excepted.destroy()])
    },
  }
}

const notPublic = () => new OutboundRefused('it does not lead to the public internet')

/** As the operator's exceptions are written. */
export const hostAndPort = (url: URL): string => `${url.hostname}:${url.port || PORTS[url.protocol]}`

/** Without the brackets of IPv6 and the dot of a root name. */
const bareHost = (hostname: string) => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')

/** Names that no public DNS answers for (RFC 6761, RFC 6762, RFC 8375, RFC 9476), and names without a dot. */
const isLocalName = (host: string) =>
  !host.includes('.') || /(?:^|\.)(?:localhost|local|internal|home\.arpa|alt|onion)$/.test(host)

function agentOf({ connectTimeoutMs = CONNECT_TIMEOUT_MS }: OutboundPolicy, lookup: LookupFunction): Agent {
  return new Agent({ allowH2: false, connect: { timeout: connectTimeoutMs, lookup } })
}

/** Every address of the name must be public: a name with one private address among them is a trick. */
const publicOnly = (resolve: Resolve): LookupFunction =>
  lookupWith(resolve, (addresses) => addresses.length > 0 && addresses.every(({ address }) => isPublicAddress(address)))

const unchecked = (resolve: Resolve): LookupFunction => lookupWith(resolve, ({ length }) => length > 0)

function lookupWith(resolve: Resolve, mayCall: (addresses: readonly LookupAddress[]) => boolean): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error) return done(error, [])
      if (first === undefined || !mayCall(addresses)) return done(notPublic(), [])
      if (options.all) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }
}
