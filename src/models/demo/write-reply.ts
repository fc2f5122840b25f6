/** A planned reply as model events, one token at a time, within a token limit. */
import type { Tokenizer, TokenPiece } from '../../lib/tokenizer.ts'
import { type FinishReason, ModelError, type ModelEvent } from '../model.ts'
import { toReasoningState } from './conversation.ts'
import { toLogprob } from './logprobs.ts'
import type { Reply, ReplyBlock } from './plan-reply.ts'

export type WriteOptions = {
  readonly tokenizer: Tokenizer
  /** Output tokens, reasoning included. */
  readonly maxTokens: number
  /** Null: none. */
  readonly topLogprobs: number | null
  readonly newCallId: () => string | null
}

/** Counted up while writing, so that an aborted reply knows what it cost. */
export type Written = { output: number; reasoning: number; words: number }

export type Ending = { readonly reason: FinishReason; readonly rawReason: string }

/** Yields single events; the return value says how it ended. Throws when the reply is to break off. */
export function* writeReply(reply: Reply, written: Written, options: WriteOptions): Generator<ModelEvent, Ending> {
  for (const [index, block] of reply.blocks.entries()) {
    const isWhole = yield* writeBlock(block, `${block.type}-${index}`, { reply, written, options })
    if (!isWhole) {
      // What did not fit is paid for up to the limit: the last character may have needed more tokens than were left.
      written.output = options.maxTokens
      return { reason: 'length', rawReason: 'max_output_tokens' }
    }
  }
  return reply
}

type Writing = { readonly reply: Reply; readonly written: Written; readonly options: WriteOptions }

function* writeBlock(block: ReplyBlock, id: string, writing: Writing): Generator<ModelEvent, boolean> {
  const { written, options } = writing
  if (block.type === 'call') {
    const nameTokens = options.tokenizer.count(block.name)
    if (written.output + nameTokens > options.maxTokens) return false
    written.output += nameTokens
    yield { type: 'call-start', id, kind: block.kind, name: block.name, callId: options.newCallId() }
  } else {
    if (written.output >= options.maxTokens) return false
    yield { type: `${block.type}-start`, id }
  }
  const pieces = options.tokenizer.pieces(block.text)
  const fitting = fit(pieces, options.maxTokens - written.output)
  for (const [position, piece] of fitting.entries()) {
    written.output += piece.tokens
    if (block.type === 'reasoning') written.reasoning += piece.tokens
    else breakOff(piece, writing)
    yield toDelta(block, { id, piece, position, topLogprobs: options.topLogprobs })
  }
  const isWhole = fitting.length === pieces.length
  if (block.type !== 'reasoning') {
    yield { type: `${block.type}-end`, id }
    return isWhole
  }
  if (isWhole) yield* writeSummary(block.summary, id, options.tokenizer)
  yield { type: 'reasoning-end', id, state: toReasoningState(fitting.map(({ text }) => text).join('')) }
  return isWhole
}

function fit(pieces: readonly TokenPiece[], room: number): readonly TokenPiece[] {
  let used = 0
  const end = pieces.findIndex(({ tokens }) => {
    used += tokens
    return used > room
  })
  return end < 0 ? pieces : pieces.slice(0, end)
}

/** Before the piece that would begin one word too many. */
function breakOff(piece: TokenPiece, { reply, written }: Writing): void {
  if (reply.breakAfterWords === null) return
  if (/\S/.test(piece.text) && (written.words === 0 || /^\s/.test(piece.text))) written.words++
  if (written.words <= reply.breakAfterWords) return
  const words = reply.breakAfterWords === 1 ? 'word' : 'words'
  const message = `The demo model broke off after ${reply.breakAfterWords} ${words}, as asked.`
  throw new ModelError('connection', message, { provider: 'demo' })
}

type Delta = {
  readonly id: string
  readonly piece: TokenPiece
  readonly position: number
  readonly topLogprobs: number | null
}

function toDelta(block: ReplyBlock, { id, piece, position, topLogprobs }: Delta): ModelEvent {
  const delta = piece.text
  if (block.type === 'reasoning') return { type: 'reasoning-delta', id, kind: 'text', part: 0, delta }
  if (block.type !== 'text' || topLogprobs === null) return { type: `${block.type}-delta`, id, delta }
  return { type: 'text-delta', id, delta, logprobs: [toLogprob(delta, position, topLogprobs)] }
}

/** Summaries are written by the provider about the reasoning: they cost no tokens. */
function* writeSummary(parts: readonly string[], id: string, tokenizer: Tokenizer): Generator<ModelEvent> {
  for (const [part, text] of parts.entries()) {
    for (const piece of tokenizer.pieces(text)) {
      yield { type: 'reasoning-delta', id, kind: 'summary', part, delta: piece.text }
    }
  }
}
