/** The far side of the model port for tests of what wraps it: models that do what a script says. */
import type { Clock } from '../../src/lib/clock.ts'
import type {
  Model,
  ModelBatch,
  ModelCapabilities,
  ModelContext,
  ModelEvent,
  ModelTurn,
} from '../../src/models/model.ts'
import { PLAIN_TURN } from '../../src/models/plain-turn.ts'
import type { Usage } from '../../src/protocol/response.ts'
import { ALL_CAPABILITIES } from './scripted-model.ts'

/** One call: batches in order; an Error among them is thrown at its place. */
export type Script = readonly (ModelBatch | Error)[]

export interface ScriptedModel extends Model {
  /** The turns it was called with. */
  readonly calls: readonly ModelTurn[]
  /** How many of its streams were closed before their end. */
  readonly left: () => number
}

/** Plays one script per call; the last one again and again. */
export function createScriptedModel(
  scripts: readonly Script[],
  capabilities: Partial<ModelCapabilities> = {},
): ScriptedModel {
  const calls: ModelTurn[] = []
  let left = 0
  return {
    capabilities: { ...ALL_CAPABILITIES, ...capabilities },
    fields: {},
    calls,
    left: () => left,
    async countInputTokens(turn) {
      calls.push(turn)
      const failure = scripts[Math.min(calls.length, scripts.length) - 1]?.find((step) => step instanceof Error)
      if (failure instanceof Error) throw failure
      return 7
    },
    async *stream(turn) {
      calls.push(turn)
      let whole = false
      try {
        for (const step of scripts[Math.min(calls.length, scripts.length) - 1] ?? []) {
          if (step instanceof Error) throw step
          yield step
        }
        whole = true
      } catch (error) {
        whole = true
        throw error
      } finally {
        if (!whole) left += 1
      }
    },
  }
}

export const finish = (
  reason: 'stop' | 'tool_calls' | 'length' | 'content_filter' = 'stop',
  usage: Usage | null = null,
): ModelEvent => ({
  type: 'finish',
  reason,
  rawReason: null,
  usage,
})

export const textBlock = (id: string, ...deltas: readonly string[]): readonly ModelEvent[] => [
  { type: 'text-start', id },
  ...deltas.map((delta): ModelEvent => ({ type: 'text-delta', id, delta })),
  { type: 'text-end', id },
]

export const callBlock = (id: string, name: string, ...deltas: readonly string[]): readonly ModelEvent[] => [
  { type: 'call-start', id, kind: 'function', name, callId: `call_${id}` },
  ...deltas.map((delta): ModelEvent => ({ type: 'call-delta', id, delta })),
  { type: 'call-end', id },
]

export const usage = (input: number, output: number): Usage => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input + output,
})

export const openContext = (signal: AbortSignal = new AbortController().signal): ModelContext => ({ signal })

/** All events, and what the stream threw. */
export async function collect(model: Model, turn: ModelTurn = PLAIN_TURN, context: ModelContext = openContext()) {
  const events: ModelEvent[] = []
  try {
    for await (const batch of model.stream(turn, context)) events.push(...batch)
    return { events, error: null }
  } catch (error) {
    return { events, error }
  }
}

export interface ManualClock extends Clock {
  advance(ms: number): void
  /** The delays that were asked for, in order. */
  readonly delays: readonly number[]
}

/** Time that moves only by `advance`; with `eager` every timer fires at once and moves the time by itself. */
export function createManualClock(eager = false): ManualClock {
  let time = 0
  let timers: { readonly at: number; readonly fn: () => void }[] = []
  const delays: number[] = []
  const advance = (ms: number) => {
    time += ms
    const due = timers.filter(({ at }) => at <= time)
    timers = timers.filter(({ at }) => at > time)
    for (const { fn } of due) fn()
  }
  return {
    now: () => 1_700_000_000_000 + time,
    monotonic: () => time,
    delays,
    advance,
    after(ms, fn) {
      delays.push(ms)
      const timer = { at: time + ms, fn }
      timers.push(timer)
      if (eager) queueMicrotask(() => advance(timers.includes(timer) ? ms : 0))
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  }
}
