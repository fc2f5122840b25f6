/**
 * Custom (free-text) tools for a model that only knows functions: each is declared as a function with one string,
 * `input`, and what the model writes into that string comes out as the input of a custom call.
 *
 * What no wrapper can do is constrain the sampling. The input of a tool without a grammar streams while it is written.
 * With a grammar the call is held back until its input is known to fit; one that does not is repaired once, and fails
 * the turn when that does not help (see repair-custom-calls.ts). A turn that was cut off is excused.
 */
import type { Ids } from '../lib/ids.ts'
import { createJsonStringStream, type JsonStringStream } from '../lib/json-string-stream.ts'

import { afterRepair, isCutOff } from './hold-turn.ts'
import type { IsolatedChecks } from './isolated-checks.ts'
import {
  type Model,
  type ModelBatch,
  type ModelContext,
  ModelError,
  type ModelEvent,
  type ModelTurn,
  type ToolDeclaration,
  type TurnItem,
} from './model.ts'
import { type BadCall, CUSTOM_INPUT, repairCalls } from './repair-custom-calls.ts'
import { isCheckable, type ToolGrammar, toolGrammar } from './tool-grammar.ts'

type CustomDeclaration = Extract<ToolDeclaration, { type: 'custom' }>
type CallStart = Extract<ModelEvent, { type: 'call-start' }>
type Options = { readonly checks: IsolatedChecks; readonly ids: Ids }

/** One line per grammar that the model is told about but not held to. */
export function grammarNotes(tools: readonly ToolDeclaration[]): readonly string[] {
  return tools.flatMap((tool) => {
    if (tool.type !== 'custom' || tool.format.type !== 'grammar' || isCheckable(tool.format)) return []
    return [`tools: the ${tool.format.syntax} grammar of the custom tool '${tool.name}' is only advisory here.`]
  })
}

export function customToolsAsFunctions(inner: Model, options: Options): Model {
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
      const custom = turn.tools.filter((tool) => tool.type === 'custom')
      const asked = withFunctions(turn, strict)
      if (custom.length === 0) return inner.stream(asked, context)
      return unwrapCalls(inner, asked, { ...options, context, tools: toolsOf(custom, options.checks) })
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
    parameters: {
      type: 'object',
      properties: { [CUSTOM_INPUT]: text },
      required: [CUSTOM_INPUT],
      additionalProperties: false,
    },
    strict,
  }
}

function describeFormat({ format }: CustomDeclaration): string | null {
  if (format.type === 'text') return null
  return `The value of \`${CUSTOM_INPUT}\` must match this ${format.syntax} grammar:\n${format.definition}`
}

function toFunctionItem(item: TurnItem): TurnItem {
  if (item.type === 'custom_tool_call') {
    const { input, type: _type, ...rest } = item
    return { ...rest, type: 'function_call', arguments: JSON.stringify({ [CUSTOM_INPUT]: input }) }
  }
  return item.type === 'custom_tool_call_output' ? { ...item, type: 'function_call_output' } : item
}

// ---- what comes back ------------------------------------------------------------------------------------------

/** Name -> its grammar; null: nothing to hold an input against. */
type CustomTools = ReadonlyMap<string, ToolGrammar | null>

const toolsOf = (tools: readonly CustomDeclaration[], checks: IsolatedChecks): CustomTools =>
  new Map(tools.map(({ name, format }) => [name, toolGrammar(format, checks)]))

type Unwrapping = Options & { readonly context: ModelContext; readonly tools: CustomTools }

type OpenCall = {
  readonly start: CallStart
  readonly wrapped: JsonStringStream
  readonly grammar: ToolGrammar | null
  /** Kept only for the check. */
  input: string
}

async function* unwrapCalls(inner: Model, turn: ModelTurn, unwrapping: Unwrapping): AsyncGenerator<ModelBatch> {
  const { context } = unwrapping
  const calls = createCallUnwrapper(unwrapping)
  for await (const batch of inner.stream(turn, context)) {
    const out: ModelEvent[] = []
    for (const event of batch) {
      if (event.type !== 'finish' || calls.bad.length === 0) out.push(...(await calls.unwrap(event)))
      else if (isCutOff(event)) out.push(...calls.bad.flatMap(({ start, input }) => wholeCall(start, input)), event)
      else {
        const repaired = await repairCalls(inner, turn, { ...unwrapping, bad: calls.bad })
        out.push(...repaired.calls.flatMap(({ start, input }) => wholeCall(start, input)))
        out.push({ ...event, usage: afterRepair(event, repaired.finish).usage })
      }
    }
    if (out.length > 0) yield out
  }
}

const wholeCall = (start: CallStart, input: string): readonly ModelEvent[] => [
  start,
  ...(input === '' ? [] : [{ type: 'call-delta', id: start.id, delta: input } as const]),
  { type: 'call-end', id: start.id },
]

function createCallUnwrapper({ tools, context }: Unwrapping) {
  const open = new Map<string, OpenCall>()
  const bad: BadCall[] = []

  const endHeld = async (call: OpenCall, grammar: ToolGrammar): Promise<readonly ModelEvent[]> => {
    const problem = await grammar.problem(call.input, context.signal)
    if (problem === null) return wholeCall(call.start, call.input)
    bad.push({ start: call.start, input: call.input, problem, grammar })
    return []
  }
  return {
    /** Calls that ended and do not fit; none of their events was answered. */
    bad,
    async unwrap(event: ModelEvent): Promise<readonly ModelEvent[]> {
      if (event.type === 'call-start') {
        const grammar = tools.get(event.name)
        if (grammar === undefined) return [event]
        const start: CallStart = { ...event, kind: 'custom' }
        open.set(event.id, { start, wrapped: createJsonStringStream(CUSTOM_INPUT), grammar, input: '' })
        return grammar === null ? [start] : []
      }
      if (event.type !== 'call-delta' && event.type !== 'call-end') return [event]
      const call = open.get(event.id)
      if (call === undefined) return [event]
      const text = readInput(call, event.type === 'call-delta' ? event.delta : null)
      if (event.type === 'call-end') open.delete(event.id)
      if (call.grammar !== null) return event.type === 'call-end' ? endHeld(call, call.grammar) : []
      const deltas: readonly ModelEvent[] = text === '' ? [] : [{ type: 'call-delta', id: event.id, delta: text }]
      return event.type === 'call-end' ? [...deltas, event] : deltas
    },
  }
}

/** The next characters of the input; `json` null: the call is over. */
function readInput(call: OpenCall, json: string | null): string {
  try {
    const text = json === null ? call.wrapped.end() : call.wrapped.push(json)
    if (call.grammar !== null) call.input += text
    return text
  } catch (cause) {
    throw new ModelError('malformed', `The model's call of '${call.start.name}' is too long to be read.`, { cause })
  }
}
