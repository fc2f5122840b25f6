/**
 * Events of a run as chunks of a chat completion, framed as server-sent events.
 *
 * Invariant: the calls of a completion are counted from 0 in the order in which they open, and the first chunk of all
 * names the role. Deltas differ in what they bring alone, so what stands around them is written once per stream.
 */
import type { RunBatch, RunEvent, TerminalEvent } from '../engine/run-event.ts'
import {
  type ChatChunk,
  type ChatDelta,
  chatHead,
  type FinishReason,
  finishReasonOf,
  REASONING_GAP,
  toChatAnnotation,
  toChatLogprobs,
  toChatUsage,
  toToolCall,
} from '../protocol/chat/completion.ts'
import type { Logprob } from '../protocol/content.ts'
import type { ApiError } from '../protocol/errors.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { Padding } from './event-json.ts'
import { DONE_FRAME } from './sse-frames.ts'

export type ChatFrameOptions = {
  /** A last chunk with the usage, and `usage: null` in all others. */
  readonly includeUsage: boolean
  /** Hides how long the deltas are; null: does not. */
  readonly pad: Padding | null
}

export interface ChatFramer {
  /** Empty while there is nothing to show. */
  batch(batch: RunBatch): string
  /** The last frames of a run that ended well. */
  end(end: TerminalEvent): string
}

type Choice = ChatChunk['choices'][number]

export function createChatFramer(options: ChatFrameOptions): ChatFramer {
  const { includeUsage, pad } = options
  const deltas = createDeltaReader()
  let head = ''
  let hasRole = false
  const open = (response: ResponseObject) => {
    head = JSON.stringify({ ...chatHead(response), object: 'chat.completion.chunk' }).slice(0, -1)
  }
  const frame = (choices: string, tail: string) => `data: ${head},"choices":${choices}${tail}}\n\n`
  const choice = (delta: ChatDelta, finish: FinishReason | null, logprobs: Choice['logprobs']) => {
    const content = JSON.stringify(delta)
    const padding = pad === null || finish !== null ? '' : `,"obfuscation":"${pad(Buffer.byteLength(content))}"`
    const text = `[{"index":0,"delta":${content},"logprobs":${JSON.stringify(logprobs)},"finish_reason":${JSON.stringify(finish)}}]`
    return frame(text, (includeUsage ? ',"usage":null' : '') + padding)
  }
  const role = () => {
    if (hasRole) return ''
    hasRole = true
    return choice({ role: 'assistant', content: '', refusal: null }, null, null)
  }
  const show = (event: RunEvent): string => {
    if (event.type === 'response.created') open(event.response)
    const shown = deltas(event)
    return shown === null ? '' : role() + choice(shown.delta, null, toChatLogprobs(shown.logprobs))
  }
  const showAll = (batch: RunBatch) => {
    let text = ''
    for (const event of batch) text += show(event)
    return text
  }
  return {
    batch: showAll,
    end({ response }) {
      const last = role() + choice({}, finishReasonOf(response), null)
      const usage = response.usage === null ? null : toChatUsage(response.usage)
      return last + (includeUsage ? frame('[]', `,"usage":${JSON.stringify(usage)}`) : '') + DONE_FRAME
    },
  }
}

/** A stream that has begun can tell a failure only in its data. */
export const chatErrorFrames = (error: ApiError): string => `data: ${JSON.stringify(error.toBody())}\n\n${DONE_FRAME}`

type Shown = { readonly delta: ChatDelta; readonly logprobs: readonly Logprob[] }
const NO_LOGPROBS: readonly Logprob[] = []

/** What a chunk shows of an event; null for those that bring nothing new. */
function createDeltaReader(): (event: RunEvent) => Shown | null {
  let calls = 0
  /** Something of the model's thoughts was shown: what comes in another part stands apart. */
  let reasoningPart: string | null = null
  const plain = (delta: ChatDelta): Shown => ({ delta, logprobs: NO_LOGPROBS })
  const reasoning = (part: string, text: string) => {
    const gap = reasoningPart === null || reasoningPart === part ? '' : REASONING_GAP
    reasoningPart = part
    return plain({ reasoning_content: gap + text })
  }
  return (event) => {
    switch (event.type) {
      case 'response.output_text.delta':
        return { delta: { content: event.delta }, logprobs: event.logprobs }
      case 'response.refusal.delta':
        return plain({ refusal: event.delta })
      case 'response.reasoning_text.delta':
        return reasoning(`${event.item_id} ${event.content_index}`, event.delta)
      case 'response.reasoning_summary_text.delta':
        return reasoning(`${event.item_id} summary ${event.summary_index}`, event.delta)
      case 'response.output_item.added': {
        const call = toToolCall(event.item)
        return call === null ? null : plain({ tool_calls: [{ index: calls++, ...call }] })
      }
      case 'response.function_call_arguments.delta':
        return plain({ tool_calls: [{ index: calls - 1, function: { arguments: event.delta } }] })
      case 'response.custom_tool_call_input.delta':
        return plain({ tool_calls: [{ index: calls - 1, custom: { input: event.delta } }] })
      case 'response.output_text.annotation.added': {
        const annotation = toChatAnnotation(event.annotation)
        return annotation === null ? null : plain({ annotations: [annotation] })
      }
      default:
        return null
    }
  }
}
