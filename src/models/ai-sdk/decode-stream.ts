/**
 * The parts of a package's stream -> `ModelEvent`s. Pure state, no I/O.
 *
 * Invariant: what only closes (`text-end`, `tool-call`, ...) is written when more follows or the reply is whole, because
 * packages close what is open also where a reply was cut.
 */
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider'
import type { Usage } from '../../protocol/response.ts'
import { type FinishReason, ModelError, type ModelEvent, type ModelTurn } from '../model.ts'
import { createBlockWriter } from '../upstream/blocks.ts'
import type { UpstreamErrorContext } from '../upstream/map-error.ts'
import { createCallDecoder } from './decode-calls.ts'
import { readSource } from './decode-citations.ts'
import { createReasoningDecoder } from './decode-reasoning.ts'
import { readUsage } from './decode-usage.ts'
import type { Dialect } from './dialect.ts'
import { mapFailure } from './map-failure.ts'
import { createRawReader } from './raw-chunks.ts'

export type PartDecoderOptions = {
  readonly turn: Pick<ModelTurn, 'tools' | 'topLogprobs'>
  readonly dialect: Dialect
  readonly error: UpstreamErrorContext
  /** Milliseconds since the epoch, for errors that name a date. */
  readonly now: () => number
}

export interface PartDecoder {
  finished(): boolean
  usage(): Usage | null
  /** Throws `ModelError`. */
  part(part: LanguageModelV4StreamPart, out: ModelEvent[]): void
  /** The stream is over. Throws `ModelError` when it ended in the middle. */
  end(): void
}

type Finish = Extract<LanguageModelV4StreamPart, { type: 'finish' }>

export function createPartDecoder({ turn, dialect, error, now }: PartDecoderOptions): PartDecoder {
  const blocks = createBlockWriter()
  const calls = createCallDecoder(turn, blocks.newId)
  const reasoning = createReasoningDecoder(blocks, dialect)
  const raw = createRawReader({ logprobs: turn.topLogprobs !== null })
  const hosted = new Set<string>()
  let usage: Usage | null = null
  let refused = false
  let finished = false

  const failed = (kind: 'malformed' | 'unavailable', what: string) =>
    new ModelError(kind, `The reply of the provider '${error.provider}' ${what}.`)
  const settle = (out: ModelEvent[]) => {
    calls.settle(out)
    reasoning.settle(out)
  }
  const writeText = (delta: string, out: ModelEvent[]) => {
    settle(out)
    if (raw.isRefusal(delta)) {
      refused = true
      blocks.refusal(delta, out)
    } else {
      const logprobs = raw.takeLogprobs()
      if (delta !== '' || logprobs.length > 0) blocks.text(delta, logprobs, out)
    }
  }
  /** Before a call: it stands beside what was said, not inside. */
  const beginCall = (out: ModelEvent[]) => {
    settle(out)
    blocks.close(out)
  }
  const finish = ({ finishReason, usage: reported }: Finish, out: ModelEvent[]) => {
    usage = readUsage(reported)
    const reason = readReason(finishReason, { hasCalls: calls.count() > 0, refused })
    if (reason === 'cut') throw failed('malformed', 'could not be understood: it ended in the middle')
    if (reason === 'failed') throw failed('unavailable', 'was given up')
    calls.end(out)
    reasoning.settle(out)
    blocks.close(out)
    reasoning.finish(out)
    out.push({ type: 'finish', reason, rawReason: finishReason.raw ?? null, usage })
    finished = true
  }

  const read = (part: LanguageModelV4StreamPart, out: ModelEvent[]) => {
    switch (part.type) {
      case 'text-start':
        settle(out)
        blocks.close(out)
        return reasoning.ofText(part.providerMetadata)
      case 'text-delta':
        reasoning.ofText(part.providerMetadata)
        return writeText(part.delta, out)
      case 'text-end':
        for (const { source, startIndex, endIndex } of part.citations ?? []) {
          for (const annotation of readSource(source, startIndex, endIndex)) blocks.annotate(annotation, out)
        }
        return reasoning.ofText(part.providerMetadata)
      case 'reasoning-start':
        calls.settle(out)
        return reasoning.start(part.providerMetadata, out)
      case 'reasoning-delta':
        calls.settle(out)
        return reasoning.delta(part.delta, part.providerMetadata, out)
      case 'reasoning-end':
        return reasoning.end(part.providerMetadata)
      case 'tool-input-start':
        if (part.providerExecuted) return void hosted.add(part.id)
        beginCall(out)
        reasoning.ofCall(part.id, part.providerMetadata)
        return calls.start(part.id, part.toolName, out)
      case 'tool-input-delta':
        return hosted.has(part.id) ? undefined : calls.delta(part.id, part.delta, out)
      case 'tool-call':
        if (part.providerExecuted) return
        if (!calls.has(part.toolCallId)) beginCall(out)
        reasoning.ofCall(part.toolCallId, part.providerMetadata)
        return calls.whole(part, out)
      case 'source': {
        const { start, end } = raw.rangeOf(part.sourceType === 'url' ? part.url : '')
        for (const annotation of readSource(part, start, end)) blocks.annotate(annotation, out)
        return
      }
      case 'raw':
        calls.settle(out)
        return raw.read(part.rawValue)
      case 'file':
      case 'reasoning-file':
        throw failed('malformed', 'holds a file, which has no place in an answer of this kind')
      case 'error':
        throw mapFailure(part.error, { ...error, packageName: dialect.packageName, nowMs: now() })
      case 'finish':
        return finish(part, out)
      default:
        // What announces, and what a newer package may add beside the answer.
        return
    }
  }

  return {
    finished: () => finished,
    usage: () => usage,
    part(part, out) {
      if (!finished) read(part, out)
    },
    end() {
      if (!finished) throw failed('malformed', 'could not be understood: it ended in the middle')
    },
  }
}

/** Many providers say `stop` after calls and some say `tool_calls` without any, so the calls decide between those two. */
function readReason(
  { unified, raw }: Finish['finishReason'],
  { hasCalls, refused }: { readonly hasCalls: boolean; readonly refused: boolean },
): FinishReason | 'cut' | 'failed' {
  const stopped = hasCalls ? 'tool_calls' : 'stop'
  switch (unified) {
    case 'length':
      return 'length'
    case 'content-filter':
      // A refusal is an answer; some packages call it a filter.
      return refused && raw === 'stop' ? stopped : 'content_filter'
    case 'error':
      return 'failed'
    case 'interrupted':
      return 'cut'
    case 'other':
      return raw === undefined ? 'cut' : stopped
    default:
      return stopped
  }
}
