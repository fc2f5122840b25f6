/**
 * Writes the text, refusal and reasoning blocks of one turn. One of them is open at a time; opening another closes it.
 * Tool calls have their own writer (decode-calls) and take their ids here.
 *
 * Invariant: every delta is well-formed, not empty (unless it carries log probabilities), and inside its block.
 */
import type { Annotation, Logprob } from '../../protocol/content.ts'
import type { MessageStart, ModelEvent } from '../model.ts'
import { createSurrogateJoiner, type SurrogateJoiner } from './surrogates.ts'

export type ReasoningKind = 'summary' | 'text'

type Open = {
  readonly kind: 'text' | 'refusal' | 'reasoning'
  readonly id: string
  readonly joiner: SurrogateJoiner
  /** Of text held back with half a character, or of tokens that have no text of their own. */
  logprobs: Logprob[]
  reasoning: { readonly kind: ReasoningKind; readonly source: number; readonly part: number } | null
}

export interface BlockWriter {
  newId(kind: string): string
  isReasoning(): boolean
  /** The next text or refusal opens a new message, also where the one before it was of a message too. */
  startMessage(message: MessageStart): void
  text(delta: string, logprobs: readonly Logprob[], out: ModelEvent[]): void
  refusal(delta: string, out: ModelEvent[]): void
  /** `source` counts the vendor's own parts; where it or the kind changes, a new part begins. */
  reasoning(kind: ReasoningKind, source: number, delta: string, out: ModelEvent[]): void
  /** Kept until there is text to annotate; dropped when none comes. */
  annotate(annotation: Annotation, out: ModelEvent[]): void
  /** A reasoning block that only carries state. */
  state(state: string, out: ModelEvent[]): void
  /** Closes what is open; `state` goes with it when that is reasoning. */
  close(out: ModelEvent[], state?: string): void
}

export function createBlockWriter(): BlockWriter {
  let count = 0
  let open: Open | null = null
  let annotations: Annotation[] = []
  let starting: MessageStart | null = null

  const newId = (kind: string) => `${kind}_${count++}`
  const enter = (kind: Open['kind'], out: ModelEvent[]): Open => {
    if (open?.kind === kind) return open
    close(out)
    open = { kind, id: newId(kind), joiner: createSurrogateJoiner(), logprobs: [], reasoning: null }
    if (kind === 'reasoning') out.push({ type: 'reasoning-start', id: open.id })
    else {
      out.push({ type: `${kind}-start`, id: open.id, ...(starting && { message: starting }) })
      starting = null
    }
    return open
  }
  const write = (block: Open, delta: string, out: ModelEvent[]) => {
    const { id, kind, reasoning } = block
    if (kind === 'text') {
      if (block.logprobs.length === 0) {
        if (delta !== '') out.push({ type: 'text-delta', id, delta })
        return
      }
      out.push({ type: 'text-delta', id, delta, logprobs: block.logprobs })
      block.logprobs = []
    } else if (delta === '') return
    else if (kind === 'refusal') out.push({ type: 'refusal-delta', id, delta })
    else if (reasoning) out.push({ type: 'reasoning-delta', id, kind: reasoning.kind, part: reasoning.part, delta })
  }
  const close = (out: ModelEvent[], state?: string) => {
    if (!open) return
    const block = open
    open = null
    write(block, block.joiner.flush(), out)
    const { id, kind } = block
    if (kind === 'text') out.push({ type: 'text-end', id })
    else if (kind === 'refusal') out.push({ type: 'refusal-end', id })
    else out.push(state === undefined ? { type: 'reasoning-end', id } : { type: 'reasoning-end', id, state })
  }
  const annotateText = (id: string, out: ModelEvent[]) => {
    for (const annotation of annotations) out.push({ type: 'annotation', id, annotation })
    annotations = []
  }

  return {
    newId,
    isReasoning: () => open?.kind === 'reasoning',
    startMessage(message) {
      starting = message
    },
    text(delta, logprobs, out) {
      const block = enter('text', out)
      const whole = block.joiner.push(delta)
      if (logprobs.length > 0) block.logprobs.push(...logprobs)
      if (whole !== '') write(block, whole, out)
      if (annotations.length > 0) annotateText(block.id, out)
    },
    refusal(delta, out) {
      const block = enter('refusal', out)
      write(block, block.joiner.push(delta), out)
    },
    reasoning(kind, source, delta, out) {
      const block = enter('reasoning', out)
      const before = block.reasoning
      if (!before) block.reasoning = { kind, source, part: 0 }
      else if (before.kind !== kind || before.source !== source) {
        write(block, block.joiner.flush(), out)
        block.reasoning = { kind, source, part: before.part + 1 }
      }
      write(block, block.joiner.push(delta), out)
    },
    annotate(annotation, out) {
      annotations.push(annotation)
      if (open?.kind === 'text') annotateText(open.id, out)
    },
    state(state, out) {
      enter('reasoning', out)
      close(out, state)
    },
    close,
  }
}
