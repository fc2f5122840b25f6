/**
 * The parts of a candidate -> events, in their order.
 *
 * A signature travels as the state of a reasoning block beside its part (see thought-state): before a call, or before
 * a text that begins with it; behind the text when the text had begun.
 */
import type { Logprob } from '../../protocol/content.ts'
import type { ModelEvent, ModelTurn } from '../model.ts'
import { createBlockWriter } from '../upstream/blocks.ts'
import { asFields, asList, asText, type Fields, isFields } from '../upstream/fields.ts'
import { createCallDecoder } from './decode-calls.ts'
import { type Citation, readCitations, toAnnotations } from './decode-citations.ts'
import { readLogprobs } from './decode-logprobs.ts'
import { packThoughtState, type SignedText, type ThoughtState } from './thought-state.ts'

export interface PartsDecoder {
  callCount(): number
  read(candidate: Fields, out: ModelEvent[]): void
  /** Words of the provider about why it said no more. */
  refuse(words: string, out: ModelEvent[]): void
  /** Ends every block. Throws `ModelError` for a call in the middle. */
  end(out: ModelEvent[]): void
}

const NO_LOGPROBS: readonly Logprob[] = []

export function createPartsDecoder(turn: Pick<ModelTurn, 'tools' | 'topLogprobs'>): PartsDecoder {
  const blocks = createBlockWriter()
  const calls = createCallDecoder({ tools: turn.tools, newId: () => blocks.newId('call') })
  /** The text block that is open. */
  let text: { written: string; signed: SignedText[] } | null = null
  /** Bytes of text before the open block: citations count from the first. */
  let bytesBefore = 0
  let citations: Citation[] = []
  /** Of the summary that is open. */
  let thought: string | null = null

  const endText = (out: ModelEvent[]): ThoughtState => {
    if (!text) return {}
    for (const annotation of toAnnotations(citations, text.written, bytesBefore)) blocks.annotate(annotation, out)
    citations = []
    blocks.close(out)
    bytesBefore += Buffer.byteLength(text.written)
    const { signed } = text
    text = null
    return signed.length > 0 ? { previous: signed } : {}
  }
  /** Closes what is open. `ahead`: the state of what comes next. */
  const closeOpen = (ahead: ThoughtState, out: ModelEvent[]) => {
    const state = { ...endText(out), ...(thought !== null && { thought }), ...ahead }
    thought = null
    const packed = Object.keys(state).length > 0 ? packThoughtState(state) : undefined
    if (blocks.isReasoning()) blocks.close(out, packed)
    else {
      blocks.close(out)
      if (packed !== undefined) blocks.state(packed, out)
    }
  }
  const writeText = (delta: string, logprobs: readonly Logprob[], signature: string | null, out: ModelEvent[]) => {
    if (delta === '' && logprobs.length === 0 && !signature) return
    if (text && signature) text.signed.push({ start: text.written.length, length: delta.length, signature })
    if (!text) {
      closeOpen(signature ? { next: { length: delta.length, signature } } : {}, out)
      if (delta === '' && logprobs.length === 0) return
      text = { written: '', signed: [] }
    }
    text.written += delta
    blocks.text(delta, logprobs, out)
  }
  const readPart = (part: Fields, logprobs: readonly Logprob[], out: ModelEvent[]) => {
    const signature = asText(part.thoughtSignature)
    const call = asFields(part.functionCall)
    if (call) return calls.part(call, () => closeOpen(signature ? { call: signature } : {}, out), out)
    if (part.thought !== true) return writeText(textOf(part), logprobs, signature, out)
    const summary = asText(part.text)
    if (!summary && !signature) return
    if (text) closeOpen({}, out)
    if (summary) blocks.reasoning('summary', 0, summary, out)
    thought = signature ?? thought
  }

  return {
    callCount: () => calls.count(),
    read(candidate, out) {
      if (candidate.groundingMetadata || candidate.citationMetadata) citations.push(...readCitations(candidate))
      // A chunk's tokens are listed once for all of its parts.
      let logprobs = turn.topLogprobs === null ? NO_LOGPROBS : readLogprobs(candidate)
      for (const part of asList(asFields(candidate.content)?.parts)) {
        if (!isFields(part)) continue
        const isText = typeof part.text === 'string' && part.thought !== true
        readPart(part, isText ? logprobs : NO_LOGPROBS, out)
        if (isText) logprobs = NO_LOGPROBS
      }
    },
    refuse(words, out) {
      closeOpen({}, out)
      blocks.refusal(words, out)
    },
    end(out) {
      calls.end()
      closeOpen({}, out)
    },
  }
}

/** What Gemini's own tools and image models add is shown as text: it has no other form in an answer here. */
function textOf(part: Fields): string {
  if (typeof part.text === 'string') return part.text
  const code = asFields(part.executableCode)
  if (code) return `\n\`\`\`${(asText(code.language) ?? '').toLowerCase()}\n${asText(code.code) ?? ''}\n\`\`\`\n`
  const result = asFields(part.codeExecutionResult)
  if (result) return `\n\`\`\`\n${asText(result.output) ?? asText(result.outcome) ?? ''}\n\`\`\`\n`
  const media = asFields(part.inlineData)
  return media ? `[${asText(media.mimeType) ?? 'media'}, not shown]` : ''
}
