/** Which server an entry of `tools` means, and whether it may be called. All refusals while planning. */
import { createHash } from 'node:crypto'
import { createOutboundGuard, hostAndPort, type OutboundGuard, OutboundRefused } from '../../lib/outbound-guard.ts'
import { badRequest } from '../../protocol/errors.ts'
import type { ToolParam } from '../../protocol/tools.ts'
import type { McpServerConfig } from './mcp-settings.ts'

export type McpSpec = Extract<ToolParam, { type: 'mcp' }>

export type McpTarget =
  | {
      readonly type: 'http'
      readonly url: URL
      /** Lower-case names. They go to this URL's origin and nowhere else. */
      readonly headers: Readonly<Record<string, string>>
      readonly guard: OutboundGuard
      /** The same for the same server, whatever the credentials. */
      readonly identity: string
    }
  | (Extract<McpServerConfig, { type: 'stdio' }> & { readonly identity: string })

export type McpTargets = {
  resolve(spec: McpSpec, path: string): McpTarget
  isConnector(spec: McpSpec): boolean
  close(): Promise<void>
}

export type TargetParts = {
  /** For servers that a request names by URL. */
  readonly guard: OutboundGuard
  /** Where plain http may be spoken: `host:port`. */
  readonly allowPrivateHosts: readonly string[]
  readonly servers: ReadonlyMap<string, McpServerConfig>
}

export function createMcpTargets({ guard, allowPrivateHosts, servers }: TargetParts): McpTargets {
  // The operator's own servers may stand anywhere; only their own address is excepted, so a redirect leads nowhere.
  const connectorGuard = createOutboundGuard({ allowPrivateHosts: [...servers.values()].flatMap(hostOf) })
  const plainHosts = new Set(allowPrivateHosts.map((host) => host.toLowerCase()))
  return {
    isConnector: ({ connector_id: id }) => id !== undefined && servers.has(id),
    resolve(spec, path) {
      refuseOthers(spec, path)
      const { connector_id: id, server_url: url } = spec
      if (id === undefined)
        return remote(spec, checkedUrl(url ?? '', { guard, plainHosts, path: `${path}.server_url` }), guard)
      const server = servers.get(id)
      if (!server) throw unknownConnector(path, id)
      const identity = `connector:${id}`
      if (server.type === 'stdio') {
        if (spec.authorization || spec.headers) throw noHeaders(path)
        return { ...server, identity }
      }
      const target = remote(spec, new URL(server.url), connectorGuard)
      const own = headersOf(server.headers, server.authorization)
      return { ...target, headers: { ...target.headers, ...own }, identity }
    },
    close: () => connectorGuard.close(),
  }
}

const hostOf = (server: McpServerConfig): string[] => {
  return server.type === 'http' ? [hostAndPort(new URL(server.url))] : []
}

const remote = (spec: McpSpec, url: URL, guard: OutboundGuard) => ({
  type: 'http' as const,
  url,
  headers: headersOf(spec.headers ?? {}, spec.authorization ?? null),
  guard,
  identity: `url:${createHash('sha256').update(url.href).digest('hex')}`,
})

/** An `authorization` is a bare token, or, as some clients write it, the whole header. */
function headersOf(headers: Readonly<Record<string, string>>, authorization: string | null): Record<string, string> {
  const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  if (authorization === null) return named
  return { ...named, authorization: authorization.includes(' ') ? authorization : `Bearer ${authorization}` }
}

function refuseOthers(spec: McpSpec, path: string): void {
  const { server_url, connector_id, tunnel_id } = spec
  if (tunnel_id !== undefined) {
    throw badRequest(
      `${path}.tunnel_id`,
      'unsupported_value',
      `Unsupported parameter: '${path}.tunnel_id'. ${NO_TUNNEL}`,
    )
  }
  if ((server_url === undefined) === (connector_id === undefined)) {
    throw badRequest(path, 'invalid_value', `Exactly one of 'server_url' and 'connector_id' has to be in '${path}'.`)
  }
  if (spec.server_label === '') {
    throw badRequest(
      `${path}.server_label`,
      'invalid_value',
      `'${path}.server_label' is empty. Give the server a name.`,
    )
  }
  for (const [name, value] of Object.entries(spec.headers ?? {})) {
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) throw badHeader(`${path}.headers`)
    if (FIXED_HEADERS.has(name.toLowerCase())) throw fixedHeader(`${path}.headers`, name)
  }
  if (!HEADER_VALUE.test(spec.authorization ?? '')) throw badHeader(`${path}.authorization`)
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/
const HEADER_VALUE = /^[\t\x20-\x7e]*$/
/** Of the transport and of the protocol. */
const FIXED_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
  'accept',
  'accept-encoding',
  'mcp-session-id',
  'mcp-protocol-version',
])

const NO_TUNNEL = "Tunnels are a service of OpenAI; name the server by 'server_url', or configure it as a connector."

type UrlParts = { readonly guard: OutboundGuard; readonly plainHosts: ReadonlySet<string>; readonly path: string }

function checkedUrl(text: string, { guard, plainHosts, path }: UrlParts): URL {
  try {
    const url = guard.check(text)
    // Credentials and tool calls over plain http can be read and changed on the way.
    if (url.protocol === 'https:' || plainHosts.has(`${url.hostname}:${url.port || '80'}`)) return url
  } catch (error) {
    if (!(error instanceof OutboundRefused)) throw error
    throw badRequest(path, 'invalid_value', `The URL in '${path}' is not called: ${error.message}. ${ASK_OPERATOR}`)
  }
  throw badRequest(
    path,
    'invalid_value',
    `The URL in '${path}' is not called: it has to begin with https://. ${ASK_OPERATOR}`,
  )
}

const ASK_OPERATOR = 'Whoever runs this server can allow single hosts, and configure servers as connectors.'

const unknownConnector = (path: string, id: string) =>
  badRequest(
    `${path}.connector_id`,
    'invalid_value',
    `Unknown connector '${id.slice(0, 100)}' in '${path}.connector_id'. Connectors are MCP servers that the operator of ` +
      "this server configured; others are named by 'server_url'.",
  )
const noHeaders = (path: string) =>
  badRequest(path, 'invalid_value', `The connector in '${path}' takes no 'authorization' and no 'headers'.`)
const badHeader = (path: string) =>
  badRequest(
    path,
    'invalid_value',
    `'${path}' holds what no header can: a name or value with other than visible ASCII.`,
  )
const fixedHeader = (path: string, name: string) =>
  badRequest(path, 'invalid_value', `The header '${name.slice(0, 100)}' in '${path}' is the connection's own.`)
