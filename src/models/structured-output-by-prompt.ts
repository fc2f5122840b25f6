/**
 * Structured output where a model cannot be constrained, be it to any format or to this one: it is told the schema, its answer is held back until it is
 * valid, and it gets one chance to repair it.
 *
 * Invariant: nothing is yielded before the whole turn is known to be good. So there is one `finish`, and a failure is
 * still a failure before the first batch. The price: such a turn does not stream.
 */
import type { Ids } from '../lib/ids.ts'
import type { TextFormat } from '../protocol/options.ts'
import type { Usage } from '../protocol/response.ts'
import { addUsage } from '../protocol/usage.ts'
import { checkJsonText, type JsonVerdict } from './check-json-text.ts'
import type { IsolatedChecks } from './isolated-checks.ts'
import {
  type FieldTable,
  type Model,
  type ModelBatch,
  type ModelContext,
  ModelError,
  type ModelEvent,
  type ModelTurn,
  type TurnItem,
} from './model.ts'

/** Characters of one turn that are held back. */
export const MAX_HELD_CHARS = 10_485_760
/** Characters of a bad answer that the model sees again. */
const MAX_QUOTED_CHARS = 20_000

export type JsonFormat = Exclude<TextFormat, { type: 'text' }>
type Finish = Extract<ModelEvent, { type: 'finish' }>
type HeldTurn = { readonly events: readonly ModelEvent[]; readonly text: string; readonly finish: Finish }
type Options = { readonly ids: Ids; readonly checks: IsolatedChecks }

export function structuredOutputByPrompt(inner: Model, options: Options): Model {
  /** What goes inward: a format that the model carries itself, or one in words. */
  const shown = (turn: ModelTurn) => (carriesFormat(inner, turn) ? turn : withInstruction(turn, turn.text.format))
  return {
    capabilities: { ...inner.capabilities, structuredOutput: true },
    fields: { ...inner.fields, ...emulatedFormats(inner) },
    countInputTokens: (turn, context) => inner.countInputTokens(shown(turn), context),
    notCarried: (turn) => inner.notCarried?.(shown(turn)) ?? [],
    stream(turn, context) {
      const format = turn.text.format
      if (format.type === 'text') return inner.stream(turn, context)
      return streamFormat(inner, turn, format, context, options)
    },
  }
}

/** A model that can be constrained may still say that it cannot be to this format. */
const carriesFormat = (inner: Model, turn: ModelTurn): boolean =>
  turn.text.format.type === 'text' ||
  (inner.capabilities.structuredOutput && !inner.notCarried?.(turn).some(({ param }) => param === 'text.format'))

const FORMATS = ['text.format.json_schema', 'text.format.json_object'] as const

function emulatedFormats({ capabilities, fields }: Model): FieldTable {
  const emulated = FORMATS.filter((name) => fields[name] === 'refused')
  const always = capabilities.structuredOutput ? [] : [FORMATS[0]]
  return Object.fromEntries([...emulated, ...always].map((name) => [name, 'emulated']))
}

/** Whether the model carries the format is asked in here, where what it throws is a failure of the stream. */
async function* streamFormat(
  inner: Model,
  turn: ModelTurn,
  format: JsonFormat,
  context: ModelContext,
  options: Options,
): AsyncGenerator<ModelBatch> {
  if (carriesFormat(inner, turn)) yield* inner.stream(turn, context)
  else yield* answer(inner, withInstruction(turn, format), format, context, options)
}

async function* answer(
  inner: Model,
  turn: ModelTurn,
  format: JsonFormat,
  context: ModelContext,
  options: Options,
): AsyncGenerator<ModelBatch> {
  const first = await hold(inner.stream(turn, context))
  if (isExcused(first)) return yield release(first, null, null)
  const verdict = await checkJsonText(first.text, format, options.checks, context.signal)
  if (verdict.ok) return yield release(first, verdict.json, null)
  // A preamble to calls is no answer. Constrained sampling could not have written it, so nobody gets to see it.
  if (hasCalls(first)) return yield release(first, '', null)

  const second = await hold(inner.stream(repairTurn(turn, first.text, verdict, options.ids), context))
  if (isExcused(second)) return yield release(second, null, first.finish)
  const repaired = await checkJsonText(second.text, format, options.checks, context.signal)
  if (repaired.ok) return yield release(second, repaired.json, first.finish)
  // Without `strict` the schema is a wish, as long as the answer is JSON.
  if (repaired.json !== null && !isStrict(format)) return yield release(second, repaired.json, first.finish)
  throw new ModelError(
    'malformed',
    `The model did not give an answer that fits the requested format, in two tries: ${repaired.problems.join('; ')}.`,
  )
}

