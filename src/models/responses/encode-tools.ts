/** Tool declarations and the choice among them -> `tools`, `tool_choice`, `parallel_tool_calls`. */
import type { ModelTurn, ToolDeclaration } from '../model.ts'
import type { ResponsesQuirks } from './quirks.ts'

type ToolsSource = Pick<ModelTurn, 'tools' | 'toolChoice' | 'parallelToolCalls'>
type WireFields = Readonly<Record<string, unknown>>

/** Invariant: without tools nothing is sent at all; servers refuse choices among nothing. */
export function encodeTools(turn: ToolsSource, quirks: ResponsesQuirks): WireFields {
  const tools = toolsToSend(turn, quirks).map(encodeTool)
  if (tools.length === 0) return {}
  const choice = encodeChoice(turn, quirks)
  return {
    tools,
    ...(choice === null ? {} : { tool_choice: choice }),
    ...(turn.parallelToolCalls ? {} : { parallel_tool_calls: false }),
  }
}

const isNamed = ({ mode, allowed }: ModelTurn['toolChoice']) => mode === 'required' && allowed?.length === 1

/** All of them where the choice itself can say which are allowed: that keeps the provider's prefix cache warm. */
function toolsToSend({ tools, toolChoice }: ToolsSource, { allowedTools }: ResponsesQuirks) {
  const { allowed } = toolChoice
  if (!allowed || allowedTools || isNamed(toolChoice)) return tools
  return tools.filter(({ name }) => allowed.includes(name))
}

/** Null: `auto`, every server's default. */
function encodeChoice({ tools, toolChoice }: ToolsSource, { allowedTools }: ResponsesQuirks): unknown {
  const { mode, allowed } = toolChoice
  if (mode === 'none') return 'none'
  const named = tools.filter(({ name }) => allowed?.includes(name)).map(({ type, name }) => ({ type, name }))
  if (isNamed(toolChoice)) return named[0]
  if (allowed && allowedTools) return named.length === 0 ? 'none' : { type: 'allowed_tools', mode, tools: named }
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
