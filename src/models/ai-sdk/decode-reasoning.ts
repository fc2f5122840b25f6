/** Reasoning of one reply, and what its package attached to it. */
import type { ModelEvent } from '../model.ts'
import type { BlockWriter } from '../upstream/blocks.ts'
import type { Dialect } from './dialect.ts'
import { joinMetadata, type Metadata, packMetadataState, readMetadata, type SignedThought } from './metadata-state.ts'

export interface ReasoningDecoder {
  start(metadata: unknown, out: ModelEvent[]): void
  delta(delta: string, metadata: unknown, out: ModelEvent[]): void
  end(metadata: unknown): void
  ofCall(callId: string, metadata: unknown): void
  ofText(metadata: unknown): void
  /** Something else comes, or the end: what is open is closed, with its state. */
  settle(out: ModelEvent[]): void
  /** Carries what came after the reasoning was closed. */
  finish(out: ModelEvent[]): void
}

export function createReasoningDecoder(blocks: BlockWriter, dialect: Dialect): ReasoningDecoder {
  const { packageName, reasoning: kind, signedParts } = dialect
  let open: { text: string; metadata: Metadata | null } | null = null
  let thoughts: SignedThought[] = []
  let calls: Record<string, Metadata> = {}
  let text: Metadata | null = null
  let source = 0

  const take = () => {
    const state = packMetadataState(packageName, { thoughts, calls, text })
    thoughts = []
    calls = {}
    text = null
    return state
  }
  const attach = (metadata: unknown) => {
    if (open) open.metadata = joinMetadata(open.metadata, readMetadata(metadata))
  }
  const settle = (out: ModelEvent[]) => {
    if (!open) return
    if (open.metadata !== null) thoughts.push({ text: open.text, metadata: open.metadata })
    open = null
    const state = thoughts.length > 0 ? take() : undefined
    if (blocks.isReasoning()) blocks.close(out, state)
    else if (state !== undefined) blocks.state(state, out)
  }

  return {
    start(metadata, out) {
      settle(out)
      open = { text: '', metadata: readMetadata(metadata) }
      source++
    },
    delta(delta, metadata, out) {
      open ??= { text: '', metadata: null }
      open.text += delta
      attach(metadata)
      if (delta !== '') blocks.reasoning(kind, source, delta, out)
    },
    end: attach,
    ofCall(callId, metadata) {
      const known = signedParts ? readMetadata(metadata) : null
      if (known) calls[callId] = joinMetadata(calls[callId] ?? null, known) ?? known
    },
    ofText(metadata) {
      if (signedParts) text = joinMetadata(text, readMetadata(metadata))
    },
    settle,
    finish(out) {
      settle(out)
      const state = take()
      if (state !== undefined) blocks.state(state, out)
    },
  }
}
