/** Tool declarations and the choice among them -> `tools`, `tool_choice`, `parallel_tool_calls`. */
import { HOSTED_TOOL_OF_TYPE, type HostedToolSpec } from '../../protocol/hosted-tools.ts'
import type { HostedTurn, ModelTurn, ToolDeclaration } from '../model.ts'
import type { ResponsesQuirks } from './quirks.ts'

type ToolsSource = Pick<ModelTurn, 'tools' | 'hosted' | 'toolChoice' | 'parallelToolCalls'>
type WireFields = Readonly<Record<string, unknown>>

/** Invariant: without tools nothing is sent at all; servers refuse choices among nothing. */
export function encodeTools(turn: ToolsSource, quirks: ResponsesQuirks): WireFields {
  const tools = [...toolsToSend(turn, quirks).map(encodeTool), ...hostedToSend(turn, quirks)]
  if (tools.length === 0) return {}
  const choice = encodeChoice(turn, quirks)
  return {
    tools,
    ...(choice === null ? {} : { tool_choice: choice }),
    ...(turn.parallelToolCalls ? {} : { parallel_tool_calls: false }),
  }
}

/** What the model may use, as a choice names it; null: all of it. */
function allowedOf({ tools, hosted, toolChoice }: ToolsSource): readonly WireFields[] | null {
  if (!toolChoice.allowed) return null
  const named = tools.filter(({ name }) => toolChoice.allowed?.includes(name)).map(({ type, name }) => ({ type, name }))
  return [...named, ...(hosted?.allowed ?? [])]
}

const isNamed = (turn: ToolsSource) => turn.toolChoice.mode === 'required' && allowedOf(turn)?.length === 1

/** All of them where the choice itself can say which are allowed: that keeps the provider's prefix cache warm. */
function toolsToSend(turn: ToolsSource, { allowedTools }: ResponsesQuirks) {
  const { allowed } = turn.toolChoice
  if (!allowed || allowedTools || isNamed(turn)) return turn.tools
  return turn.tools.filter(({ name }) => allowed.includes(name))
}

function hostedToSend(turn: ToolsSource, { allowedTools }: ResponsesQuirks): readonly HostedToolSpec[] {
  const { tools, allowed }: Pick<HostedTurn, 'tools' | 'allowed'> = turn.hosted ?? { tools: [], allowed: null }
  if (!allowed || allowedTools || isNamed(turn)) return tools
  const kinds = new Set(allowed.map(({ type }) => HOSTED_TOOL_OF_TYPE.get(type)))
  return tools.filter(({ type }) => kinds.has(HOSTED_TOOL_OF_TYPE.get(type)))
}

/** Null: `auto`, every server's default. */
function encodeChoice(turn: ToolsSource, { allowedTools }: ResponsesQuirks): unknown {
  const { mode } = turn.toolChoice
  if (mode === 'none') return 'none'
  const allowed = allowedOf(turn)
  if (isNamed(turn)) return allowed?.[0]
  if (allowed && allowedTools) return allowed.length === 0 ? 'none' : { type: 'allowed_tools', mode, tools: allowed }
  return mode === 'required' ? mode : null
}

const NO_PARAMETERS = { type: 'object', properties: {} }

function encodeTool(tool: ToolDeclaration): WireFields {
  const { type, name } = tool
  const description = tool.description ? { description: tool.description } : {}
  if (tool.type === 'custom') {
    return { type, name, ...description, ...(tool.format.type === 'text' ? {} : { format: tool.format }) }
  }
  // Left out, `strict` would mean "where the schema allows it".
  return { type, name, ...description, parameters: tool.parameters ?? NO_PARAMETERS, strict: tool.strict }
}
