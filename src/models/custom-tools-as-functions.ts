/**
 * Custom (free-text) tools for a model that only knows functions: each is declared as a function with one string,
 * `input`, and what the model writes into that string streams out as the input of a custom call.
 *
 * What no wrapper can do is constrain the sampling. A regex grammar is checked when the turn is over, in time-limited
 * isolation, and a mismatch fails the turn; a lark grammar is only described to the model (see `grammarNotes`).
 */
import { createJsonStringStream, type JsonStringStream } from '../lib/json-string-stream.ts'
import type { IsolatedChecks } from './isolated-checks.ts'
import {
  type Model,
  type ModelBatch,
  ModelError,
  type ModelEvent,
  type ModelTurn,
  type ToolDeclaration,
  type TurnItem,
} from './model.ts'
import { type PortableRegex, toPortableRegex } from './regex-grammar.ts'

type CustomDeclaration = Extract<ToolDeclaration, { type: 'custom' }>
type CallStart = Extract<ModelEvent, { type: 'call-start' }>

/** The name of the only parameter. */
const INPUT = 'input'

/** One line per grammar that the model is told about but not held to. */
export function grammarNotes(tools: readonly ToolDeclaration[]): readonly string[] {
  return tools.flatMap((tool) => {
    if (tool.type !== 'custom' || tool.format.type !== 'grammar') return []
    const { syntax, definition } = tool.format
    if (syntax === 'regex' && toPortableRegex(definition) !== null) return []
    const why = syntax === 'lark' ? 'lark grammars are not enforced' : 'this regex cannot be checked'
    return [`tools: the ${syntax} grammar of the custom tool '${tool.name}' is only advisory for this model; ${why}.`]
  })
}

export function customToolsAsFunctions(inner: Model, options: { readonly checks: IsolatedChecks }): Model {
  const strict = inner.capabilities.structuredOutput
  return {
    capabilities: { ...inner.capabilities, customTools: inner.capabilities.functionTools },
    fields: { ...inner.fields, 'tools.custom': inner.capabilities.functionTools ? 'emulated' : 'refused' },
    countInputTokens: (turn, context) => inner.countInputTokens(withFunctions(turn, strict), context),
    notCarried: (turn) => [
      ...(inner.notCarried?.(withFunctions(turn, strict)) ?? []),
      ...(grammarNotes(turn.tools).length > 0 ? [{ param: 'tools', weight: 'hint' } as const] : []),
    ],
    stream(turn, context) {
      const custom = new Map(turn.tools.filter((tool) => tool.type === 'custom').map((tool) => [tool.name, tool]))
      const stream = inner.stream(withFunctions(turn, strict), context)
      return custom.size === 0 ? stream : unwrapCalls(stream, custom, options.checks, context.signal)
    },
  }
}

// ---- what the model is shown ----------------------------------------------------------------------------------

function withFunctions(turn: ModelTurn, strict: boolean): ModelTurn {
  return {
    ...turn,
    tools: turn.tools.map((tool) => (tool.type === 'custom' ? toFunction(tool, strict) : tool)),
    items: turn.items.map(toFunctionItem),
  }
}

function toFunction(tool: CustomDeclaration, strict: boolean): ToolDeclaration {
  const text = { type: 'string', description: 'The whole input of the tool, as plain text.' }
  return {
    type: 'function',
    name: tool.name,
    description: [tool.description, describeFormat(tool)].filter((part) => part !== null).join('\n\n'),
    parameters: { type: 'object', properties: { [INPUT]: text }, required: [INPUT], additionalProperties: false },
    strict,
  }
}

function describeFormat({ format }: CustomDeclaration): string | null {
  if (format.type === 'text') return null
  return `The value of \`${INPUT}\` must match this ${format.syntax} grammar:\n${format.definition}`
}

function toFunctionItem(item: TurnItem): TurnItem {
  if (item.type === 'custom_tool_call') {
    const { input, type: _type, ...rest } = item
    return { ...rest, type: 'function_call', arguments: JSON.stringify({ [INPUT]: input }) }
  }
  return item.type === 'custom_tool_call_output' ? { ...item, type: 'function_call_output' } : item
}

