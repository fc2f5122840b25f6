/** A `Model` that plays a script: the far side of the model port, for tests of what stands before it. */
import {
  type Model,
  type ModelBatch,
  type ModelCapabilities,
  type ModelContext,
  ModelError,
  type ModelEvent,
  type ModelTurn,
} from '../../src/models/model.ts'
import type { Usage } from '../../src/protocol/response.ts'

export const ALL_CAPABILITIES: ModelCapabilities = {
  contextWindow: null,
  maxOutputTokens: null,
  imageInput: true,
  fileInput: true,
  functionTools: true,
  customTools: true,
  structuredOutput: true,
  reasoning: true,
  logprobs: true,
}

export const SOME_USAGE: Usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 1, cache_write_tokens: 0 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 8,
}

export type Script = {
  readonly batches: readonly ModelBatch[]
  /** Thrown instead of the batch of this index. */
  readonly failAt?: { readonly index: number; readonly error: Error }
  /** Called before the batch of each index. */
  readonly before?: (index: number) => void | Promise<void>
}

export type ScriptedModel = Model & { readonly turns: readonly ModelTurn[] }

/** Each call of `stream` plays the next script; the last one repeats. */
export function scriptedModel(
  scripts: readonly Script[],
  capabilities: Partial<ModelCapabilities> = {},
): ScriptedModel {
  const turns: ModelTurn[] = []
  return {
    turns,
    capabilities: { ...ALL_CAPABILITIES, ...capabilities },
    fields: {},
    async *stream(turn: ModelTurn, context: ModelContext) {
      const script = scripts[Math.min(turns.length, scripts.length - 1)]
      turns.push(turn)
      if (!script) throw new ModelError('unavailable', 'no script')
      const report = (outcome: 'completed' | 'failed' | 'aborted') =>
        context.onAttempt?.({
          provider: 'scripted',
          model: turn.model,
          outcome,
          usage: outcome === 'completed' ? SOME_USAGE : null,
          status: 200,
          durationMs: 1,
          firstEventMs: 0,
          upstreamRequestId: null,
        })
      for (let index = 0; ; index++) {
        await script.before?.(index)
        if (context.signal.aborted) {
          report('aborted')
          throw new ModelError('aborted', 'aborted')
        }
        if (script.failAt?.index === index) {
          report('failed')
          throw script.failAt.error
        }
        const batch = script.batches[index]
        if (!batch) break
        yield batch
      }
      report('completed')
    },
    countInputTokens: async (turn) => JSON.stringify(turn.items).length,
  }
}

export const finish = (reason: Extract<ModelEvent, { type: 'finish' }>['reason'] = 'stop'): ModelEvent => ({
  type: 'finish',
  reason,
  rawReason: reason,
  usage: SOME_USAGE,
})

/** One text block and its end, a word a batch. */
export const saying = (...words: string[]): Script => ({
  batches: [
    [{ type: 'text-start', id: 't' }],
    ...words.map((delta) => [{ type: 'text-delta' as const, id: 't', delta }]),
    [{ type: 'text-end', id: 't' }, finish()],
  ],
})
