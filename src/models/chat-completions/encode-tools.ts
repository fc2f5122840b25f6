/** Tool declarations and the choice among them -> `tools`, `tool_choice`, `parallel_tool_calls`. */
import { ModelError, type ModelTurn, type ToolDeclaration } from '../model.ts'
import type { Quirks } from './quirks.ts'
import type { ChatNamedTool, ChatTool, ChatToolChoice, ChatTools } from './wire.ts'

type ToolsSource = Pick<ModelTurn, 'tools' | 'toolChoice' | 'parallelToolCalls'>

/** Invariant: without tools nothing is sent at all; servers refuse `tools: []` and choices among nothing. */
export function encodeTools(turn: ToolsSource, quirks: Quirks): ChatTools {
  const tools = toolsToSend(turn, quirks)
  if (tools.length === 0) return {}
  const choice = quirks.toolChoice ? encodeChoice(turn, tools, quirks) : undefined
  return {
    tools: tools.map((tool) => encodeTool(tool, quirks)),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(!turn.parallelToolCalls && quirks.parallelToolCalls ? { parallel_tool_calls: false } : {}),
  }
}

/** All of them where the choice itself can say which are allowed (that keeps the provider's prefix cache warm). */
function toolsToSend({ tools, toolChoice }: ToolsSource, quirks: Quirks): readonly ToolDeclaration[] {
  const { mode, allowed } = toolChoice
  if (mode === 'none') return quirks.toolChoice ? tools : []
  if (!allowed || (quirks.toolChoice && (quirks.allowedTools || isNamed(toolChoice)))) return tools
  return tools.filter(({ name }) => allowed.includes(name))
}

const isNamed = ({ mode, allowed }: ModelTurn['toolChoice']) => mode === 'required' && allowed?.length === 1

/** `auto` is every server's default and is left out. */
function encodeChoice(
  turn: ToolsSource,
  tools: readonly ToolDeclaration[],
  quirks: Quirks,
): ChatToolChoice | undefined {
  const { mode, allowed } = turn.toolChoice
  if (mode === 'none') return 'none'
  const named = allowed ? tools.filter(({ name }) => allowed.includes(name)).map(nameTool) : []
  const [only] = named
  if (only && isNamed(turn.toolChoice)) return only
  if (allowed && quirks.allowedTools) {
    return named.length === 0 ? 'none' : { type: 'allowed_tools', allowed_tools: { mode, tools: named } }
  }
  return mode === 'required' ? 'required' : undefined
}

const nameTool = ({ type, name }: ToolDeclaration): ChatNamedTool =>
  type === 'function' ? { type, function: { name } } : { type, custom: { name } }

const NO_PARAMETERS = { type: 'object', properties: {} }

function encodeTool(tool: ToolDeclaration, { customTools }: Quirks): ChatTool {
  const description = tool.description ? { description: tool.description } : {}
  if (tool.type === 'function') {
    const { name, parameters, strict } = tool
    return {
      type: 'function',
      function: { name, ...description, parameters: parameters ?? NO_PARAMETERS, ...(strict ? { strict: true } : {}) },
    }
  }
  if (!customTools) {
    throw new ModelError('invalid_request', `This provider has no custom tools, and '${tool.name}' is one.`, {
      param: 'tools',
    })
  }
  return { type: 'custom', custom: { name: tool.name, ...description, ...encodeFormat(tool.format) } }
}

/** Chat Completions nests what the Responses API has flat. */
const encodeFormat = (format: Extract<ToolDeclaration, { type: 'custom' }>['format']) =>
  format.type === 'text'
    ? {}
    : { format: { type: 'grammar', grammar: { syntax: format.syntax, definition: format.definition } } }
