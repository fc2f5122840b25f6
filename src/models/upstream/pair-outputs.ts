/** The outputs of tool calls, handed out where their calls are. */
import type { CustomToolCallOutput, FunctionCallOutput } from '../../protocol/items.ts'
import { ModelError, type TurnItem } from '../model.ts'

export type ToolOutput = FunctionCallOutput | CustomToolCallOutput

export interface PairedOutputs {
  /** The output of the next call with this id. Throws when there is none. */
  take(callId: string): ToolOutput
  /** Throws when an output was left whose call never came. */
  assertAllUsed(): void
}

/** Ids may repeat from turn to turn (some providers count from 0 in each): the nth output answers the nth call. */
export function pairOutputs(items: readonly TurnItem[]): PairedOutputs {
  const byCallId = new Map<string, ToolOutput[]>()
  for (const item of items) {
    if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') continue
    const queue = byCallId.get(item.call_id)
    if (queue) queue.push(item)
    else byCallId.set(item.call_id, [item])
  }
  return {
    take(callId) {
      const output = byCallId.get(callId)?.shift()
      if (!output) throw refuse(`No tool output found for function call ${callId}.`)
      return output
    },
    assertAllUsed() {
      for (const [id, queue] of byCallId) {
        if (queue.length > 0) throw refuse(`No tool call found for function call output with call_id ${id}.`)
      }
    },
  }
}

const refuse = (message: string) => new ModelError('invalid_request', message, { param: 'input' })
