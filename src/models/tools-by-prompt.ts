/**
 * Functions for a model that cannot call any: they are described in words, and the calls are read out of its text.
 *
 * Text streams until a call begins; a call is held back until it is known to be one of an offered function with
 * arguments that can be read, and for `strict` that are valid. A call that is not is repaired once. What the repair adds
 * is calls alone, so nothing that was shown is taken back or said twice. Where a call is required the text is held back
 * too, because without a call it is no answer.
 */
import type { Ids } from '../lib/ids.ts'
import { isRecord } from '../lib/schema-values.ts'
import { CALL_START, type CallReader, createCallReader, type TextPiece } from './call-tags.ts'
import { checkJsonText, findJson } from './check-json-text.ts'
import { callableFunctions, type FunctionDeclaration, inWords } from './describe-tools.ts'
import { afterRepair, type Finish, holdTurn, isCutOff } from './hold-turn.ts'
import type { IsolatedChecks } from './isolated-checks.ts'
import {
  type FieldTable,
  type Model,
  type ModelBatch,
  type ModelContext,
  ModelError,
  type ModelEvent,
  type ModelTurn,
} from './model.ts'
import { correction } from './turn-items.ts'

type Options = { readonly checks: IsolatedChecks; readonly ids: Ids }

const FIELDS: FieldTable = {
  'tools.function': 'emulated',
  'tools.strict': 'emulated',
  tool_choice: 'emulated',
  'tool_choice.allowed_tools': 'emulated',
  parallel_tool_calls: 'emulated',
}

export function toolsByPrompt(inner: Model, options: Options): Model {
  const words = (turn: ModelTurn) => inWords(turn, options.ids)
  return {
    capabilities: { ...inner.capabilities, functionTools: true },
    fields: { ...inner.fields, ...FIELDS },
    countInputTokens: (turn, context) => inner.countInputTokens(words(turn), context),
    notCarried: (turn) => [
      ...(inner.notCarried?.(words(turn)) ?? []),
      // Text is cut anew where calls are read out of it, and comes apart from its tokens.
      ...(turn.tools.length > 0 && turn.topLogprobs !== null
        ? [{ param: 'top_logprobs', weight: 'meaning' } as const]
        : []),
    ],
    stream(turn, context) {
      const functions = callableFunctions(turn)
      const asked = words(turn)
      if (functions.length === 0) return inner.stream(asked, context)
      return readCalls(inner, asked, { ...options, context, functions, required: turn.toolChoice.mode === 'required' })
    },
  }
}

type Reading = Options & {
  readonly context: ModelContext
  readonly functions: readonly FunctionDeclaration[]
  readonly required: boolean
}

async function* readCalls(inner: Model, turn: ModelTurn, reading: Reading): AsyncGenerator<ModelBatch> {
  const text = createTextReader(reading)
  let finish: Finish | null = null
  for await (const batch of inner.stream(turn, reading.context)) {
    const out: ModelEvent[] = []
    for (const event of batch) {
      if (event.type === 'finish') finish = event
      else out.push(...(await text.read(event)))
    }
    if (out.length > 0) yield out
  }
  if (finish === null) throw new ModelError('malformed', 'The model ended its answer without an end.')
  if (isCutOff(finish)) return yield [...text.remains(), finish]
  const lacking = reading.required && text.calls() === 0 ? [NO_CALL] : []
  const problems = [...text.problems(), ...lacking]
  if (problems.length === 0) return yield [...text.remains(), withReason(finish, text.calls())]
  const repaired = await repair(inner, turn, { ...reading, said: text.whole(), problems, taken: text.calls() })
  yield [...repaired.events, afterRepair(finish, withReason(repaired.finish, 1))]
}

const NO_CALL = 'there is no call in it, and a call is required'

const withReason = (finish: Finish, calls: number): Finish => (calls > 0 ? { ...finish, reason: 'tool_calls' } : finish)

type Repairing = Reading & {
  readonly said: string
  readonly problems: readonly string[]
  /** Calls that were good already, whose ids are taken. */
  readonly taken: number
}

/** Asks once more for the calls that could not be read; answers their events. */
async function repair(inner: Model, turn: ModelTurn, repairing: Repairing) {
  const { said, problems, ids, context, taken } = repairing
  const complaint =
    `That cannot be used: ${problems.join('; ')}. ` +
    `Write the corrected ${CALL_START} blocks again, only those, and nothing else.`
  const asked = { ...turn, items: [...turn.items, ...correction(said, complaint, ids)] }
  const second = await holdTurn(inner.stream(asked, context))
  const text = createTextReader({ ...repairing, required: true }, taken)
  const events: ModelEvent[] = []
  for (const event of second.events) events.push(...(await text.read(event)))
  const left = [...text.problems(), ...(text.calls() === taken ? [NO_CALL] : [])]
  if (left.length > 0) {
    throw new ModelError('malformed', `The model did not make a usable tool call, in two tries: ${left.join('; ')}.`)
  }
  return { events: events.filter(({ type }) => type.startsWith('call-')), finish: second.finish }
}

