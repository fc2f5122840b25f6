/**
 * Structured output where a model cannot be constrained, be it to any format or to this one. Two ways, and one repair for both:
 * - a model that can be made to call a function gives its answer as the arguments of one, because what models write
 *   there they were trained to keep to a schema;
 * - any other is told the schema in words.
 *
 * Invariant: nothing is yielded before the whole turn is known to be good. So there is one `finish`, and a failure is
 * still a failure before the first batch. The price: such a turn does not stream.
 */
import type { Ids } from '../lib/ids.ts'
import type { TextFormat } from '../protocol/options.ts'
import { answerByCall } from './answer-by-call.ts'
import { checkJsonText } from './check-json-text.ts'
import { afterRepair, type HeldTurn, hasCalls, holdTurn, isCutOff } from './hold-turn.ts'
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

export type JsonFormat = Exclude<TextFormat, { type: 'text' }>
type Options = { readonly ids: Ids; readonly checks: IsolatedChecks }

/** How the format is put to the model, and where its answer is found. */
export type AnswerWay = {
  ask(turn: ModelTurn): ModelTurn
  /** The turn as if the model had answered in text. */
  read(held: HeldTurn): HeldTurn
}

export function structuredOutput(inner: Model, options: Options): Model {
  const wayFor = (turn: ModelTurn): AnswerWay | null => {
    const { format } = turn.text
    if (format.type === 'text' || carriesFormat(inner, turn)) return null
    return answerByCall(inner, turn) ?? { ask: (it) => inWords(it, format), read: (held) => held }
  }
  const asked = (turn: ModelTurn) => wayFor(turn)?.ask(turn) ?? turn
  return {
    capabilities: { ...inner.capabilities, structuredOutput: true },
    fields: { ...inner.fields, ...emulatedFormats(inner) },
    countInputTokens: (turn, context) => inner.countInputTokens(asked(turn), context),
    notCarried: (turn) => inner.notCarried?.(asked(turn)) ?? [],
    stream(turn, context) {
      const { format } = turn.text
      if (format.type === 'text') return inner.stream(turn, context)
      return streamFormat(inner, turn, { ...options, format, wayFor, context })
    },
  }
}

/** A model that can be constrained may still say that it cannot be to this format. */
const carriesFormat = (inner: Model, turn: ModelTurn): boolean =>
  inner.capabilities.structuredOutput && !inner.notCarried?.(turn).some(({ param }) => param === 'text.format')

const FORMATS = ['text.format.json_schema', 'text.format.json_object'] as const

const emulatedFormats = ({ capabilities, fields }: Model): FieldTable =>
  Object.fromEntries(
    FORMATS.filter((name) => !capabilities.structuredOutput || fields[name] === 'refused').map((name) => [
      name,
      'emulated',
    ]),
  )

type Choosing = Omit<Answering, 'way'> & { wayFor(turn: ModelTurn): AnswerWay | null }

/** Whether the model carries the format is asked in here, where what it throws is a failure of the stream. */
async function* streamFormat(
  inner: Model,
  turn: ModelTurn,
  { wayFor, ...answering }: Choosing,
): AsyncGenerator<ModelBatch> {
  const way = wayFor(turn)
  if (way === null) yield* inner.stream(turn, answering.context)
  else yield* answer(inner, turn, { ...answering, way })
}

type Answering = Options & { readonly format: JsonFormat; readonly way: AnswerWay; readonly context: ModelContext }

async function* answer(inner: Model, turn: ModelTurn, answering: Answering): AsyncGenerator<ModelBatch> {
  const { format, way, context, checks, ids } = answering
  const check = (text: string) => checkJsonText(text, format, { checks, signal: context.signal })
  const first = way.read(await holdTurn(inner.stream(way.ask(turn), context)))
  if (isExcused(first)) return yield release(first, null)
  const verdict = await check(first.text)
  if (verdict.ok) return yield release(first, verdict.json)
  // A preamble to calls is no answer. Constrained sampling could not have written it, so nobody gets to see it.
  if (hasCalls(first)) return yield release(first, '')

  const complaint = `That is not valid: ${verdict.problems.join('; ')}. Answer again, with the corrected JSON only.`
  const again = inWords(turn, format)
  const items = [...again.items, ...correction(first.text, complaint, ids)]
  const repair: ModelTurn = { ...again, items, toolChoice: { mode: 'none', allowed: null } }
  const second = await holdTurn(inner.stream(repair, context))
  const finish = afterRepair(first.finish, second.finish)
  if (isExcused(second)) return yield release({ ...second, finish }, null)
  const repaired = await check(second.text)
  // Without `strict` the schema is a wish, as long as the answer is JSON.
  const json = repaired.ok || !isStrict(format) ? repaired.json : null
  if (json !== null) return yield release({ ...second, finish }, json)
  throw new ModelError(
    'malformed',
    `The model did not give an answer that fits the requested format, in two tries: ${repaired.problems.join('; ')}.`,
  )
}

const isStrict = (format: JsonFormat) => format.type === 'json_object' || format.strict
/** Cut off, filtered, refused, or nothing but calls: there is no answer that could be held against the schema. */
const isExcused = (turn: HeldTurn) =>
  isCutOff(turn.finish) ||
  turn.events.some((event) => event.type === 'refusal-start') ||
  (turn.text === '' && hasCalls(turn))

function inWords(turn: ModelTurn, format: JsonFormat): ModelTurn {
  const instructions = turn.instructions === null ? describe(format) : `${turn.instructions}\n\n${describe(format)}`
  return { ...turn, instructions, text: { ...turn.text, format: { type: 'text' } } }
}

function describe(format: JsonFormat): string {
  const rule = 'Your final answer must be JSON and nothing else: no code fence, no words before or after it.'
  if (format.type === 'json_object') return `${rule} It must be one JSON object.`
  const about = format.description ? ` (${format.description})` : ''
  return `${rule} It must be valid against the JSON Schema "${format.name}"${about}:\n${JSON.stringify(format.schema)}`
}

/** The turn as one batch. `json`: what stands in place of its text, null to leave the text alone. */
function release(turn: HeldTurn, json: string | null): ModelBatch {
  const events = json === null || json === turn.text ? turn.events : replaceText(turn.events, json)
  return [...events, turn.finish]
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
