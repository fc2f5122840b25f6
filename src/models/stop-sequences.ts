/**
 * Stop sequences for a provider that takes none: the text is cut exactly in front of the first sequence, also when it
 * comes in pieces, and the rest of the answer is neither shown nor waited for.
 *
 * Invariant: what could be the beginning of a sequence is held back until it is known to be one or not.
 */
import type { Logprob } from '../protocol/content.ts'
import type { Model, ModelBatch, ModelContext, ModelEvent, ModelTurn } from './model.ts'
import { withoutField } from './turn-fields.ts'

type TextDelta = Extract<ModelEvent, { type: 'text-delta' }>

export function stopSequences(inner: Model): Model {
  const without = (turn: ModelTurn) => withoutField('stop', turn)
  return {
    capabilities: inner.capabilities,
    fields: { ...inner.fields, stop: 'emulated' },
    countInputTokens: (turn, context) => inner.countInputTokens(without(turn), context),
    notCarried: (turn) => inner.notCarried?.(without(turn)) ?? [],
    stream(turn, context) {
      const sequences = (turn.stop ?? []).filter((sequence) => sequence !== '')
      if (sequences.length === 0) return inner.stream(turn, context)
      return cutStream(inner, without(turn), { sequences, context })
    },
  }
}

type Cutting = { readonly sequences: readonly string[]; readonly context: ModelContext }

async function* cutStream(inner: Model, turn: ModelTurn, { sequences, context }: Cutting): AsyncGenerator<ModelBatch> {
  const cutter = createStreamCutter(sequences)
  // Leaving the loop closes the provider's connection: nobody pays for what nobody will see.
  for await (const batch of inner.stream(turn, context)) {
    const out: ModelEvent[] = []
    for (const event of batch) {
      out.push(...cutter.read(event))
      if (cutter.isOver()) return yield [...out, CUT]
    }
    if (out.length > 0) yield out
  }
}

const CUT: ModelEvent = { type: 'finish', reason: 'stop', rawReason: 'stop_sequence', usage: null }

function createStreamCutter(sequences: readonly string[]) {
  const cutters = new Map<string, TextCutter>()
  /** Blocks that have begun and not ended, with their ends: they end where the text is cut. */
  const open = new Map<string, ModelEvent>()
  /** Items of tools at work where the model is; only their provider can end them, so they are waited for. */
  const hosted = new Set<string>()
  let isCut = false

  const readText = (event: ModelEvent): readonly ModelEvent[] => {
    if (event.type === 'text-start') cutters.set(event.id, createTextCutter(event.id, sequences))
    const cutter = 'id' in event ? cutters.get(event.id) : undefined
    const out = cutter === undefined ? [event] : cutText(event, cutter)
    noteBlock(event, open)
    isCut = cutter?.isCut() ?? false
    return isCut ? [...out, ...open.values()] : out
  }
  return {
    isOver: () => isCut && hosted.size === 0,
    read(event: ModelEvent): readonly ModelEvent[] {
      const isHosted = 'id' in event && hosted.has(event.id)
      if (isCut && !isHosted) return []
      if (event.type === 'hosted-start') hosted.add(event.id)
      if (event.type === 'hosted-end') hosted.delete(event.id)
      return isCut ? [event] : readText(event)
    },
  }
}

function cutText(event: ModelEvent, cutter: TextCutter): readonly ModelEvent[] {
  if (event.type === 'text-delta') return cutter.push(event)
  return event.type === 'text-end' ? [...cutter.flush(), event] : [event]
}

function noteBlock(event: ModelEvent, open: Map<string, ModelEvent>): void {
  switch (event.type) {
    case 'text-start':
      open.set(event.id, { type: 'text-end', id: event.id })
      return
    case 'refusal-start':
      open.set(event.id, { type: 'refusal-end', id: event.id })
      return
    case 'reasoning-start':
      open.set(event.id, { type: 'reasoning-end', id: event.id })
      return
    case 'call-start':
      open.set(event.id, { type: 'call-end', id: event.id })
      return
    case 'text-end':
    case 'refusal-end':
    case 'reasoning-end':
    case 'call-end':
      open.delete(event.id)
  }
}

export interface TextCutter {
  /** What may be shown now. */
  push(event: TextDelta): readonly TextDelta[]
  /** What was held back, at the end of the block. */
  flush(): readonly TextDelta[]
  isCut(): boolean
}

/** Of one text block. */
export function createTextCutter(id: string, sequences: readonly string[]): TextCutter {
  let held: TextDelta[] = []
  let cut = false
  const release = (length: number, whole: boolean): readonly TextDelta[] => {
    const { before, after } = splitDeltas(held, length, { id, whole })
    held = [...after]
    return before
  }
  return {
    isCut: () => cut,
    push(event) {
      held.push(event)
      const text = held.map(({ delta }) => delta).join('')
      const at = firstIndex(text, sequences)
      cut = at !== -1
      return cut ? release(at, true) : release(text.length - heldLength(text, sequences), false)
    },
    flush: () => release(Number.POSITIVE_INFINITY, true),
  }
}

function firstIndex(text: string, sequences: readonly string[]): number {
  const found = sequences.map((sequence) => text.indexOf(sequence)).filter((at) => at !== -1)
  return found.length === 0 ? -1 : Math.min(...found)
}

/** The longest end of the text that begins a sequence. */
function heldLength(text: string, sequences: readonly string[]): number {
  const longest = Math.max(...sequences.map(({ length }) => length)) - 1
  for (let length = Math.min(longest, text.length); length > 0; length -= 1) {
    if (sequences.some((sequence) => sequence.startsWith(text.slice(text.length - length)))) return length
  }
  return 0
}

/**
 * The first `length` characters, and the rest. A delta with log probabilities is only split when its text is `whole`:
 * its tokens before the cut stay, while one that goes on would otherwise come apart from its tokens. Nor does a
 * character come apart.
 */
function splitDeltas(
  deltas: readonly TextDelta[],
  length: number,
  { id, whole }: { readonly id: string; readonly whole: boolean },
) {
  const before: TextDelta[] = []
  let room = length
  for (const [index, event] of deltas.entries()) {
    if (event.delta.length <= room) {
      before.push(event)
      room -= event.delta.length
      continue
    }
    const at = endsInHalf(event.delta.slice(0, room)) ? room - 1 : room
    if (at <= 0 || (event.logprobs && !whole)) return { before, after: deltas.slice(index) }
    const head = event.delta.slice(0, at)
    before.push({
      type: 'text-delta',
      id,
      delta: head,
      ...(event.logprobs && { logprobs: within(event.logprobs, head) }),
    })
    const rest: TextDelta = { type: 'text-delta', id, delta: event.delta.slice(at) }
    return { before, after: [rest, ...deltas.slice(index + 1)] }
  }
  return { before, after: [] }
}

const endsInHalf = (text: string) => (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800

/** The tokens that lie before the cut as a whole. */
function within(logprobs: readonly Logprob[], head: string): readonly Logprob[] {
  let length = 0
  return logprobs.filter(({ token }) => {
    length += token.length
    return length <= head.length
  })
}
