/**
 * Puts tool calls together from fragments, as vendors really send them: by index, by id only, with neither, whole,
 * several at the same index, interleaved, the name late, the arguments as an object.
 *
 * Invariant: a call starts when its name is one the model was offered, and ends when nothing can follow: at the end of
 * the turn, or when the next call starts and its own arguments are complete JSON.
 */
import { ModelError, type ModelEvent, type ToolDeclaration } from '../model.ts'
import { MAX_CALLS } from '../upstream/call-gate.ts'
import { asFields, asNumber, asText, type Fields, parseJson } from '../upstream/fields.ts'
import { createSurrogateJoiner, type SurrogateJoiner } from '../upstream/surrogates.ts'

type Call = {
  readonly index: number | null
  readonly kind: 'function' | 'custom'
  readonly joiner: SurrogateJoiner
  callId: string | null
  name: string
  /** All of it, to see when it is complete. */
  input: string
  /** The block's id once it has started. */
  id: string | null
  ended: boolean
}

type Fragment = {
  readonly index: number | null
  readonly callId: string | null
  readonly kind: 'function' | 'custom'
  readonly name: string
  readonly input: string
}

export interface CallDecoder {
  count(): number
  /** An entry of `tool_calls`. */
  fragment(entry: Fields, out: ModelEvent[]): void
  /** The `function_call` of servers that never learned about tools. */
  legacy(functionCall: Fields, out: ModelEvent[]): void
  /** Ends every call. Throws for one whose name never came. */
  end(out: ModelEvent[]): void
}

export type CallDecoderOptions = {
  readonly tools: readonly ToolDeclaration[]
  readonly newId: () => string
  /** Runs before a call's first event, to close what was open. */
  readonly beforeStart: (out: ModelEvent[]) => void
}

export function createCallDecoder({ tools, newId, beforeStart }: CallDecoderOptions): CallDecoder {
  const calls: Call[] = []
  const names = new Set(tools.map(({ name }) => name))

  const create = ({ index, kind }: Fragment): Call => {
    if (calls.length >= MAX_CALLS) throw malformed(`The model made more than ${MAX_CALLS} tool calls in one turn.`)
    const call: Call = {
      index,
      kind,
      joiner: createSurrogateJoiner(),
      callId: null,
      name: '',
      input: '',
      id: null,
      ended: false,
    }
    calls.push(call)
    return call
  }
  const endComplete = (out: ModelEvent[]) => {
    for (const call of calls) {
      if (call.id !== null && call.kind === 'function' && isCompleteJson(call.input)) endCall(call, out)
    }
  }
  const start = (call: Call, out: ModelEvent[]) => {
    beforeStart(out)
    endComplete(out)
    call.id = newId()
    out.push({ type: 'call-start', id: call.id, kind: call.kind, name: call.name, callId: call.callId })
    if (call.input !== '') writeDelta(call, call.joiner.push(call.input), out)
  }
  const startIfNamed = (call: Call, out: ModelEvent[]) => {
    if (call.id !== null || call.name === '') return
    if (names.has(call.name)) return start(call, out)
    for (const name of names) if (name.startsWith(call.name)) return
    throw unknownTool(call.name)
  }
  const add = (fragment: Fragment, out: ModelEvent[]) => {
    const call = findCall(calls, fragment) ?? create(fragment)
    call.callId ??= fragment.callId
    if (call.id === null && fragment.name !== call.name) call.name += fragment.name
    const started = call.id !== null
    if (fragment.input !== '' && call.ended) {
      if (fragment.input.trim() === '') return
      throw malformed(`The arguments of the call of '${call.name}' went on after their end.`)
    }
    call.input += fragment.input
    startIfNamed(call, out)
    if (started && fragment.input !== '') writeDelta(call, call.joiner.push(fragment.input), out)
  }

  return {
    count: () => calls.length,
    fragment: (entry, out) => add(readFragment(entry), out),
    legacy: (functionCall, out) => add(readFragment({ index: 0, function: functionCall }), out),
    end(out) {
      for (const call of calls) {
        if (call.id === null)
          throw call.name === '' ? malformed('The model made a tool call without a name.') : unknownTool(call.name)
        endCall(call, out)
      }
    },
  }
}

const malformed = (message: string) => new ModelError('malformed', message)
const unknownTool = (name: string) =>
  malformed(`The model called '${name.slice(0, 128)}', which is not a tool of this request.`)

function readFragment(entry: Fields): Fragment {
  const custom = asFields(entry.custom)
  const call = custom ?? asFields(entry.function) ?? {}
  return {
    index: asNumber(entry.index),
    callId: asText(entry.id),
    kind: custom || entry.type === 'custom' ? 'custom' : 'function',
    name: asText(call.name) ?? '',
    input: readInput(custom ? call.input : call.arguments),
  }
}

const readInput = (value: unknown): string => {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

function findCall(calls: readonly Call[], fragment: Fragment): Call | null {
  const { index, callId, name } = fragment
  const last = calls.at(-1) ?? null
  if (index !== null) {
    const known = calls.findLast((call) => call.index === index)
    return known && !isAnother(known, fragment) ? known : null
  }
  if (callId !== null) {
    const known = calls.find((call) => call.callId === callId)
    if (known) return known
    return name === '' && last?.callId === null ? last : null
  }
  // A nameless piece continues the last call; a name begins a new one, unless the last still waits for its name.
  return name === '' || last?.name === '' ? last : null
}

/** Whether a fragment at a known index is a new call: some vendors send every parallel call whole at index 0. */
function isAnother(known: Call, { callId, name, input }: Fragment): boolean {
  if (name === '' || known.name === '') return false
  if (callId !== null && known.callId !== null) return callId !== known.callId
  return input !== '' && isCompleteJson(known.input)
}

const isCompleteJson = (text: string) => text !== '' && asFields(parseJson(text)) !== null

const writeDelta = (call: Call, delta: string, out: ModelEvent[]) => {
  if (call.id !== null && delta !== '') out.push({ type: 'call-delta', id: call.id, delta })
}

/** No arguments at all mean an empty object: what clients parse must be JSON. */
function endCall(call: Call, out: ModelEvent[]): void {
  if (call.ended || call.id === null) return
  writeDelta(call, call.joiner.flush(), out)
  if (call.kind === 'function' && call.input.trim() === '') writeDelta(call, '{}', out)
  call.ended = true
  out.push({ type: 'call-end', id: call.id })
}
