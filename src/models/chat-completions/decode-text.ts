/** The `content` of deltas: text, thoughts in tags inside it, or a vendor's list of parts. */
import type { Logprob } from '../../protocol/content.ts'
import type { ModelEvent } from '../model.ts'
import type { BlockWriter } from '../upstream/blocks.ts'
import { asFields, asList, asText } from '../upstream/fields.ts'
import type { ThinkSegment, ThinkSplitter } from '../upstream/think-tags.ts'

export type TextDecoderOptions = {
  readonly blocks: BlockWriter
  /** Null where text is only text. */
  readonly think: ThinkSplitter | null
  /** Runs before text that follows reasoning. */
  readonly closeReasoning: (out: ModelEvent[]) => void
}

export interface ContentDecoder {
  content(content: unknown, logprobs: readonly Logprob[], out: ModelEvent[]): void
  /** Writes what waited for the rest of a tag. */
  flush(out: ModelEvent[]): void
}

export function createContentDecoder({ blocks, think, closeReasoning }: TextDecoderOptions): ContentDecoder {
  /** Of a start that may still become a thought. Those of reasoning have no place in the API. */
  let undecided: Logprob[] = []

  const writeText = (text: string, logprobs: readonly Logprob[], out: ModelEvent[]) => {
    if (blocks.isReasoning()) closeReasoning(out)
    blocks.text(text, logprobs, out)
  }
  const writeSegments = (segments: readonly ThinkSegment[], out: ModelEvent[]) => {
    for (const { reasoning, text } of segments) {
      if (reasoning) blocks.reasoning('text', 0, text, out)
      else {
        writeText(text, undecided, out)
        undecided = []
      }
    }
  }
  const readText = (text: string, logprobs: readonly Logprob[], out: ModelEvent[]) => {
    if (!think || think.settled()) return writeText(text, logprobs, out)
    undecided.push(...logprobs)
    writeSegments(think.push(text), out)
    if (blocks.isReasoning()) undecided = []
  }
  /** Mistral's parts; everywhere else content is a string. */
  const readPart = (entry: unknown, logprobs: readonly Logprob[], out: ModelEvent[]) => {
    const part = asFields(entry)
    if (!part) return
    for (const text of thoughtsOf(part.thinking ?? part.reasoning)) blocks.reasoning('text', 0, text, out)
    const refusal = asText(part.refusal)
    if (refusal) blocks.refusal(refusal, out)
    const text = asText(part.text)
    if (text) readText(text, logprobs, out)
  }

  return {
    content(content, logprobs, out) {
      if (typeof content === 'string') {
        if (content !== '' || logprobs.length > 0) readText(content, logprobs, out)
      } else for (const part of asList(content)) readPart(part, logprobs, out)
    },
    flush(out) {
      if (think && !think.settled()) writeSegments(think.flush(), out)
    },
  }
}

/** A thought as a text, or as a list of text parts. */
function thoughtsOf(thinking: unknown): readonly string[] {
  const whole = asText(thinking)
  if (whole) return [whole]
  return asList(thinking).flatMap((piece) => asText(piece) ?? asText(asFields(piece)?.text) ?? [])
}
