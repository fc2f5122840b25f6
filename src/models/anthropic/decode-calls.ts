/** The calls of one reply, each a content block whose input comes in fragments. */
import type { ModelEvent, ToolDeclaration } from '../model.ts'
import { createCallGate } from '../upstream/call-gate.ts'
import { asFields, asText, type Fields } from '../upstream/fields.ts'
import { createSurrogateJoiner, type SurrogateJoiner } from '../upstream/surrogates.ts'

type Call = {
  readonly id: string
  readonly joiner: SurrogateJoiner
  /** Some send the whole input with the start. */
  readonly given: Fields | null
  wrote: boolean
}

export interface CallDecoder {
  count(): number
  start(index: number, block: Fields, out: ModelEvent[]): void
  /** False when no call is open at this index. */
  delta(index: number, json: string, out: ModelEvent[]): boolean
  stop(index: number, out: ModelEvent[]): void
  /** Ends those that are still open: the reply was cut off. */
  end(out: ModelEvent[]): void
}

export type CallDecoderOptions = {
  readonly tools: readonly ToolDeclaration[]
  readonly newId: () => string
}

/** Throws `ModelError` for a tool nobody offered. */
export function createCallDecoder({ tools, newId }: CallDecoderOptions): CallDecoder {
  const open = new Map<number, Call>()
  const gate = createCallGate(tools)

  const write = (call: Call, text: string, out: ModelEvent[]) => {
    if (text === '') return
    call.wrote = true
    out.push({ type: 'call-delta', id: call.id, delta: text })
  }
  /** No input at all means an empty object: what clients parse must be JSON. */
  const end = (call: Call, out: ModelEvent[]) => {
    write(call, call.joiner.flush(), out)
    if (!call.wrote) write(call, JSON.stringify(call.given ?? {}), out)
    out.push({ type: 'call-end', id: call.id })
  }

  return {
    count: () => gate.count(),
    start(index, block, out) {
      const name = asText(block.name) ?? ''
      gate.enter(name)
      const call: Call = { id: newId(), joiner: createSurrogateJoiner(), given: asFields(block.input), wrote: false }
      open.set(index, call)
      out.push({ type: 'call-start', id: call.id, kind: 'function', name, callId: asText(block.id) })
    },
    delta(index, json, out) {
      const call = open.get(index)
      if (!call) return false
      write(call, call.joiner.push(json), out)
      return true
    },
    stop(index, out) {
      const call = open.get(index)
      open.delete(index)
      if (call) end(call, out)
    },
    end(out) {
      for (const call of open.values()) end(call, out)
      open.clear()
    },
  }
}