// ---- text with calls in it ----------------------------------------------------------------------------------------

/** `taken`: how many calls there were before. */
function createTextReader(reading: Reading, taken = 0) {
  const readers = new Map<string, CallReader>()
  /** Blocks whose start was shown. */
  const shown = new Set<string>()
  /** Held back while it is open whether there is a call. */
  const held: ModelEvent[] = []
  const problems: string[] = []
  let whole = ''
  let calls = taken
  /** A call that the turn's end cut off. */
  let torn: ModelEvent[] = []

  const showText = (id: string, delta: string): readonly ModelEvent[] => {
    const start: readonly ModelEvent[] = shown.has(id) ? [] : [{ type: 'text-start', id }]
    shown.add(id)
    const events: readonly ModelEvent[] = [...start, { type: 'text-delta', id, delta }]
    if (!reading.required) return events
    held.push(...events)
    return []
  }
  const showPieces = async (id: string, pieces: readonly TextPiece[]): Promise<readonly ModelEvent[]> => {
    const out: ModelEvent[] = []
    for (const piece of pieces) {
      if (piece.type === 'text') out.push(...showText(id, piece.text))
      else {
        const call = await readCall(piece.raw, reading)
        if (typeof call === 'string') {
          problems.push(call)
          if (!piece.closed) torn = rawText(id, `${CALL_START}${piece.raw}`)
        } else out.push(...callEvents(`${id}.call${calls++}`, call))
      }
    }
    return out
  }
  const endText = async (id: string, reader: CallReader): Promise<readonly ModelEvent[]> => {
    readers.delete(id)
    const out = await showPieces(id, reader.end())
    if (!shown.has(id)) return out
    const end: ModelEvent = { type: 'text-end', id }
    if (!reading.required) return [...out, end]
    held.push(end)
    return out
  }
  return {
    async read(event: ModelEvent): Promise<readonly ModelEvent[]> {
      if (event.type === 'text-start') {
        readers.set(event.id, createCallReader())
        return []
      }
      const reader = 'id' in event ? readers.get(event.id) : undefined
      if (event.type === 'annotation') return shown.has(event.id) && !reading.required ? [event] : []
      if (reader === undefined) return [event]
      if (event.type === 'text-end') return endText(event.id, reader)
      if (event.type !== 'text-delta') return [event]
      whole += event.delta
      return showPieces(event.id, reader.push(event.delta))
    },
    calls: () => calls,
    problems: (): readonly string[] => problems,
    whole: () => whole,
    /** What was held back and turned out to be all there is. */
    remains: (): readonly ModelEvent[] => [...(calls === taken ? held : []), ...torn],
  }
}

const rawText = (id: string, delta: string): ModelEvent[] => [
  { type: 'text-start', id: `${id}.torn` },
  { type: 'text-delta', id: `${id}.torn`, delta },
  { type: 'text-end', id: `${id}.torn` },
]

// ---- one call -----------------------------------------------------------------------------------------------------

type ReadCall = { readonly name: string; readonly args: string }

const callEvents = (id: string, { name, args }: ReadCall): readonly ModelEvent[] => [
  { type: 'call-start', id, kind: 'function', name, callId: null },
  { type: 'call-delta', id, delta: args },
  { type: 'call-end', id },
]

/** The call, or what is wrong with it. */
async function readCall(raw: string, { functions, checks, context }: Reading): Promise<ReadCall | string> {
  const found = findJson(raw)?.value
  if (!isRecord(found)) return 'a call is not one JSON object'
  const { name } = found
  const tool = functions.find((declared) => declared.name === name)
  if (tool === undefined) return `there is no tool ${JSON.stringify(name) ?? 'without a name'}`
  const given = found.arguments ?? found.parameters ?? {}
  const args = typeof given === 'string' ? findJson(given)?.value : given
  if (!isRecord(args)) return `the arguments of '${tool.name}' are not a JSON object`
  const json = JSON.stringify(args)
  if (!tool.strict || tool.parameters === null) return { name: tool.name, args: json }
  const format = { type: 'json_schema', name: tool.name, schema: tool.parameters, strict: true } as const
  const verdict = await checkJsonText(json, format, { checks, signal: context.signal, param: 'tools' })
  return verdict.ok
    ? { name: tool.name, args: json }
    : `the arguments of '${tool.name}': ${verdict.problems.join(', ')}`
}
