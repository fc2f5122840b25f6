/**
 * The events of a reply -> `ModelEvent`s. Pure state, no I/O: the same events give the same however the network cut
 * them. What came whole, because the provider does not stream, is read as if it had.
 */
import { ModelError, type ModelEvent, type ModelTurn } from '../model.ts'
import { asFields, asList, asNumber, asText, type Fields, parseJson } from '../upstream/fields.ts'
import { mapErrorBody, type UpstreamErrorContext } from '../upstream/map-error.ts'
import type { ReplyDecoder } from '../upstream/stream-upstream.ts'
import { createBlockDecoder } from './decode-blocks.ts'
import { createUsageCollector } from './decode-usage.ts'
import { readStopReason } from './stop-reason.ts'

export type StreamDecoderOptions = {
  readonly turn: Pick<ModelTurn, 'tools'>
  readonly error: UpstreamErrorContext
}

const NO_EXPLANATION = 'The model declined to answer this request.'

export function createStreamDecoder({ turn, error }: StreamDecoderOptions): ReplyDecoder {
  const blocks = createBlockDecoder(turn.tools)
  const counts = createUsageCollector()
  let stopReason: string | null = null
  let explanation: string | null = null
  let finished = false

  const malformed = (what: string) =>
    new ModelError('malformed', `The reply of the provider '${error.provider}' could not be understood: ${what}.`)
  const indexOf = (event: Fields): number => {
    const index = asNumber(event.index)
    if (index === null) throw malformed('a content block has no index')
    return index
  }
  const finish = (out: ModelEvent[]) => {
    if (stopReason === null) throw malformed('it does not say why it ended')
    blocks.end(out)
    if (stopReason === 'refusal') {
      blocks.refusal(explanation ?? NO_EXPLANATION, out)
      blocks.end(out)
    }
    const reason = readStopReason(stopReason, blocks.callCount() > 0)
    out.push({ type: 'finish', reason, rawReason: stopReason, usage: counts.usage() })
    finished = true
  }
  const readStop = (fields: Fields) => {
    stopReason = asText(fields.stop_reason) ?? stopReason
    explanation = asText(asFields(fields.stop_details)?.explanation) ?? explanation
  }
  const readWhole = (message: Fields, out: ModelEvent[]) => {
    counts.add(message.usage)
    for (const [index, entry] of asList(message.content).entries()) {
      const block = asFields(entry)
      if (!block) continue
      blocks.start(index, block, out)
      blocks.stop(index, out)
    }
    readStop(message)
    finish(out)
  }
  const read = (event: Fields, out: ModelEvent[]) => {
    switch (event.type) {
      case 'message_start':
        return counts.add(asFields(event.message)?.usage)
      case 'content_block_start':
        return blocks.start(indexOf(event), asFields(event.content_block) ?? {}, out)
      case 'content_block_delta':
        return blocks.delta(indexOf(event), asFields(event.delta) ?? {}, out)
      case 'content_block_stop':
        return blocks.stop(indexOf(event), out)
      case 'message_delta':
        counts.add(event.usage)
        return readStop(asFields(event.delta) ?? {})
      case 'message_stop':
        return finish(out)
      case 'message':
        return readWhole(event, out)
      case 'error':
        throw mapErrorBody(event, error)
      default:
        // Pings, and whatever may come to be.
        if (event.error !== undefined && event.error !== null) throw mapErrorBody(event, error)
    }
  }

  return {
    finished: () => finished,
    usage: () => counts.usage(),
    data(data, _event, out) {
      if (finished) return
      const event = asFields(parseJson(data))
      if (!event) throw malformed('an event is not a JSON object')
      read(event, out)
    },
    end(out) {
      if (finished) return
      if (stopReason === null) throw malformed('it ended in the middle')
      finish(out)
    },
  }
}
