/**
 * Tool calls of one reply. A call ends when the package says what it was, but that is only told once more follows: at
 * the end of a reply that was cut a package closes what is open as if it were whole.
 */
import type { LanguageModelV4ToolCall } from '@ai-sdk/provider'
import { ModelError, type ModelEvent, type ModelTurn } from '../model.ts'
import { createSurrogateJoiner, type SurrogateJoiner } from '../upstream/surrogates.ts'

type Call = { readonly id: string; readonly joiner: SurrogateJoiner; isEmpty: boolean; isOver: boolean; ended: boolean }

export interface CallDecoder {
  count(): number
  has(callId: string): boolean
  start(callId: string, name: string, out: ModelEvent[]): void
  delta(callId: string, delta: string, out: ModelEvent[]): void
  /** The whole call: its input counts where none was streamed. */
  whole(call: Pick<LanguageModelV4ToolCall, 'toolCallId' | 'toolName' | 'input'>, out: ModelEvent[]): void
  /** Ends the calls that are over. */
  settle(out: ModelEvent[]): void
  /** The reply is whole. Throws `ModelError` for a call that is not. */
  end(out: ModelEvent[]): void
}

export function createCallDecoder(turn: Pick<ModelTurn, 'tools'>, newId: (kind: string) => string): CallDecoder {
  const calls = new Map<string, Call>()
  const names: ReadonlySet<string> = new Set(turn.tools.map(({ name }) => name))
  let count = 0

  const start = (callId: string, name: string, out: ModelEvent[]): Call => {
    if (!names.has(name)) {
      throw malformed(`The model called '${name.slice(0, 128)}', which is not a tool of this request.`)
    }
    count++
    const call = { id: newId('call'), joiner: createSurrogateJoiner(), isEmpty: true, isOver: false, ended: false }
    calls.set(callId, call)
    out.push({ type: 'call-start', id: call.id, kind: 'function', name, callId })
    return call
  }
  const write = (call: Call, delta: string, out: ModelEvent[]) => {
    if (delta === '') return
    call.isEmpty = false
    out.push({ type: 'call-delta', id: call.id, delta })
  }
  const end = (call: Call, out: ModelEvent[]) => {
    if (call.ended) return
    call.ended = true
    write(call, call.joiner.flush(), out)
    if (call.isEmpty) write(call, '{}', out)
    out.push({ type: 'call-end', id: call.id })
  }
  const settle = (out: ModelEvent[]) => {
    for (const call of calls.values()) if (call.isOver) end(call, out)
  }

  return {
    count: () => count,
    has: (callId) => calls.has(callId),
    start: (callId, name, out) => {
      start(callId, name, out)
    },
    delta(callId, delta, out) {
      const call = calls.get(callId)
      if (!call || call.ended) throw malformed('A tool call went on that had not begun, or was over.')
      write(call, call.joiner.push(delta), out)
    },
    whole({ toolCallId, toolName, input }, out) {
      const call = calls.get(toolCallId) ?? start(toolCallId, toolName, out)
      if (call.isEmpty && !call.ended) write(call, call.joiner.push(input), out)
      call.isOver = true
    },
    settle,
    end(out) {
      settle(out)
      for (const { ended } of calls.values()) if (!ended) throw malformed('A tool call has no end.')
    },
  }
}

const malformed = (message: string) => new ModelError('malformed', message)
