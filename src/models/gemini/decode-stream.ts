/**
 * The chunks of a reply -> `ModelEvent`s. Pure state, no I/O: the same chunks give the same events however the network
 * cut them. There is no mark of the end: the reason why the model stopped is, and `finish` waits for the end of the
 * stream, because usage and citations come with it or after it.
 */
import { type FinishReason, ModelError, type ModelEvent, type ModelTurn } from '../model.ts'
import { asFields, asList, asText, type Fields, parseJson } from '../upstream/fields.ts'
import { mapErrorBody, type UpstreamErrorContext } from '../upstream/map-error.ts'
import { sanitizeMessage } from '../upstream/sanitize-message.ts'
import type { ReplyDecoder } from '../upstream/stream-upstream.ts'
import { createPartsDecoder } from './decode-parts.ts'
import { readUsage } from './decode-usage.ts'
import { readFinishReason } from './finish-reason.ts'

export type StreamDecoderOptions = {
  readonly turn: Pick<ModelTurn, 'tools' | 'topLogprobs'>
  readonly error: UpstreamErrorContext
}

type Stop = { readonly reason: string; readonly words: string | null; readonly blocked: boolean }

export function createStreamDecoder({ turn, error }: StreamDecoderOptions): ReplyDecoder {
  const parts = createPartsDecoder(turn)
  /** The latest; every chunk has one, and all but the last are in vain. */
  let counted: Fields | null = null
  let stop: Stop | null = null
  let finished = false

  const usage = () => (counted ? readUsage(counted) : null)
  const malformed = (what: string) =>
    new ModelError('malformed', `The reply of the provider '${error.provider}' could not be understood: ${what}.`)
  const readChunk = (chunk: Fields, out: ModelEvent[]) => {
    if (chunk.error) throw mapErrorBody(chunk, error)
    if (chunk.usageMetadata) counted = chunk
    const candidate = firstCandidate(chunk)
    if (candidate) parts.read(candidate, out)
    stop = readStop(chunk, candidate) ?? stop
  }
  const finish = ({ reason, words, blocked }: Stop, out: ModelEvent[]) => {
    const word = blocked ? 'content_filter' : readFinishReason(reason, parts.callCount() > 0)
    if (word === 'failed') throw gaveUp(error.provider, reason)
    parts.end(out)
    if (word === 'content_filter' && words) {
      parts.refuse(sanitizeMessage(words, error.secrets), out)
      parts.end(out)
    }
    out.push({ type: 'finish', reason: word satisfies FinishReason, rawReason: reason, usage: usage() })
    finished = true
  }

  return {
    finished: () => finished,
    usage: () => usage(),
    data(data, _event, out) {
      if (finished) return
      // A whole reply is a list of chunks where the stream was not asked for as events.
      const whole = parseJson(data)
      for (const entry of Array.isArray(whole) ? whole : [whole]) {
        const chunk = asFields(entry)
        if (!chunk) throw malformed('a chunk is not a JSON object')
        readChunk(chunk, out)
      }
    },
    end(out) {
      if (finished) return
      if (!stop) throw malformed('it ended in the middle')
      finish(stop, out)
    },
  }
}

/** What came before it may be whole, but nobody can tell. A repetition may well go better. */
const gaveUp = (provider: string, reason: string) =>
  new ModelError('unavailable', `The provider '${provider}' gave up on its reply (${reason}).`)

/** A prompt that was blocked has no candidate, and the reason stands elsewhere. */
function readStop(chunk: Fields, candidate: Fields | null): Stop | null {
  const reason = asText(candidate?.finishReason)
  if (reason && reason !== 'FINISH_REASON_UNSPECIFIED') {
    return { reason, words: asText(candidate?.finishMessage), blocked: false }
  }
  const feedback = asFields(chunk.promptFeedback)
  const block = asText(feedback?.blockReason)
  if (!block || block === 'BLOCK_REASON_UNSPECIFIED') return null
  return { reason: block, words: asText(feedback?.blockReasonMessage), blocked: true }
}

/** Candidates other than the first are alternatives nobody asked for. */
const firstCandidate = ({ candidates }: Fields): Fields | null => {
  for (const entry of asList(candidates)) {
    const candidate = asFields(entry)
    if (candidate && (candidate.index ?? 0) === 0) return candidate
  }
  return null
}
