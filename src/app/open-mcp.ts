/** The `mcp` tool as the operator has set it. */
import type { McpServerConfig, ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { OutboundGuard } from '../lib/outbound-guard.ts'
import { createMcpTargets } from '../tools/mcp/mcp-target.ts'
import { createMcpTool } from '../tools/mcp/mcp-tool.ts'
import type { Tool } from '../tools/tool.ts'

export type McpParts = {
  readonly clock: Clock
  readonly guard: OutboundGuard
  readonly version: string
  readonly opened: AsyncDisposableStack
}

/** None when it is switched off. */
export function openMcp(config: ResolvedConfig, { clock, guard, version, opened }: McpParts): readonly Tool[] {
  const { limits, mcp, security } = config
  if (!mcp.enabled) return []
  const { allowPrivateHosts } = security
  const { servers } = mcp
  const targets = opened.adopt(createMcpTargets({ guard, allowPrivateHosts, servers }), (it) => it.close())
  const own = { timeoutMs: limits.mcpTimeMs, replyBytes: limits.mcpReplyBytes, tools: limits.mcpTools }
  return [createMcpTool({ targets, limits: own, clock, version })]
}

/** What no log may show. */
export const secretsOf = (server: McpServerConfig): readonly string[] =>
  server.type === 'http' ? [server.authorization ?? '', ...Object.values(server.headers)] : Object.values(server.env)
