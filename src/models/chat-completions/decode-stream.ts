/**
 * The chunks of a reply -> `ModelEvent`s. Pure state, no I/O: the same chunks give the same events however the network
 * cut them. `finish` waits for the end of the stream, because usage and late content come after the reason.
 */
import type { Usage } from '../../protocol/response.ts'
import { ModelError, type ModelEvent, type ModelTurn } from '../model.ts'
import { asFields, asList, asText, type Fields, parseJson } from '../upstream/fields.ts'
import { mapErrorBody, type UpstreamErrorContext } from '../upstream/map-error.ts'
import type { ReplyDecoder } from '../upstream/stream-upstream.ts'
import { createDeltaDecoder } from './decode-delta.ts'
import { readUsage } from './decode-usage.ts'
import { readFinishReason } from './finish-reason.ts'
import type { Quirks } from './quirks.ts'

export type StreamDecoderOptions = {
  readonly turn: Pick<ModelTurn, 'tools' | 'topLogprobs'>
  readonly quirks: Quirks
  readonly error: UpstreamErrorContext
}

export function createStreamDecoder({ turn, quirks, error }: StreamDecoderOptions): ReplyDecoder {
  const deltas = createDeltaDecoder(turn, quirks)
  let usage: Usage | null = null
  let reason: string | null = null
  let sawChoice = false
  let finished = false

  const malformed = (what: string) =>
    new ModelError('malformed', `The reply of the provider '${error.provider}' could not be understood: ${what}.`)
  const readChunk = (chunk: Fields, out: ModelEvent[]) => {
    const choice = firstChoice(chunk)
    usage = readUsage(chunk, choice) ?? usage
    if (!choice) return
    sawChoice = true
    const delta = asFields(choice.delta) ?? asFields(choice.message)
    if (delta) deltas.read(delta, choice, out)
    reason = asText(choice.finish_reason) ?? reason
  }
  const finish = (out: ModelEvent[]) => {
    if (!sawChoice) throw malformed('it held no choice')
    const word = readFinishReason(reason, deltas.callCount() > 0)
    if (word === 'failed') {
      throw new ModelError('unavailable', `The provider '${error.provider}' gave up on its reply (${reason}).`)
    }
    deltas.end(out)
    out.push({ type: 'finish', reason: word, rawReason: reason, usage })
    finished = true
  }

  return {
    finished: () => finished,
    usage: () => usage,
    data(data, event, out) {
      if (finished || data === '') return
      if (data === '[DONE]') return finish(out)
      const chunk = asFields(parseJson(data))
      if (!chunk) throw malformed('a chunk is not a JSON object')
      if (isError(chunk) || event === 'error') throw mapErrorBody(chunk, error)
      readChunk(chunk, out)
    },
    end(out) {
      if (finished) return
      if (reason === null) throw malformed('it ended in the middle')
      finish(out)
    },
  }
}

const isError = (chunk: Fields): boolean =>
  (chunk.error !== undefined && chunk.error !== null) || chunk.object === 'error'

/** Choices other than the first are alternatives nobody asked for. */
const firstChoice = ({ choices }: Fields): Fields | null => {
  for (const entry of asList(choices)) {
    const choice = asFields(entry)
    if (choice && (choice.index === undefined || choice.index === null || choice.index === 0)) return choice
  }
  return null
}
