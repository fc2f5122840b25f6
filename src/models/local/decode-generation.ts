/** What the library tells while a model writes -> the events of the turn. One for each turn. */
import type { Usage } from '../../protocol/response.ts'
import type { FinishReason, ModelEvent } from '../model.ts'
import { type BlockWriter, createBlockWriter } from '../upstream/blocks.ts'
import { createThinkSplitter } from '../upstream/think-tags.ts'
import type { ArgumentsChunk, GenerateResult, LlamaTokenCount, TextChunk } from './llama-library.ts'

export type DecoderOptions = {
  readonly promptTokens: number
  /** The chat template tells thoughts apart by itself; else they are looked for between tags. */
  readonly knowsThoughts: boolean
  /** The answer is constrained to JSON, so nothing in it is a thought. */
  readonly isConstrained: boolean
  /** Of the whole context so far; it only grows. */
  readonly countTokens: () => LlamaTokenCount
}

export interface GenerationDecoder {
  usage(): Usage
  text(chunk: TextChunk): readonly ModelEvent[]
  call(chunk: ArgumentsChunk): readonly ModelEvent[]
  finish(result: GenerateResult): readonly ModelEvent[]
}

export function createGenerationDecoder(options: DecoderOptions): GenerationDecoder {
  const blocks = createBlockWriter()
  const calls = createCallWriter(blocks)
  const splitter = options.knowsThoughts || options.isConstrained ? null : createThinkSplitter(false)
  const before = options.countTokens()
  let reasoningTokens = 0
  let hasThought = false
  let hasText = false

  const think = (text: string, tokens: number, out: ModelEvent[]) => {
    reasoningTokens += tokens
    if (text === '' || (!blocks.isReasoning() && text.trim() === '')) return
    hasThought = true
    blocks.reasoning('text', 0, text, out)
  }
  const say = (text: string, out: ModelEvent[]) => {
    // The blank lines between the thoughts and the answer belong to neither.
    const shown = hasThought && !hasText ? text.trimStart() : text
    if (shown === '') return
    hasText = true
    blocks.text(shown, [], out)
  }
  const split = (text: string, tokens: number, out: ModelEvent[]) => {
    const segments = splitter === null ? [{ reasoning: false, text }] : splitter.push(text)
    for (const segment of segments) {
      if (segment.reasoning) think(segment.text, tokens, out)
      else say(segment.text, out)
    }
  }
  const flush = (out: ModelEvent[]) => {
    for (const { reasoning, text } of splitter?.flush() ?? []) {
      if (reasoning) think(text, 0, out)
      else say(text, out)
    }
    blocks.close(out)
  }

  return {
    usage() {
      const { usedInputTokens, usedOutputTokens } = options.countTokens()
      return toUsage({
        input: options.promptTokens,
        // What the context still held from the turn before was not read again.
        cached: Math.max(0, options.promptTokens - (usedInputTokens - before.usedInputTokens)),
        output: usedOutputTokens - before.usedOutputTokens,
        reasoning: reasoningTokens,
      })
    },
    text({ segmentType, text, tokens }) {
      const out: ModelEvent[] = []
      if (segmentType === undefined) split(text, tokens.length, out)
      else think(text, tokens.length, out)
      return out
    },
    call(chunk) {
      const out: ModelEvent[] = []
      flush(out)
      calls.write(chunk, out)
      return out
    },
    finish(result) {
      const out: ModelEvent[] = []
      flush(out)
      calls.close(out)
      // A function without arguments is called without any chunk of them.
      for (const { functionName } of (result.functionCalls ?? []).slice(calls.count())) {
        calls.write({ callIndex: calls.count(), functionName, paramsChunk: '{}', done: true }, out)
      }
      const { stopReason } = result.metadata
      out.push({ type: 'finish', reason: REASONS[stopReason], rawReason: stopReason, usage: this.usage() })
      return out
    },
  }
}

const REASONS: Readonly<Record<GenerateResult['metadata']['stopReason'], FinishReason>> = {
  eogToken: 'stop',
  stopGenerationTrigger: 'stop',
  customStopTrigger: 'stop',
  functionCalls: 'tool_calls',
  maxTokens: 'length',
  // Aborts are thrown; without one it is our own bound that ended it.
  abort: 'length',
}

/** Writes one call after the other. Invariant: the arguments are never empty and end without white space. */
function createCallWriter(blocks: BlockWriter) {
  let open: { readonly index: number; readonly id: string; space: string; isEmpty: boolean } | null = null
  let count = 0
  const close = (out: ModelEvent[]) => {
    if (open === null) return
    if (open.isEmpty) out.push({ type: 'call-delta', id: open.id, delta: '{}' })
    out.push({ type: 'call-end', id: open.id })
    open = null
  }
  const begin = ({ callIndex, functionName }: ArgumentsChunk, out: ModelEvent[]) => {
    close(out)
    open = { index: callIndex, id: blocks.newId('call'), space: '', isEmpty: true }
    count += 1
    out.push({ type: 'call-start', id: open.id, kind: 'function', name: functionName, callId: null })
    return open
  }
  return {
    count: () => count,
    write(chunk: ArgumentsChunk, out: ModelEvent[]) {
      const call = open?.index === chunk.callIndex ? open : begin(chunk, out)
      const text = call.space + chunk.paramsChunk
      const delta = text.trimEnd()
      call.space = text.slice(delta.length)
      if (delta !== '') {
        call.isEmpty = false
        out.push({ type: 'call-delta', id: call.id, delta })
      }
      if (chunk.done) close(out)
    },
    close,
  }
}

function toUsage({ input, cached, output, reasoning }: UsageParts): Usage {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: Math.min(reasoning, output) },
    total_tokens: input + output,
  }
}

type UsageParts = {
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly reasoning: number
}
