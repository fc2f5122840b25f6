/**
 * `tool_choice: required`, or a named tool, for a model that cannot be forced to call: it is told to, in the last word
 * of the conversation, and its answer is held back until it begins a call. An answer without one gets one reminder.
 *
 * Invariant: nothing is yielded before the call is there, so a failure is still a failure before the first batch.
 */
import type { Ids } from '../lib/ids.ts'
import type { Usage } from '../protocol/response.ts'
import { addUsage } from '../protocol/usage.ts'
import { MAX_HELD_CHARS } from './hold-turn.ts'
import {
  type Model,
  type ModelBatch,
  type ModelContext,
  ModelError,
  type ModelEvent,
  type ModelTurn,
  type TurnItem,
} from './model.ts'

/** Characters of an answer without a call that the model sees again. */
const MAX_QUOTED_CHARS = 20_000

/** What was said in the place of a call. */
type Unheeded = { readonly text: string; readonly usage: Usage | null }

export function demandedCallsByPrompt(inner: Model, { ids }: { readonly ids: Ids }): Model {
  const shown = (turn: ModelTurn) => (isDemand(inner, turn) ? asked(turn, ids) : turn)
  const { tool_choice: support } = inner.fields
  return {
    capabilities: inner.capabilities,
    fields: support === 'refused' ? { ...inner.fields, tool_choice: 'emulated' } : inner.fields,
    countInputTokens: (turn, context) => inner.countInputTokens(shown(turn), context),
    notCarried: (turn) => inner.notCarried?.(shown(turn)) ?? [],
    stream: (turn, context) =>
      turn.toolChoice.mode === 'required' ? demand(inner, turn, context, ids) : inner.stream(turn, context),
  }
}

/** The model says of this turn that it cannot be forced. */
const isDemand = (inner: Model, turn: ModelTurn): boolean =>
  turn.toolChoice.mode === 'required' &&
  (inner.notCarried?.(turn).some(({ param }) => param === 'tool_choice') ?? false)

async function* demand(inner: Model, turn: ModelTurn, context: ModelContext, ids: Ids): AsyncGenerator<ModelBatch> {
  if (!isDemand(inner, turn)) return yield* inner.stream(turn, context)
  const first = yield* untilCall(inner.stream(asked(turn, ids), context), null)
  if (first === null) return
  const second = yield* untilCall(inner.stream(reminded(turn, first.text, ids), context), first)
  if (second === null) return
  throw new ModelError('malformed', 'The model did not call a tool although one was demanded, in two tries.')
}

/** Passes a stream on from its first call. Null when there was one, or when its end excuses that there was none. */
async function* untilCall(
  stream: AsyncIterable<ModelBatch>,
  earlier: Unheeded | null,
): AsyncGenerator<ModelBatch, Unheeded | null> {
  let held: ModelEvent[] = []
  let chars = 0
  let called = false
  for await (const batch of stream) {
    const events = earlier === null ? batch : batch.map((event) => withUsage(event, earlier))
    called ||= events.some(({ type }) => type === 'call-start')
    if (called && held.length === 0) {
      yield events
      continue
    }
    for (const event of events) {
      held.push(event)
      if ('delta' in event) chars += event.delta.length
    }
    if (chars > MAX_HELD_CHARS) throw new ModelError('malformed', `The answer is above ${MAX_HELD_CHARS} characters.`)
    const finish = events.findLast((event) => event.type === 'finish')
    if (!called && finish?.type === 'finish' && !isExcused(held, finish.reason)) {
      return { text: textOf(held), usage: finish.usage }
    }
    if (called || finish) {
      yield held
      held = []
      called = true
    }
  }
  return null
}

/** Cut off, filtered or refused. */
const isExcused = (events: readonly ModelEvent[], reason: string) =>
  reason === 'length' || reason === 'content_filter' || events.some(({ type }) => type === 'refusal-start')

const textOf = (events: readonly ModelEvent[]): string =>
  events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('')

/** Null when either is unknown: half a number would be taken for the whole. */
const withUsage = (event: ModelEvent, { usage }: Unheeded): ModelEvent =>
  event.type === 'finish' ? { ...event, usage: usage && event.usage ? addUsage(usage, event.usage) : null } : event

// ---- what the model is told -----------------------------------------------------------------------------------

function asked(turn: ModelTurn, ids: Ids): ModelTurn {
  return { ...withoutDemand(turn), items: [...turn.items, told(turn, ids)] }
}

function reminded(turn: ModelTurn, text: string, ids: Ids): ModelTurn {
  const said: TurnItem = {
    id: ids.next('msg'),
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text: text.slice(0, MAX_QUOTED_CHARS), annotations: [], logprobs: [] }],
  }
  const complaint = input('user', 'That was no tool call.', ids)
  // Providers refuse an empty assistant message.
  const added = text.trim() === '' ? [] : [said, complaint]
  return { ...withoutDemand(turn), items: [...turn.items, ...added, told(turn, ids)] }
}

const withoutDemand = (turn: ModelTurn): ModelTurn => ({ ...turn, toolChoice: { ...turn.toolChoice, mode: 'auto' } })

function told({ toolChoice: { allowed } }: ModelTurn, ids: Ids): TurnItem {
  const which = allowed === null ? 'one of the tools' : allowed.map((name) => `\`${name}\``).join(' or ')
  return input('developer', `Answer with a call of ${which}, without any text before it.`, ids)
}

const input = (role: 'user' | 'developer', text: string, ids: Ids): TurnItem => ({
  id: ids.next('msg'),
  type: 'message',
  status: 'completed',
  role,
  content: [{ type: 'input_text', text }],
})
