/** Tool declarations and the choice among them -> `tools` and `tool_choice`. */
import { ModelError, type ModelTurn, type ToolDeclaration } from '../model.ts'
import { closeObjects, costOfSchema, SCHEMA_LIMITS } from './schema-support.ts'
import type { AnthropicTool, AnthropicToolChoice, Message } from './wire.ts'

type ToolsSource = Pick<ModelTurn, 'tools' | 'toolChoice' | 'parallelToolCalls'>
type FunctionDeclaration = Extract<ToolDeclaration, { type: 'function' }>

export type EncodedTools = {
  readonly tools?: readonly AnthropicTool[]
  readonly tool_choice?: AnthropicToolChoice
}

/**
 * `forcedTools`: a call may be demanded. `strictTools`: arguments can be held to their schema.
 * Calls in the conversation need declared tools, so what was called and is offered no more is declared, and forbidden.
 */
export function encodeTools(
  turn: ToolsSource,
  messages: readonly Message[],
  { forcedTools, strictTools }: { readonly forcedTools: boolean; readonly strictTools: boolean },
): EncodedTools {
  const offered = offeredTools(turn)
  if (offered.length === 0) {
    const called = calledNames(messages)
    return called.length === 0 ? {} : { tools: called.map(bareTool), tool_choice: { type: 'none' } }
  }
  const strict = strictTools ? strictNames(offered) : NONE
  const choice = encodeChoice(turn, offered, forcedTools)
  return {
    tools: offered.map((tool) => encodeTool(tool, strict.has(tool.name))),
    ...(choice && { tool_choice: choice }),
  }
}

const NONE: ReadonlySet<string> = new Set()
const NO_PARAMETERS = { type: 'object', properties: {} }
const bareTool = (name: string): AnthropicTool => ({ name, input_schema: NO_PARAMETERS })

function calledNames(messages: readonly Message[]): readonly string[] {
  const calls = messages.flatMap(({ role, content }) =>
    role === 'assistant' ? content.flatMap((block) => (block.type === 'tool_use' ? [String(block.name)] : [])) : [],
  )
  return [...new Set(calls)]
}

/** A choice among several cannot be said here, so the others are not shown; one alone is named by the choice. */
function offeredTools({ tools, toolChoice: { mode, allowed } }: ToolsSource): readonly FunctionDeclaration[] {
  const shown =
    allowed === null || mode === 'none' || (mode === 'required' && allowed.length === 1)
      ? tools
      : tools.filter(({ name }) => allowed.includes(name))
  return shown.map((tool) => {
    if (tool.type === 'function') return tool
    const message = `This provider has no custom tools, and '${tool.name}' is one.`
    throw new ModelError('invalid_request', message, { param: 'tools' })
  })
}

function encodeChoice(
  { toolChoice: { mode, allowed }, parallelToolCalls }: ToolsSource,
  offered: readonly FunctionDeclaration[],
  forcedTools: boolean,
): AnthropicToolChoice | null {
  if (mode === 'none') return { type: 'none' }
  const single = parallelToolCalls ? {} : { disable_parallel_tool_use: true as const }
  if (mode === 'auto' || !forcedTools) return parallelToolCalls ? null : { type: 'auto', ...single }
  const [only] = allowed ?? []
  return only !== undefined && allowed?.length === 1 && offered.some(({ name }) => name === only)
    ? { type: 'tool', name: only, ...single }
    : { type: 'any', ...single }
}

function encodeTool({ name, description, parameters }: FunctionDeclaration, strict: boolean): AnthropicTool {
  const schema = parameters ?? NO_PARAMETERS
  return {
    name,
    ...(description ? { description } : {}),
    input_schema: strict ? closeObjects(schema) : { type: 'object', ...schema },
    ...(strict ? { strict: true as const } : {}),
  }
}

/** Which tools are sent as strict: those the provider can hold, unless all of them together are too much for it. */
function strictNames(tools: readonly FunctionDeclaration[]): ReadonlySet<string> {
  const names = new Set<string>()
  const total = { optional: 0, unions: 0 }
  for (const { name, parameters, strict } of tools) {
    const cost = strict ? costOfSchema(parameters ?? NO_PARAMETERS) : null
    if (cost === null) continue
    names.add(name)
    total.optional += cost.optional
    total.unions += cost.unions
  }
  const { strictTools, optional, unions } = SCHEMA_LIMITS
  return names.size > strictTools || total.optional > optional || total.unions > unions ? NONE : names
}
