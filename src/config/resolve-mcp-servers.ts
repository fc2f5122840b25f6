/** MCP servers of the operator: each is reached by URL, or is a program that is started. */
import type { mcpServers } from './entities.ts'
import type { Read, ReadContext } from './kinds.ts'
import type { McpServerConfig } from './resolved-config.ts'

type Written = Read<ReturnType<typeof mcpServers>>
type WrittenServer = Written extends ReadonlyMap<string, infer S> ? S : never

export function resolveMcpServers(
  written: Written | null,
  context: Pick<ReadContext, 'error'>,
): ReadonlyMap<string, McpServerConfig> {
  const servers = new Map<string, McpServerConfig>()
  for (const [name, server] of written ?? []) {
    const resolved = resolveServer(server)
    if (typeof resolved === 'string') context.error(server.place, `the MCP server "${name}" ${resolved}`)
    else servers.set(name, resolved)
  }
  return servers
}

/** Or what is wrong with it. */
function resolveServer({ url, authorization, headers, command, args, env }: WrittenServer): McpServerConfig | string {
  if ((url === null) === (command === null)) return 'needs a "url" or a "command", and not both'
  if (url !== null) {
    if (args !== null || env !== null) return 'has a "url", so it takes no "args" and no "env"'
    return { type: 'http', url, authorization, headers: Object.fromEntries(headers ?? []) }
  }
  if (authorization !== null || headers !== null) {
    return 'is a "command", so it takes no "authorization" and no "headers"; secrets go into its "env"'
  }
  return { type: 'stdio', command: command ?? '', args: args ?? [], env: Object.fromEntries(env ?? []) }
}
