/**
 * The demo model: fixed rules instead of a language model, and says so. It needs no key, engine or network, and gives
 * the same reply to the same turn, so it is what tests, docs and the first run talk to. `docs/demo-model.md` lists what
 * it understands.
 */
import { type Clock, sleep } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import { loadTokenizer, type Tokenizer } from '../../lib/tokenizer.ts'
import { yieldToEventLoop } from '../../lib/yield-to-event-loop.ts'
import type { Usage } from '../../protocol/response.ts'
import {
  type Model,
  type ModelAttempt,
  type ModelBatch,
  type ModelContext,
  ModelError,
  type ModelTurn,
} from '../model.ts'
import { type Conversation, readConversation } from './conversation.ts'
import { planReply } from './plan-reply.ts'
import { createPromptCache, type PromptCache } from './prompt-cache.ts'
import { CONTEXT_WINDOW, createPromptReader } from './prompt-tokens.ts'
import { refuseUnreadable } from './refuse-unreadable.ts'
import { toFailure } from './request-words.ts'
import { type Written, writeReply } from './write-reply.ts'

const PROVIDER = 'demo'
export const MAX_OUTPUT_TOKENS = 16_384
/** Tokens written before other requests get their turn. */
const TOKENS_PER_TURN = 64

/** `ids`: for the ids of calls; without it the engine makes them. `contextWindow`: tokens, smaller than the usual. */
export type DemoModelOptions = { readonly clock: Clock; readonly ids?: Ids; readonly contextWindow?: number }

export function createDemoModel({ clock, ids, contextWindow = CONTEXT_WINDOW }: DemoModelOptions): Model {
  const cache = createPromptCache()
  const parts = lazily(async () => {
    const tokenizer = await loadTokenizer()
    return { tokenizer, readPrompt: createPromptReader(tokenizer, contextWindow) }
  })
  const newCallId = () => ids?.next('call') ?? null
  return {
    fields: {},
    capabilities: {
      contextWindow,
      maxOutputTokens: MAX_OUTPUT_TOKENS,
      imageInput: true,
      fileInput: true,
      functionTools: true,
      customTools: true,
      structuredOutput: true,
      reasoning: true,
      logprobs: true,
      isDemo: true,
    },
    async *stream(turn, context) {
      throwIfAborted(context.signal)
      const attempt = beginAttempt(turn, context, clock)
      try {
        const { tokenizer, readPrompt } = await parts()
        const prompt = readPrompt(turn)
        attempt.input = inputUsage(prompt, turn, cache)
        yield* reply(turn, { context, clock, attempt, tokenizer, newCallId })
        attempt.end('completed')
      } catch (error) {
        attempt.end(error instanceof ModelError && error.kind === 'aborted' ? 'aborted' : 'failed', error)
        throw error
      } finally {
        // Still open here means that the reader stopped reading.
        attempt.end('aborted')
      }
    },
    notCarried(turn) {
      refuseUnreadable(turn)
      return []
    },
    async countInputTokens(turn, { signal }) {
      throwIfAborted(signal)
      const { readPrompt } = await parts()
      return readPrompt(turn).length
    },
  }
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

type Serving = {
  readonly context: ModelContext
  readonly clock: Clock
  readonly attempt: Attempt
  readonly tokenizer: Tokenizer
  readonly newCallId: () => string | null
}

async function* reply(turn: ModelTurn, serving: Serving): AsyncGenerator<ModelBatch> {
  const { context, attempt } = serving
  const conversation = readConversation(turn)
  await pause(conversation.words.delayMs, serving)
  if (conversation.words.fail !== null) throw toFailure(conversation.words.fail)
  const events = writeReply(planReply(turn, conversation), attempt.written, {
    tokenizer: serving.tokenizer,
    maxTokens: Math.min(turn.maxOutputTokens ?? MAX_OUTPUT_TOKENS, MAX_OUTPUT_TOKENS),
    topLogprobs: turn.topLogprobs,
    newCallId: serving.newCallId,
  })
  for (let count = 1; ; count++) {
    const next = events.next()
    if (next.done) {
      attempt.sawEvent()
      yield [{ type: 'finish', ...endingOf(next.value), usage: attempt.usage() }]
      return
    }
    await pace(conversation, count, serving)
    throwIfAborted(context.signal)
    attempt.sawEvent()
    yield [next.value]
    throwIfAborted(context.signal)
  }
}

const endingOf = ({
  reason,
  rawReason,
}: {
  reason: 'stop' | 'tool_calls' | 'length' | 'content_filter'
  rawReason: string
}) => ({ reason, rawReason })

async function pace({ words }: Conversation, count: number, serving: Serving): Promise<void> {
  if (words.slowMs > 0) await pause(words.slowMs, serving)
  else if (count % TOKENS_PER_TURN === 0) await yieldToEventLoop()
}

async function pause(ms: number, { clock, context }: Serving): Promise<void> {
  if (ms > 0) await sleep(clock, ms, context.signal)
  throwIfAborted(context.signal)
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted)
    throw new ModelError('aborted', 'The call was aborted.', { provider: PROVIDER, cause: signal.reason })
}

type InputUsage = { readonly total: number; readonly cached: number; readonly written: number }

/** Who shares a prompt cache: the same key and the same end user. */
function inputUsage(prompt: readonly number[], turn: ModelTurn, cache: PromptCache): InputUsage {
  const scope = JSON.stringify([turn.promptCacheKey, turn.safetyIdentifier])
  return { total: prompt.length, ...cache.visit(scope, prompt) }
}

type Attempt = {
  input: InputUsage | null
  readonly written: Written
  usage(): Usage | null
  sawEvent(): void
  /** Tells the context, the first time. */
  end(outcome: ModelAttempt['outcome'], error?: unknown): void
}

function beginAttempt(turn: ModelTurn, context: ModelContext, clock: Clock): Attempt {
  context.onCall?.({ provider: PROVIDER, model: turn.model })
  const start = clock.monotonic()
  let firstEventMs: number | null = null
  let isTold = false
  const attempt: Attempt = {
    input: null,
    written: { output: 0, reasoning: 0, words: 0 },
    usage: () => toUsage(attempt.input, attempt.written),
    sawEvent() {
      firstEventMs ??= clock.monotonic() - start
    },
    end(outcome, error) {
      if (isTold) return
      isTold = true
      context.onAttempt?.({
        provider: PROVIDER,
        model: turn.model,
        outcome,
        // A refused call costs nothing.
        usage: outcome === 'failed' && firstEventMs === null ? null : attempt.usage(),
        status: error instanceof ModelError ? error.status : null,
        durationMs: clock.monotonic() - start,
        firstEventMs,
        upstreamRequestId: null,
      })
    },
  }
  return attempt
}

function toUsage(input: InputUsage | null, written: Written): Usage | null {
  if (input === null) return null
  return {
    input_tokens: input.total,
    input_tokens_details: { cached_tokens: input.cached, cache_write_tokens: input.written },
    output_tokens: written.output,
    output_tokens_details: { reasoning_tokens: written.reasoning },
    total_tokens: input.total + written.output,
  }
}