const isStrict = (format: JsonFormat) => format.type === 'json_object' || format.strict
const hasCalls = (turn: HeldTurn) => turn.events.some((event) => event.type === 'call-start')
/** Cut off, filtered, refused, or nothing but calls: there is no answer that could be held against the schema. */
const isExcused = (turn: HeldTurn) =>
  turn.finish.reason === 'length' ||
  turn.finish.reason === 'content_filter' ||
  turn.events.some((event) => event.type === 'refusal-start') ||
  (turn.text === '' && hasCalls(turn))

// ---- what the model is told -----------------------------------------------------------------------------------

function withInstruction(turn: ModelTurn, format: TextFormat): ModelTurn {
  if (format.type === 'text') return turn
  const instructions = turn.instructions === null ? describe(format) : `${turn.instructions}\n\n${describe(format)}`
  return { ...turn, instructions, text: { ...turn.text, format: { type: 'text' } } }
}

function describe(format: JsonFormat): string {
  const rule = 'Your final answer must be JSON and nothing else: no code fence, no words before or after it.'
  if (format.type === 'json_object') return `${rule} It must be one JSON object.`
  const about = format.description ? ` (${format.description})` : ''
  return `${rule} It must be valid against the JSON Schema "${format.name}"${about}:\n${JSON.stringify(format.schema)}`
}

function repairTurn(turn: ModelTurn, text: string, verdict: JsonVerdict, ids: Ids): ModelTurn {
  const complaint = `That is not valid: ${verdict.problems.join('; ')}. Answer again, with the corrected JSON only.`
  const answer = text.slice(0, MAX_QUOTED_CHARS)
  const items: readonly TurnItem[] = [
    {
      id: ids.next('msg'),
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: answer, annotations: [], logprobs: [] }],
    },
    {
      id: ids.next('msg'),
      type: 'message',
      status: 'completed',
      role: 'user',
      content: [{ type: 'input_text', text: complaint }],
    },
  ]
  // Providers refuse an empty assistant message.
  const added = answer.trim() === '' ? items.slice(1) : items
  return { ...turn, items: [...turn.items, ...added], toolChoice: { mode: 'none', allowed: null } }
}

// ---- what comes back ------------------------------------------------------------------------------------------

async function hold(stream: AsyncIterable<ModelBatch>): Promise<HeldTurn> {
  const events: ModelEvent[] = []
  let text = ''
  let chars = 0
  for await (const batch of stream) {
    for (const event of batch) {
      if (event.type === 'finish') return { events, text, finish: event }
      if ('delta' in event) chars += event.delta.length
      if (chars > MAX_HELD_CHARS) throw new ModelError('malformed', `The answer is above ${MAX_HELD_CHARS} characters.`)
      if (event.type === 'text-delta') text += event.delta
      events.push(event)
    }
  }
  throw new ModelError('malformed', 'The model ended its answer without an end.')
}

/** The turn as one batch. `json`: what stands in place of its text, null to leave the text alone. */
function release(turn: HeldTurn, json: string | null, earlier: Finish | null): ModelBatch {
  const finish = earlier === null ? turn.finish : { ...turn.finish, usage: sumUsage(earlier.usage, turn.finish.usage) }
  const events = json === null || json === turn.text ? turn.events : replaceText(turn.events, json)
  return [...events, finish]
}

/** All text becomes one block in the place of the first; log probabilities and positions would no longer fit. */
function replaceText(events: readonly ModelEvent[], json: string): readonly ModelEvent[] {
  const isText = (event: ModelEvent) =>
    event.type === 'text-start' ||
    event.type === 'text-delta' ||
    event.type === 'text-end' ||
    event.type === 'annotation'
  const at = events.findIndex((event) => event.type === 'text-start')
  const start = events[at]
  if (start === undefined || start.type !== 'text-start' || json === '') return events.filter((event) => !isText(event))
  const block: readonly ModelEvent[] = [
    start,
    { type: 'text-delta', id: start.id, delta: json },
    { type: 'text-end', id: start.id },
  ]
  return [
    ...events.slice(0, at).filter((event) => !isText(event)),
    ...block,
    ...events.slice(at).filter((event) => !isText(event)),
  ]
}

/** Null when either is unknown: half a number would be taken for the whole. */
const sumUsage = (a: Usage | null, b: Usage | null): Usage | null => (a && b ? addUsage(a, b) : null)
