/**
 * The content blocks of a reply -> events. A block opens, grows and stops by its index.
 *
 * Pieces of text in a row are one text to the reader (citations cut it into pieces); each thinking block is a reasoning
 * of its own and leaves its signed original as state. Blocks of the provider's own tools have no form here and are
 * passed over: nobody asked for them.
 */
import type { ModelEvent, ToolDeclaration } from '../model.ts'
import { createBlockWriter } from '../upstream/blocks.ts'
import { asFields, asList, asText, type Fields } from '../upstream/fields.ts'
import { createCallDecoder } from './decode-calls.ts'
import { readCitation } from './decode-citations.ts'
import { packThinking } from './thinking-state.ts'

export interface BlockDecoder {
  callCount(): number
  start(index: number, block: Fields, out: ModelEvent[]): void
  delta(index: number, delta: Fields, out: ModelEvent[]): void
  stop(index: number, out: ModelEvent[]): void
  refusal(text: string, out: ModelEvent[]): void
  /** Ends every block. */
  end(out: ModelEvent[]): void
}

const NO_LOGPROBS = [] as const

/** Characters as annotations count them (code points); a character may be cut in two by a delta. */
const charactersIn = (delta: string): number => delta.length - (delta.match(/[\udc00-\udfff]/g)?.length ?? 0)

type OpenText = { readonly type: 'text'; readonly citations: unknown[]; length: number }
type OpenThinking = { readonly type: 'thinking'; readonly start: Fields; thinking: string; signature: string }

export function createBlockDecoder(tools: readonly ToolDeclaration[]): BlockDecoder {
  const blocks = createBlockWriter()
  const calls = createCallDecoder({ tools, newId: () => blocks.newId('call') })
  const open = new Map<number, OpenText | OpenThinking>()
  /** Of the text that is being written, all its pieces together. */
  let textLength = 0
  /** Which reasoning block a delta belongs to. */
  let writing: OpenThinking | null = null

  const closeBlocks = (out: ModelEvent[]) => {
    blocks.close(out)
    textLength = 0
    writing = null
  }
  const text = (block: OpenText, delta: string, out: ModelEvent[]) => {
    if (blocks.isReasoning()) closeBlocks(out)
    blocks.text(delta, NO_LOGPROBS, out)
    const length = charactersIn(delta)
    block.length += length
    textLength += length
  }
  const thinking = (block: OpenThinking, delta: string, out: ModelEvent[]) => {
    if (writing !== block) closeBlocks(out)
    writing = block
    block.thinking += delta
    blocks.reasoning('summary', 0, delta, out)
  }
  /** A piece that something else came into has no place of its own any more. */
  const stopText = ({ citations, length }: OpenText, out: ModelEvent[]) => {
    const span = { start: textLength - length, end: textLength }
    if (span.start < 0) return
    for (const citation of citations) {
      const annotation = readCitation(citation, span)
      if (annotation && length > 0) blocks.annotate(annotation, out)
    }
  }
  /** A block without a signature was cut off; it would be refused. */
  const stopThinking = (block: OpenThinking, out: ModelEvent[]) => {
    const { start, signature } = block
    const whole = { ...start, type: 'thinking', thinking: block.thinking, signature } as const
    const state = signature === '' ? undefined : packThinking(whole)
    if (writing === block) blocks.close(out, state)
    else if (state !== undefined) {
      closeBlocks(out)
      blocks.state(state, out)
    }
    writing = null
    textLength = 0
  }

  return {
    callCount: () => calls.count(),
    start(index, block, out) {
      switch (block.type) {
        case 'text': {
          const piece: OpenText = { type: 'text', citations: [...asList(block.citations)], length: 0 }
          open.set(index, piece)
          const given = asText(block.text)
          return given ? text(piece, given, out) : undefined
        }
        case 'thinking': {
          const piece: OpenThinking = {
            type: 'thinking',
            start: block,
            thinking: '',
            signature: asText(block.signature) ?? '',
          }
          open.set(index, piece)
          const given = asText(block.thinking)
          return given ? thinking(piece, given, out) : undefined
        }
        case 'redacted_thinking':
          closeBlocks(out)
          return blocks.state(packThinking({ ...block, type: 'redacted_thinking' }), out)
        case 'tool_use':
          closeBlocks(out)
          return calls.start(index, block, out)
        default:
          return closeBlocks(out)
      }
    },
    delta(index, delta, out) {
      if (delta.type === 'input_json_delta') return void calls.delta(index, asText(delta.partial_json) ?? '', out)
      const block = open.get(index)
      if (block?.type === 'text') {
        if (delta.type === 'citations_delta') block.citations.push(asFields(delta.citation))
        const more = delta.type === 'text_delta' ? asText(delta.text) : null
        if (more) text(block, more, out)
      } else if (block) {
        const more = delta.type === 'thinking_delta' ? asText(delta.thinking) : null
        if (more) thinking(block, more, out)
        if (delta.type === 'signature_delta') block.signature += asText(delta.signature) ?? ''
      }
    },
    stop(index, out) {
      const block = open.get(index)
      open.delete(index)
      if (block?.type === 'text') stopText(block, out)
      else if (block) stopThinking(block, out)
      else calls.stop(index, out)
    },
    refusal(words, out) {
      closeBlocks(out)
      blocks.refusal(words, out)
    },
    end(out) {
      for (const index of [...open.keys()]) this.stop(index, out)
      closeBlocks(out)
      calls.end(out)
    },
  }
}