// ---- what comes back ------------------------------------------------------------------------------------------

type OpenCall = {
  readonly name: string
  readonly wrapped: JsonStringStream
  /** Null: nothing to hold the input against. */
  readonly regex: PortableRegex | null
  /** Kept only for the check. */
  input: string
}

async function* unwrapCalls(
  stream: AsyncIterable<ModelBatch>,
  custom: ReadonlyMap<string, CustomDeclaration>,
  checks: IsolatedChecks,
  signal: AbortSignal,
): AsyncGenerator<ModelBatch> {
  const open = new Map<string, OpenCall>()
  /** Ended calls whose end is held back: whether the turn was cut off, which excuses a mismatch, shows at its finish. */
  const unchecked = new Map<string, OpenCall>()
  for await (const batch of stream) {
    const events = batch.flatMap((event) => unwrap(event, custom, open, unchecked))
    const finish = unchecked.size === 0 ? undefined : batch.find((event) => event.type === 'finish')
    if (finish?.reason === 'stop' || finish?.reason === 'tool_calls') {
      for (const call of unchecked.values()) await checkInput(call, checks, signal)
    }
    if (events.length > 0) yield events
  }
}

function unwrap(
  event: ModelEvent,
  custom: ReadonlyMap<string, CustomDeclaration>,
  open: Map<string, OpenCall>,
  unchecked: Map<string, OpenCall>,
): readonly ModelEvent[] {
  if (event.type === 'call-start') return [startCall(event, custom, open)]
  if (event.type === 'finish') {
    const ends = [...unchecked.keys()].map((id): ModelEvent => ({ type: 'call-end', id }))
    return [...ends, event]
  }
  if (event.type !== 'call-delta' && event.type !== 'call-end') return [event]
  const call = open.get(event.id)
  if (call === undefined) return [event]
  const text = readInput(call, event.type === 'call-delta' ? event.delta : null)
  const deltas: readonly ModelEvent[] = text === '' ? [] : [{ type: 'call-delta', id: event.id, delta: text }]
  if (event.type === 'call-delta') return deltas
  open.delete(event.id)
  if (call.regex === null) return [...deltas, event]
  unchecked.set(event.id, call)
  return deltas
}

function startCall(
  event: CallStart,
  custom: ReadonlyMap<string, CustomDeclaration>,
  open: Map<string, OpenCall>,
): ModelEvent {
  const tool = custom.get(event.name)
  if (tool === undefined) return event
  const format = tool.format
  const isRegex = format.type === 'grammar' && format.syntax === 'regex'
  open.set(event.id, {
    name: tool.name,
    wrapped: createJsonStringStream(INPUT),
    regex: isRegex ? toPortableRegex(format.definition) : null,
    input: '',
  })
  return { ...event, kind: 'custom' }
}

/** The next characters of the input; `json` null: the call is over. */
function readInput(call: OpenCall, json: string | null): string {
  try {
    const text = json === null ? call.wrapped.end() : call.wrapped.push(json)
    if (call.regex !== null) call.input += text
    return text
  } catch (cause) {
    throw new ModelError('malformed', `The model's call of '${call.name}' is too long to be read.`, { cause })
  }
}

async function checkInput(
  { name, regex, input }: OpenCall,
  checks: IsolatedChecks,
  signal: AbortSignal,
): Promise<void> {
  if (regex === null) return
  const result = await checks.run({ kind: 'regex', ...regex, text: input }, signal)
  if (result.outcome === 'valid') return
  if (result.outcome === 'invalid') {
    throw new ModelError(
      'malformed',
      `The model's input for the tool '${name}' does not match the tool's regex grammar.`,
    )
  }
  throw new ModelError(
    'malformed',
    `The model's input for the tool '${name}' could not be checked against its regex grammar: ${result.reason}.`,
  )
}
