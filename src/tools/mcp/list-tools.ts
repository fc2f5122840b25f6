/** What a server offers, read page by page and believed in nothing. Throws `McpFailure`. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../../lib/canonical-json.ts'
import type { McpListTools } from '../../protocol/hosted-items.ts'
import { badReply } from './mcp-failure.ts'
import type { McpSession } from './mcp-session.ts'
import type { McpLimits } from './mcp-settings.ts'
import { MAX_DEPTH, storableJson } from './storable.ts'
import type { ListedTool } from './tool-rules.ts'

const MAX_PAGES = 50
const MAX_NAME_CHARS = 256

/** Tools in the order of the server; of two with one name the first. */
export async function listTools(
  session: McpSession,
  limits: McpLimits,
  signal: AbortSignal,
): Promise<readonly ListedTool[]> {
  const found = new Map<string, ListedTool>()
  let cursor: string | undefined
  for (let page = 0; ; page += 1) {
    if (page === MAX_PAGES) throw badReply(`The MCP server's list of tools has more than ${MAX_PAGES} pages.`)
    const reply = storableJson(await session.request('tools/list', cursor === undefined ? {} : { cursor }, signal))
    if (!reply) throw badReply(`The MCP server's list of tools is nested more than ${MAX_DEPTH} levels deep.`)
    if (!isRecord(reply.value) || !Array.isArray(reply.value.tools)) throw badReply('The MCP server listed no tools.')
    for (const given of reply.value.tools) {
      const tool = toListed(given)
      if (!found.has(tool.name)) found.set(tool.name, tool)
      if (found.size > limits.tools) throw badReply(`The MCP server lists more than ${limits.tools} tools.`)
    }
    if (typeof reply.value.nextCursor !== 'string' || reply.value.nextCursor === '') return [...found.values()]
    cursor = reply.value.nextCursor
  }
}

function toListed(given: unknown): ListedTool {
  if (!isRecord(given) || typeof given.name !== 'string' || given.name === '') {
    throw badReply('The MCP server listed a tool without a name.')
  }
  if (given.name.length > MAX_NAME_CHARS) {
    throw badReply(`The MCP server listed a tool whose name is longer than ${MAX_NAME_CHARS} characters.`)
  }
  const { name, description, inputSchema, annotations } = given
  return {
    name,
    description: typeof description === 'string' ? description : null,
    input_schema: isRecord(inputSchema) ? inputSchema : { type: 'object' },
    annotations: isRecord(annotations) ? annotations : null,
  }
}

/** The list that the context already holds, if the newest one of this server was a good one. */
export function listedBefore(
  items: readonly { readonly type?: string }[],
  label: string,
): readonly ListedTool[] | null {
  const item = items.findLast((it): it is McpListTools => isList(it) && it.server_label === label)
  if (!item || item.error) return null
  return item.tools.map(({ name, description = null, input_schema, annotations = null }) => {
    return { name, description, input_schema, annotations }
  })
}

const isList = (item: { readonly type?: string }): item is McpListTools => item.type === 'mcp_list_tools'

/** The same for the same list: what the tools are, and what is said of them. */
export const digestOfList = (tools: readonly ListedTool[]): string =>
  createHash('sha256').update(canonicalJson(tools)).digest('hex')

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
