/**
 * One delta -> events. The order in it is fixed: reasoning, text, refusal, tool calls, annotations; nothing of it is
 * lost, whatever comes together.
 */
import type { Logprob } from '../../protocol/content.ts'
import type { ModelEvent, ModelTurn } from '../model.ts'
import { createBlockWriter } from '../upstream/blocks.ts'
import { asFields, asList, asText, type Fields, isFields } from '../upstream/fields.ts'
import { createThinkSplitter } from '../upstream/think-tags.ts'
import { readAnnotations } from './decode-annotations.ts'
import { createCallDecoder } from './decode-calls.ts'
import { readLogprobs } from './decode-logprobs.ts'
import { createReasoningStateCollector, readReasoning } from './decode-reasoning.ts'
import { createContentDecoder } from './decode-text.ts'
import type { Quirks } from './quirks.ts'

export interface DeltaDecoder {
  callCount(): number
  /** `delta` is a choice's delta, or its message where the reply is not streamed. */
  read(delta: Fields, choice: Fields, out: ModelEvent[]): void
  /** Ends every block. Throws `ModelError` for a call that never got a name. */
  end(out: ModelEvent[]): void
}

const NO_LOGPROBS: readonly Logprob[] = []

export function createDeltaDecoder(turn: Pick<ModelTurn, 'tools' | 'topLogprobs'>, quirks: Quirks): DeltaDecoder {
  const blocks = createBlockWriter()
  const state = createReasoningStateCollector(quirks.reasoningState)
  const think = quirks.thinkTags ? createThinkSplitter(quirks.thinkTagPrefilled) : null

  /** State that came without readable reasoning gets a block of its own. */
  const closeReasoning = (out: ModelEvent[]) => {
    const packed = state.take()
    if (blocks.isReasoning()) blocks.close(out, packed)
    else if (packed !== undefined) {
      blocks.close(out)
      blocks.state(packed, out)
    }
  }
  const content = createContentDecoder({ blocks, think, closeReasoning })
  const closeOpen = (out: ModelEvent[]) => {
    content.flush(out)
    closeReasoning(out)
    blocks.close(out)
  }
  const calls = createCallDecoder({ tools: turn.tools, newId: () => blocks.newId('call'), beforeStart: closeOpen })

  return {
    callCount: () => calls.count(),
    read(delta, choice, out) {
      state.collect(delta)
      for (const { kind, source, text } of readReasoning(delta, quirks.reasoningFields)) {
        blocks.reasoning(kind, source, text, out)
      }
      content.content(delta.content, turn.topLogprobs === null ? NO_LOGPROBS : readLogprobs(choice), out)
      const refusal = asText(delta.refusal)
      if (refusal) blocks.refusal(refusal, out)
      for (const entry of asList(delta.tool_calls)) if (isFields(entry)) calls.fragment(entry, out)
      const functionCall = asFields(delta.function_call)
      if (functionCall) calls.legacy(functionCall, out)
      for (const annotation of readAnnotations(delta)) blocks.annotate(annotation, out)
    },
    end(out) {
      closeOpen(out)
      calls.end(out)
    },
  }
}
