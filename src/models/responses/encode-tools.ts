/** Tool declarations and the choice among them -> `tools`, `tool_choice`, `parallel_tool_calls`. */
import type { ClientToolSpec } from '../../protocol/client-tools.ts'
import { HOSTED_TOOL_OF_TYPE, type HostedToolSpec } from '../../protocol/hosted-tools.ts'
import type { HostedTurn, ModelTurn, ToolDeclaration } from '../model.ts'
import type { ResponsesQuirks } from './quirks.ts'

type ToolsSource = Pick<ModelTurn, 'tools' | 'hosted' | 'toolChoice' | 'parallelToolCalls'>
type WireFields = Readonly<Record<string, unknown>>

/** Invariant: without tools nothing is sent at all; servers refuse choices among nothing. */
export function encodeTools(turn: ToolsSource, quirks: ResponsesQuirks): WireFields {
  const tools = [...toolsToSend(turn, quirks).map((tool) => encodeTool(tool, quirks)), ...hostedToSend(turn, quirks)]
  if (tools.length === 0) return {}
  const choice = encodeChoice(turn, quirks)
  return {
    tools,
    ...(choice === null ? {} : { tool_choice: choice }),
    ...(turn.parallelToolCalls ? {} : { parallel_tool_calls: false }),
  }
}

/** What the model may use, as a choice names it; null: all of it. */
function allowedOf({ tools, hosted, toolChoice }: ToolsSource, quirks: ResponsesQuirks): readonly WireFields[] | null {
  if (!toolChoice.allowed) return null
  const named = tools.filter(({ name }) => toolChoice.allowed?.includes(name)).map((tool) => choiceOf(tool, quirks))
  return [...named, ...(hosted?.allowed ?? [])]
}

const isNamed = (turn: ToolsSource, quirks: ResponsesQuirks) =>
  turn.toolChoice.mode === 'required' && allowedOf(turn, quirks)?.length === 1

/** All of them where the choice itself can say which are allowed: that keeps the provider's prefix cache warm. */
function toolsToSend(turn: ToolsSource, quirks: ResponsesQuirks) {
  const { allowed } = turn.toolChoice
  if (!allowed || quirks.allowedTools || isNamed(turn, quirks)) return turn.tools
  return turn.tools.filter(({ name }) => allowed.includes(name))
}

function hostedToSend(turn: ToolsSource, quirks: ResponsesQuirks): readonly HostedToolSpec[] {
  const { tools, allowed }: Pick<HostedTurn, 'tools' | 'allowed'> = turn.hosted ?? { tools: [], allowed: null }
  if (!allowed || quirks.allowedTools || isNamed(turn, quirks)) return tools
  const kinds = new Set(allowed.map(({ type }) => HOSTED_TOOL_OF_TYPE.get(type)))
  return tools.filter(({ type }) => kinds.has(HOSTED_TOOL_OF_TYPE.get(type)))
}

/** Null: `auto`, every server's default. */
function encodeChoice(turn: ToolsSource, quirks: ResponsesQuirks): unknown {
  const { allowedTools } = quirks
  const { mode } = turn.toolChoice
  if (mode === 'none') return 'none'
  const allowed = allowedOf(turn, quirks)
  if (isNamed(turn, quirks)) return allowed?.[0]
  if (allowed && allowedTools) return allowed.length === 0 ? 'none' : { type: 'allowed_tools', mode, tools: allowed }
  return mode === 'required' ? mode : null
}

/** The API's own tool, where the provider has it and the function only stands for it. */
const nativeOf = (tool: ToolDeclaration, { clientTools }: ResponsesQuirks): ClientToolSpec | null =>
  (clientTools && tool.type === 'function' && tool.native) || null

/** One of them is named by its type alone. */
function choiceOf(tool: ToolDeclaration, quirks: ResponsesQuirks): WireFields {
  const native = nativeOf(tool, quirks)
  return native ? { type: native.type } : { type: tool.type, name: tool.name }
}

const NO_PARAMETERS = { type: 'object', properties: {} }

function encodeTool(tool: ToolDeclaration, quirks: ResponsesQuirks): WireFields {
  const native = nativeOf(tool, quirks)
  if (native) return native
  const { type, name } = tool
  const description = tool.description ? { description: tool.description } : {}
  if (tool.type === 'custom') {
    return { type, name, ...description, ...(tool.format.type === 'text' ? {} : { format: tool.format }) }
  }
  // Left out, `strict` would mean "where the schema allows it".
  return { type, name, ...description, parameters: tool.parameters ?? NO_PARAMETERS, strict: tool.strict }
}
