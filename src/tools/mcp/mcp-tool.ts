/**
 * `mcp`: tools of Model Context Protocol servers, which this server calls for any model.
 *
 * A server is asked for its tools once per conversation: they stand in an `mcp_list_tools` item, and later responses go
 * by that. Where a client has allowed a call in between, the server is asked again, silently, and only a list that is
 * word for word the same lets the call go on; what changed is shown and asked for anew.
 */
import type { Clock } from '../../lib/clock.ts'
import type { McpListTools } from '../../protocol/hosted-items.ts'
import { withoutSecrets } from '../../protocol/hosted-tools.ts'
import type { ToolParam } from '../../protocol/tools.ts'
import { type DeclaredTool, namespacedName, type PreparedTools, type PrepareStep, type Tool } from '../tool.ts'
import { digestOfList, isRecord, listedBefore, listTools } from './list-tools.ts'
import { McpFailure } from './mcp-failure.ts'
import { createMcpRunner, leaveDigest } from './mcp-runner.ts'
import { type McpSession, openMcpSession } from './mcp-session.ts'
import type { McpLimits } from './mcp-settings.ts'
import type { McpSpec, McpTarget, McpTargets } from './mcp-target.ts'
import { isAllowed, type ListedTool } from './tool-rules.ts'

export type McpToolParts = {
  readonly targets: McpTargets
  readonly limits: McpLimits
  readonly clock: Clock
  readonly version: string
}

const PREPARED_FIRST = 'the tools of an MCP server are prepared before they are called'

export function createMcpTool(parts: McpToolParts): Tool {
  return {
    claims: ({ type }) => type === 'mcp',
    // Nobody else knows the operator's own servers.
    yieldsToProvider: (spec) => !parts.targets.isConnector(mcpSpec(spec)),
    echo: (spec) => echo(mcpSpec(spec)),
    declare(spec, path) {
      parts.targets.resolve(mcpSpec(spec), path)
      return []
    },
    prepare: (spec, preparation, { signal }) => {
      const target = parts.targets.resolve(mcpSpec(spec), 'tools')
      const session = openMcpSession({ ...parts, target })
      return closing(session, prepare({ ...parts, spec: mcpSpec(spec), target, session, signal }, preparation))
    },
    open() {
      throw new TypeError(PREPARED_FIRST)
    },
    // biome-ignore lint/correctness/useYield: never asked
    async *execute() {
      throw new TypeError(PREPARED_FIRST)
    },
  }
}

function mcpSpec(spec: ToolParam): McpSpec {
  if (spec.type !== 'mcp') throw new TypeError(`a tool of type '${spec.type}' is no MCP server`)
  return spec
}

/** With its defaults; without secrets, and without where exactly the server is. */
const echo = (spec: McpSpec) =>
  withoutSecrets({
    ...spec,
    allowed_tools: spec.allowed_tools ?? null,
    headers: null,
    require_approval: spec.require_approval ?? 'always',
  })

/** A response that ends in between leaves no connection open. */
async function* closing(
  session: McpSession,
  steps: AsyncGenerator<PrepareStep, PreparedTools>,
): AsyncGenerator<PrepareStep, PreparedTools> {
  let isDone = false
  try {
    const result = yield* steps
    isDone = true
    return result
  } finally {
    if (!isDone) session.close()
  }
}

type PrepareParts = McpToolParts & {
  readonly spec: McpSpec
  readonly target: McpTarget
  readonly session: McpSession
  readonly signal: AbortSignal
}

type Listing = { readonly tools: readonly ListedTool[]; readonly failure: McpFailure | null }

async function* prepare(
  parts: PrepareParts,
  { items, hasApprovals }: Parameters<NonNullable<Tool['prepare']>>[1],
): AsyncGenerator<PrepareStep, PreparedTools> {
  const before = listedBefore(items, parts.spec.server_label)
  if (before && !hasApprovals) return prepared(parts, { tools: before, failure: null })
  const listing = list(parts)
  // It is awaited below, unless the response ends before.
  listing.catch(() => {})
  if (before) {
    const now = await listing
    const isSame = now.failure !== null || digestOfList(allowed(now, parts)) === digestOfList(before)
    if (isSame) return prepared(parts, now)
  }
  const item: McpListTools = {
    id: '',
    type: 'mcp_list_tools',
    server_label: parts.spec.server_label,
    tools: [],
    error: null,
  }
  yield { type: 'open', item }
  yield { type: 'progress', event: { type: 'response.mcp_list_tools.in_progress' } }
  const found = await listing
  const end = found.failure ? 'response.mcp_list_tools.failed' : 'response.mcp_list_tools.completed'
  yield { type: 'progress', event: { type: end } }
  yield { type: 'finish', item: { ...item, ...shown(found, parts) } }
  return prepared(parts, found)
}

async function list({ session, limits, signal }: PrepareParts): Promise<Listing> {
  try {
    return { tools: await listTools(session, limits, signal), failure: null }
  } catch (error) {
    if (error instanceof McpFailure) return { tools: [], failure: error }
    throw error
  }
}

const allowed = ({ tools }: Listing, { spec }: PrepareParts) => tools.filter((tool) => isAllowed(tool, spec))

const shown = (found: Listing, parts: PrepareParts): Pick<McpListTools, 'tools' | 'error'> => ({
  tools: allowed(found, parts).map((tool) => ({ ...tool })),
  error: found.failure?.message ?? null,
})

function prepared(parts: PrepareParts, found: Listing): PreparedTools {
  const { spec, session, target } = parts
  const tools = allowed(found, parts)
  return {
    declared: tools.map((tool) => declare(tool, spec)),
    runner: createMcpRunner({
      spec,
      session,
      tools: new Map(tools.map((tool) => [tool.name, tool])),
      listDigest: leaveDigest(target.identity, digestOfList(tools)),
      failure: found.failure,
    }),
    close: () => session.close(),
  }
}

function declare(tool: ListedTool, spec: McpSpec): DeclaredTool {
  const about = spec.server_description ? `${spec.server_description}\n` : ''
  return {
    declaration: {
      type: 'function',
      name: namespacedName(spec.server_label, tool.name),
      description: `${about}${tool.description ?? ''}`.trim() || null,
      parameters: isRecord(tool.input_schema) ? tool.input_schema : { type: 'object' },
      strict: false,
    },
    name: tool.name,
    namespace: null,
    deferred: spec.defer_loading === true,
    spec,
  }
}
