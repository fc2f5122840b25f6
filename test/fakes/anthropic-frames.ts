/** An answer as the events of the wire, in the order and with the gaps the real API has them. */
import type { AnthropicAnswer } from './anthropic-answer.ts'
import type { Json } from './chat-validate.ts'

export const frame = (event: Json): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

export type ReplyHead = { readonly id: string; readonly model: string; readonly usage: Json }

export const toMessage = ({ id, model, usage }: ReplyHead, answer: AnthropicAnswer): Json => ({
  id,
  type: 'message',
  role: 'assistant',
  model,
  content: answer.blocks,
  stop_reason: answer.stopReason,
  stop_sequence: null,
  ...(answer.stopDetails && { stop_details: answer.stopDetails }),
  usage: { ...usage, output_tokens: answer.outputTokens },
})

export function toFrames(head: ReplyHead, answer: AnthropicAnswer): readonly string[] {
  const { id, model, usage } = head
  const message = { id, type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null }
  const { stopReason: stop_reason, stopDetails, outputTokens: output_tokens, thinkingTokens } = answer
  return [
    frame({ type: 'message_start', message: { ...message, usage: { ...usage, output_tokens: 1 } } }),
    frame({ type: 'ping' }),
    ...answer.blocks.flatMap((block, index) => blockFrames(block, index)),
    frame({
      type: 'message_delta',
      delta: { stop_reason, stop_sequence: null, ...(stopDetails && { stop_details: stopDetails }) },
      usage: { output_tokens, output_tokens_details: { thinking_tokens: thinkingTokens } },
    }),
    frame({ type: 'message_stop' }),
  ]
}

function blockFrames(block: Json, index: number): readonly string[] {
  const { start, deltas } = piecesOf(block)
  return [
    frame({ type: 'content_block_start', index, content_block: start }),
    ...deltas.map((delta) => frame({ type: 'content_block_delta', index, delta })),
    frame({ type: 'content_block_stop', index }),
  ]
}

function piecesOf(block: Json): { readonly start: Json; readonly deltas: readonly Json[] } {
  switch (block.type) {
    case 'text':
      return {
        start: { type: 'text', text: '' },
        deltas: [
          ...inPieces(String(block.text)).map((text) => ({ type: 'text_delta', text })),
          ...(Array.isArray(block.citations) ? block.citations : []).map((citation) => ({
            type: 'citations_delta',
            citation,
          })),
        ],
      }
    case 'thinking':
      return {
        start: { type: 'thinking', thinking: '', signature: '' },
        deltas: [
          ...inPieces(String(block.thinking)).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block.signature },
        ],
      }
    case 'tool_use':
      return {
        start: { ...block, input: {} },
        deltas: inPieces(JSON.stringify(block.input)).map((partial_json) => ({
          type: 'input_json_delta',
          partial_json,
        })),
      }
    default:
      return { start: block, deltas: [] }
  }
}

const inPieces = (text: string): readonly string[] => text.match(/[\s\S]{1,9}/gu) ?? []
