/** Which of the declared tools are offered at once, and which wait for a search; see tool-search. */
import type { ToolSearchTool } from '../protocol/client-tools.ts'
import { badRequest } from '../protocol/errors.ts'
import type { ToolParam, ToolSpec } from '../protocol/tools.ts'
import { namespacedName } from '../tools/tool.ts'
import type { OfferedTool } from './offered-tool.ts'
import { callersOf } from './tool-callers.ts'
import { createToolSearch, declareSearch, TOOL_SEARCH } from './tool-search.ts'

export interface ToolShelf {
  /** Keyed by the name the model sees. */
  readonly offered: ReadonlyMap<string, OfferedTool>
  readonly held: ReadonlyMap<string, OfferedTool>
  /** Those that programs may call, whether the model may call them itself or not. */
  readonly forPrograms: ReadonlyMap<string, OfferedTool>
  /** False when another tool has its name already. */
  add(tool: OfferedTool): boolean
  /** Offers what is held back of these names. */
  load(names: readonly string[]): void
  /** Once all are declared: what was found before stands behind them, as it did when it was found. */
  offerFound(): void
}

export type ShelfOptions = {
  /** Null: the request has no search, and nothing is held back. */
  readonly search: ToolSearchTool | null
  /** Of the request's earlier searches; what they found stays offered. */
  readonly found: readonly ToolParam[]
  /** Entries of a request that declare these tools and no others. */
  entriesOf(found: readonly OfferedTool[]): ToolSpec[]
}

export function createToolShelf({ search, found, entriesOf }: ShelfOptions): ToolShelf {
  const offered = new Map<string, OfferedTool>()
  const held = new Map<string, OfferedTool>()
  const forPrograms = new Map<string, OfferedTool>()
  const offer = (name: string, tool: OfferedTool) => {
    const callers = callersOf(tool.declared)
    if (callers.includes('direct')) offered.set(name, tool)
    if (callers.includes('programmatic')) forPrograms.set(name, tool)
  }
  let isSettled = false
  const foundNames = new Set(found.flatMap(namesOf))
  const load = (names: readonly string[]) => {
    for (const name of names) {
      const tool = held.get(name)
      if (!tool) continue
      held.delete(name)
      offer(name, tool)
    }
  }
  const runner = search && createToolSearch(search, { tools: held, load, entriesOf })
  /** What can be found is part of what the model is told of the search. */
  const tellSearch = () => {
    if (search && runner) offered.set(TOOL_SEARCH, { declared: declareSearch(search, { tools: held }), tool: runner })
  }
  tellSearch()
  return {
    offered,
    held,
    forPrograms,
    add(tool) {
      const { name } = tool.declared.declaration
      if (offered.has(name) || held.has(name) || forPrograms.has(name)) return false
      const waits = search !== null && tool.declared.deferred === true && !(isSettled && foundNames.has(name))
      if (!waits) offer(name, tool)
      else {
        held.set(name, tool)
        tellSearch()
      }
      return true
    },
    load,
    offerFound() {
      isSettled = true
      load([...foundNames])
    },
  }
}

/** The search of a request; a second one would have nothing to find. */
export function searchOf(specs: readonly ToolParam[], path: string): ToolSearchTool | null {
  let search: ToolSearchTool | null = null
  specs.forEach((spec, index) => {
    if (spec.type !== 'tool_search') return
    if (search) throw badRequest(`${path}[${index}]`, 'invalid_value', "A request has one tool of type 'tool_search'.")
    search = spec
  })
  return search
}

/** The names by which a model knows the tools of an entry; of an MCP server those that were found. */
function namesOf(spec: ToolParam): string[] {
  if (spec.type === 'function' || spec.type === 'custom') return [spec.name]
  if (spec.type === 'namespace') return spec.tools.map(({ name }) => namespacedName(spec.name, name))
  if (spec.type !== 'mcp') return []
  const { allowed_tools } = spec
  const names = Array.isArray(allowed_tools) ? allowed_tools : (allowed_tools?.tool_names ?? [])
  return names.map((name) => namespacedName(spec.server_label, name))
}

/** One entry for the tools of a namespace or a server, with those tools alone. */
export function narrowedEntries(found: readonly OfferedTool[]): ToolParam[] {
  const bySpec = Map.groupBy(found, ({ declared }) => declared.spec)
  return [...bySpec].map(([spec, tools]): ToolParam => {
    const names = new Set(tools.map(({ declared }) => declared.name))
    if (spec.type === 'namespace') return { ...spec, tools: spec.tools.filter(({ name }) => names.has(name)) }
    return spec.type === 'mcp' ? { ...spec, allowed_tools: [...names] } : spec
  })
}
