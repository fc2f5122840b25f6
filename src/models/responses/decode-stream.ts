/**
 * The events of a reply -> `ModelEvent`s. Pure state, no I/O: the same events give the same, however the network cut
 * them. Only a terminal event ends a reply.
 */
import type { Usage } from '../../protocol/response.ts'
import { type FinishReason, ModelError, type ModelEvent, type ModelTurn } from '../model.ts'
import { asFields, asList, asText, type Fields, parseJson } from '../upstream/fields.ts'
import { mapErrorBody, type UpstreamErrorContext } from '../upstream/map-error.ts'
import type { ReplyDecoder } from '../upstream/stream-upstream.ts'
import { createOutputDecoder } from './decode-output.ts'
import { readUsage } from './decode-usage.ts'
import { readFailure } from './read-failure.ts'

export type ResponsesDecoderOptions = {
  readonly turn: Pick<ModelTurn, 'tools' | 'topLogprobs' | 'hosted'>
  readonly error: UpstreamErrorContext
}

/**
 * Events that only repeat what others say, and whole Responses on the way. They are most of the bytes of a reply, and
 * are not even parsed where the stream names its events.
 */
const UNREAD: ReadonlySet<string> = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
  'response.content_part.added',
  'response.content_part.done',
  'response.output_text.done',
  'response.refusal.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_part.done',
  'response.reasoning_summary_text.done',
  'response.reasoning_text.done',
  'response.function_call_arguments.done',
  'response.custom_tool_call_input.done',
  'response.web_search_call.in_progress',
  'response.web_search_call.completed',
  'response.file_search_call.in_progress',
  'response.file_search_call.completed',
  'response.code_interpreter_call.in_progress',
  'response.code_interpreter_call_code.done',
  'response.code_interpreter_call.completed',
  'response.image_generation_call.in_progress',
  'response.image_generation_call.completed',
  'response.mcp_list_tools.in_progress',
  'response.mcp_list_tools.completed',
  'response.mcp_list_tools.failed',
  'response.mcp_call.in_progress',
  'response.mcp_call_arguments.done',
  'response.mcp_call.completed',
  'response.mcp_call.failed',
])

export function createResponsesDecoder({ turn, error }: ResponsesDecoderOptions): ReplyDecoder {
  const output = createOutputDecoder({
    tools: turn.tools,
    logprobs: turn.topLogprobs !== null,
    hosted: turn.hosted !== undefined,
  })
  let usage: Usage | null = null
  let finished = false

  const malformed = (what: string) =>
    new ModelError('malformed', `The reply of the provider '${error.provider}' could not be understood: ${what}.`)
  const finish = (response: Fields, status: string, out: ModelEvent[]) => {
    usage = readUsage(response.usage)
    if (status !== 'completed' && status !== 'incomplete') throw readFailure(response, error)
    output.end(asList(response.output), out)
    const rawReason = status === 'incomplete' ? asText(asFields(response.incomplete_details)?.reason) : null
    const reason = status === 'incomplete' ? cutShort(rawReason) : output.callCount() > 0 ? 'tool_calls' : 'stop'
    out.push({ type: 'finish', reason, rawReason: rawReason ?? status, usage })
    finished = true
  }
  const read = (type: string, event: Fields, out: ModelEvent[]) => {
    switch (type) {
      case 'response.output_text.delta':
        return output.text(event, 'text', out)
      case 'response.function_call_arguments.delta':
        return output.input(event, 'function', out)
      case 'response.custom_tool_call_input.delta':
        return output.input(event, 'custom', out)
      case 'response.reasoning_summary_text.delta':
        return output.reasoning(event, 'summary', out)
      case 'response.reasoning_text.delta':
      case 'response.reasoning.delta':
        return output.reasoning(event, 'text', out)
      case 'response.refusal.delta':
        return output.text(event, 'refusal', out)
      case 'response.output_text.annotation.added':
        return output.annotation(event, out)
      case 'response.code_interpreter_call_code.delta':
      case 'response.mcp_call_arguments.delta':
        return output.hosted(event, 'delta', out)
      case 'response.web_search_call.searching':
      case 'response.file_search_call.searching':
      case 'response.code_interpreter_call.interpreting':
      case 'response.image_generation_call.generating':
        return output.hosted(event, 'running', out)
      case 'response.image_generation_call.partial_image':
        return output.hosted(event, 'image', out)
      case 'response.output_item.added':
        return output.added(event, out)
      case 'response.output_item.done':
        return output.done(event, out)
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
        return finish(asFields(event.response) ?? {}, type.slice('response.'.length), out)
      case 'error':
        throw readFailure(event, error)
      default:
        return readUnknown(event, out)
    }
  }
  /** A whole Response instead of a stream, an error without a type, or an event of another day. */
  const readUnknown = (event: Fields, out: ModelEvent[]) => {
    if (event.object === 'response') finish(event, asText(event.status) ?? 'failed', out)
    else if (asFields(event.error) || asText(event.error)) throw mapErrorBody(event, error)
  }

  return {
    finished: () => finished,
    usage: () => usage,
    data(data, name, out) {
      if (finished || data === '[DONE]' || (name !== undefined && UNREAD.has(name))) return
      const event = asFields(parseJson(data))
      if (!event) throw malformed('an event is not a JSON object')
      read(asText(event.type) ?? name ?? '', event, out)
    },
    end() {
      if (!finished) throw malformed('it ended in the middle')
    },
  }
}

/** A reason that nobody knows yet still means that the answer is not whole. */
const cutShort = (reason: string | null): FinishReason => (reason === 'content_filter' ? 'content_filter' : 'length')
