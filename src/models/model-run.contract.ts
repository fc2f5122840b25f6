/** For tests of models: a call read to its end, and the grammar its events must keep. */
import assert from 'node:assert/strict'
import { isHostedItem } from '../protocol/hosted-items.ts'
import type { Model, ModelAttempt, ModelCall, ModelEvent, ModelTurn } from './model.ts'

export type ModelRun = {
  readonly events: readonly ModelEvent[]
  readonly batches: number
  /** What the stream threw; null when it ended. */
  readonly error: unknown
  readonly attempts: readonly ModelAttempt[]
  /** What was told before and after each upstream call, in order. */
  readonly told: readonly string[]
}

/** Reads a call to its end, whichever that is. */
export async function runModel(
  model: Model,
  turn: ModelTurn,
  signal = new AbortController().signal,
): Promise<ModelRun> {
  const events: ModelEvent[] = []
  const attempts: ModelAttempt[] = []
  const told: string[] = []
  const tell = (what: string, { provider, model: name }: ModelCall) => told.push(`${what} ${provider}/${name}`)
  const context = {
    signal,
    onCall: (call: ModelCall) => tell('call', call),
    onAttempt(attempt: ModelAttempt) {
      tell('end', attempt)
      attempts.push(attempt)
    },
  }
  let batches = 0
  try {
    for await (const batch of model.stream(turn, context)) {
      batches++
      events.push(...batch)
    }
    return { events, batches, error: null, attempts, told }
  } catch (error) {
    return { events, batches, error, attempts, told }
  }
}

/** The grammar of a whole reply. Throws what is wrong with it. */
export function assertModelEvents(events: readonly ModelEvent[]): void {
  const open = new Map<string, { kind: string; part: number }>()
  const seen = new Set<string>()
  for (const [index, event] of events.entries()) {
    if (event.type === 'finish') {
      assert.equal(index, events.length - 1, 'finish is not last')
      assert.equal(open.size, 0, `finish while blocks are open: ${[...open.keys()]}`)
      continue
    }
    const kind = kindOf(event)
    const block = open.get(event.id)
    if (event.type.endsWith('-start')) {
      assert.ok(!seen.has(event.id), `block ${event.id} starts twice`)
      seen.add(event.id)
      open.set(event.id, { kind, part: 0 })
      continue
    }
    assert.ok(block, `${event.type} outside of block ${event.id}`)
    const isOfHosted = event.type.startsWith('hosted-') && isHostedItem({ type: block.kind })
    assert.ok(
      isOfHosted ? !('item' in event) || block.kind === kind : block.kind === kind,
      `${event.type} in a ${block.kind} block`,
    )
    if (event.type.endsWith('-end')) open.delete(event.id)
    if (event.type === 'reasoning-delta') {
      assert.ok(event.part >= block.part, 'the part of a reasoning delta went back')
      block.part = event.part
    }
    if ('delta' in event) assert.ok(event.delta.isWellFormed(), 'a delta holds half a character')
  }
  assert.equal(events.at(-1)?.type, 'finish', 'finish is missing')
}

/** Of the block it belongs to; hosted items keep their type from start to end. */
const kindOf = (event: Exclude<ModelEvent, { type: 'finish' }>): string => {
  if (event.type === 'hosted-start' || event.type === 'hosted-end') return event.item.type
  return event.type === 'annotation' ? 'text' : event.type.slice(0, event.type.indexOf('-'))
}

/** Adjacent deltas of one block as one: how they were cut means nothing. */
export function mergeDeltas(events: readonly ModelEvent[]): readonly ModelEvent[] {
  const merged: ModelEvent[] = []
  for (const event of events) {
    const last = merged.at(-1)
    const joined = last && join(last, event)
    if (joined) merged[merged.length - 1] = joined
    else merged.push(event)
  }
  return merged
}

function join(last: ModelEvent, event: ModelEvent): ModelEvent | null {
  if (last.type === 'text-delta' && event.type === 'text-delta' && last.id === event.id) {
    const logprobs = [...(last.logprobs ?? []), ...(event.logprobs ?? [])]
    return { ...last, delta: last.delta + event.delta, ...(logprobs.length > 0 ? { logprobs } : {}) }
  }
  if (last.type === 'reasoning-delta' && event.type === 'reasoning-delta') {
    const same = last.id === event.id && last.kind === event.kind && last.part === event.part
    return same ? { ...last, delta: last.delta + event.delta } : null
  }
  if (last.type === 'call-delta' && event.type === 'call-delta' && last.id === event.id) {
    return { ...last, delta: last.delta + event.delta }
  }
  if (last.type === 'hosted-delta' && event.type === 'hosted-delta' && last.id === event.id) {
    return { ...last, delta: last.delta + event.delta }
  }
  if (last.type === 'refusal-delta' && event.type === 'refusal-delta' && last.id === event.id) {
    return { ...last, delta: last.delta + event.delta }
  }
  return null
}

/** One entry per character of a delta, ids by their order: two runs compare whatever their batches and ids. */
export function flattenEvents(events: readonly ModelEvent[]): readonly string[] {
  const ids = new Map<string, number>()
  return events.flatMap((event) => {
    if (event.type === 'finish') return ['finish']
    const id = ids.get(event.id) ?? ids.size
    ids.set(event.id, id)
    if (!('delta' in event)) return [JSON.stringify({ ...event, id })]
    const { delta, ...rest } = event
    const head = JSON.stringify({ ...rest, id, logprobs: undefined })
    return [...delta].map((character) => head + character)
  })
}
