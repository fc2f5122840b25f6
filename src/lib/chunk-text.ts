/**
 * Cuts a text into chunks of so many tokens that overlap by so many.
 *
 * Invariants:
 * - No chunk has more than `maxTokens`, and none begins or ends within a character.
 * - Chunks are in order, each begins after the one before it, and together they cover the text without a gap.
 * - Where a paragraph, a line, a sentence or a word ends in the last quarter of a chunk, the chunk ends there.
 */
import type { TokenPiece } from './tokenizer.ts'

export type ChunkSizes = { readonly maxTokens: number; readonly overlapTokens: number }

/** Of the text in UTF-16 units. */
export type TextRange = { readonly start: number; readonly end: number }

/** How good a place to cut is, by what stands before it; the first that fits counts. */
const ENDS = [/\n\s*\n\s*$/, /\n\s*$/, /[.!?。！？]["'”’)\]]*\s*$/, /[;:,、，]\s*$/, /\s$/] as const
const LOOKED_BACK = 64

/** `pieces`: the text, cut at its tokens (`Tokenizer.pieces`). */
export function chunkText(pieces: readonly TokenPiece[], { maxTokens, overlapTokens }: ChunkSizes): TextRange[] {
  const starts = startsOf(pieces)
  const chunks: TextRange[] = []
  for (let from = 0; from < pieces.length; ) {
    const hardEnd = takeTokens(pieces, from, maxTokens)
    const end = hardEnd === pieces.length ? hardEnd : bestEnd(pieces, from, hardEnd)
    chunks.push({ start: starts[from] ?? 0, end: starts[end] ?? 0 })
    if (end === pieces.length) break
    from = Math.max(from + 1, backTokens(pieces, end, overlapTokens))
  }
  return chunks
}

/** Where each piece begins; at the end the length of the text. */
function startsOf(pieces: readonly TokenPiece[]): number[] {
  const starts = [0]
  for (const { text } of pieces) starts.push((starts.at(-1) ?? 0) + text.length)
  return starts
}

/** The piece before which the tokens are used up; at least one piece is taken. */
function takeTokens(pieces: readonly TokenPiece[], from: number, tokens: number): number {
  let left = tokens
  let at = from
  for (; at < pieces.length; at++) {
    left -= pieces[at]?.tokens ?? 0
    if (left < 0) break
  }
  return Math.max(at, from + 1)
}

function backTokens(pieces: readonly TokenPiece[], end: number, tokens: number): number {
  let left = tokens
  let at = end
  for (; at > 0; at--) {
    left -= pieces[at - 1]?.tokens ?? 0
    if (left < 0) break
  }
  return at
}

function bestEnd(pieces: readonly TokenPiece[], from: number, hardEnd: number): number {
  const earliest = from + Math.ceil((hardEnd - from) * 0.75)
  let best: { readonly end: number; readonly rank: number } = { end: hardEnd, rank: ENDS.length }
  for (let end = hardEnd; end > earliest && best.rank > 0; end--) {
    const rank = rankOf(textBefore(pieces, end))
    if (rank < best.rank) best = { end, rank }
  }
  // A word begins with the space before it, so a cut at a word stands before that.
  if (best.rank < ENDS.length) return best.end
  for (let end = hardEnd; end > earliest; end--) if (/^\s/.test(pieces[end]?.text ?? '')) return end
  return hardEnd
}

const rankOf = (text: string): number => {
  const rank = ENDS.findIndex((pattern) => pattern.test(text))
  return rank === -1 ? ENDS.length : rank
}

/** Enough of what stands before a place to see what ends there. */
function textBefore(pieces: readonly TokenPiece[], end: number): string {
  let text = ''
  for (let at = end - 1; at >= 0 && text.length < 4; at--) text = (pieces[at]?.text ?? '') + text
  return text.slice(-LOOKED_BACK)
}
