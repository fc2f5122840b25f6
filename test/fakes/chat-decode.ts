/** Chunks as vendors send them, decoded without a network, and what came of them in a form that is easy to compare. */
import { createStreamDecoder } from '../../src/models/chat-completions/decode-stream.ts'
import { type Quirks, withQuirks } from '../../src/models/chat-completions/quirks.ts'
import type { ModelEvent } from '../../src/models/model.ts'
import { assertModelEvents } from '../../src/models/model-run.contract.ts'
import { fixtureTurn } from './chat-fixtures.ts'

export type Json = Record<string, unknown>
export const delta = (fields: Json, more: Json = {}): Json => ({
  choices: [{ index: 0, delta: fields, finish_reason: null, ...more }],
})
export const stop = (reason = 'stop', more: Json = {}): Json => ({
  choices: [{ index: 0, delta: {}, finish_reason: reason }],
  ...more,
})
export const calls = (...entries: Json[]): Json => delta({ tool_calls: entries })

export function decode(
  chunks: readonly (Json | string)[],
  quirks: Partial<Quirks> = {},
  out: ModelEvent[] = [],
): ModelEvent[] {
  const turn = fixtureTurn({ logprobs: true })
  const decoder = createStreamDecoder({
    turn,
    quirks: withQuirks(quirks),
    error: { provider: 'p', model: 'm', secrets: ['key-1'], params: {} },
  })
  for (const chunk of chunks) decoder.data(typeof chunk === 'string' ? chunk : JSON.stringify(chunk), undefined, out)
  decoder.end(out)
  return out
}

/** A reply in short: what was said, thought and called, in order. */
export function brief(events: readonly ModelEvent[]): readonly string[] {
  assertModelEvents(events)
  const lines = new Map<string, string>()
  for (const event of events) {
    if (event.type === 'finish') lines.set('finish', `finish ${event.reason}`)
    else if (event.type === 'call-start') lines.set(event.id, `${event.kind} ${event.name}#${event.callId} `)
    else if (event.type === 'text-start') lines.set(event.id, 'text ')
    else if (event.type === 'refusal-start') lines.set(event.id, 'refusal ')
    else if (event.type === 'reasoning-start') lines.set(event.id, 'reasoning ')
    else if (event.type === 'reasoning-delta' && event.kind === 'summary') {
      lines.set(event.id, `${lines.get(event.id)}[${event.part}]${event.delta}`)
    } else if ('delta' in event) lines.set(event.id, lines.get(event.id) + event.delta)
    else if (event.type === 'reasoning-end' && event.state) lines.set(event.id, `${lines.get(event.id)} + state`)
  }
  return [...lines.values()]
}

export const whole = (name: string, args: unknown, more: Json = {}): Json => ({
  type: 'function',
  function: { name, arguments: args },
  ...more,
})
