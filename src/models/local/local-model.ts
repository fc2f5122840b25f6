/**
 * Models in this process, by llama.cpp. Its work is done on threads of its own, so the event loop stays free.
 *
 * A turn waits for the model's one context, and leaves it when the library is done with it: an aborted turn ends at
 * once, but the context is free for the next one only after the batch that is being computed.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { ReasoningOptions } from '../../protocol/options.ts'
import {
  type FieldTable,
  type Model,
  type ModelBatch,
  type ModelCapabilities,
  type ModelContext,
  ModelError,
  type ModelEvent,
  type ModelTurn,
  type NotCarried,
} from '../model.ts'
import { notCarriedOf } from '../upstream/not-carried.ts'
import { startAttempt } from '../upstream/start-attempt.ts'
import { abortedError } from './aborted.ts'
import { createGenerationDecoder, type GenerationDecoder } from './decode-generation.ts'
import { encodeFunctions } from './encode-functions.ts'
import { encodeHistory } from './encode-history.ts'
import { createEventPipe } from './event-pipe.ts'
import { type GrammarSchema, toGrammarSchema } from './gbnf-schema.ts'
import type { ChatFunctions, ChatItem, GenerateOptions, GenerateResult, LlamaChat } from './llama-library.ts'
import type { ModelPool } from './model-pool.ts'
import type { OpenModel } from './open-model.ts'

/** What llama.cpp itself takes where nobody says otherwise. */
const DEFAULT_TEMPERATURE = 0.8
const DEFAULT_TOP_P = 0.95
const TOP_K = 40
const MIN_P = 0.05
/** Tokens that penalties look back on. */
const PENALTY_WINDOW = 64
/** Tokens that are left free at the end of the window: the last one cannot be written. */
const RESERVED_TOKENS = 2

const FIELDS: FieldTable = {
  'input.image': 'refused',
  'input.file': 'emulated',
  tool_choice: 'refused',
  'tools.strict': 'emulated',
  'reasoning.effort': 'emulated',
  'reasoning.summary': 'ignored',
  'text.verbosity': 'ignored',
  top_logprobs: 'refused',
  service_tier: 'ignored',
  prompt_cache_key: 'ignored',
  prompt_cache_retention: 'ignored',
  prompt_cache_breakpoint: 'ignored',
  safety_identifier: 'ignored',
}

/** Tokens a model may think; absent: as many as the library grants. */
const THOUGHT_TOKENS: Readonly<Partial<Record<NonNullable<ReasoningOptions['effort']>, number>>> = {
  none: 0,
  minimal: 256,
  low: 1024,
  high: Number.POSITIVE_INFINITY,
  xhigh: Number.POSITIVE_INFINITY,
  max: Number.POSITIVE_INFINITY,
}

export type LocalModelOptions = {
  /** The name of the provider. */
  readonly provider: string
  readonly capabilities: ModelCapabilities
  readonly pool: ModelPool<OpenModel>
  readonly clock: Clock
  readonly ids: Ids
}

export function createLocalModel(options: LocalModelOptions): Model {
  const { provider, capabilities, pool, clock } = options
  return {
    capabilities,
    fields: FIELDS,
    notCarried: (turn) => [...notCarriedOf(FIELDS, turn), ...formatLost(turn)],
    async *stream(turn, context) {
      if (context.signal.aborted) throw abortedError()
      const decoding: Decoding = { decoder: null }
      const meter = {
        usage: () => decoding.decoder?.usage() ?? null,
      }
      const attempt = startAttempt({ provider, clock, secrets: [] }, turn.model, meter, context)
      try {
        for await (const batch of generate(turn, context, decoding, options)) {
          attempt.yielding()
          yield batch
        }
        attempt.end('completed')
      } catch (error) {
        attempt.end(context.signal.aborted ? 'aborted' : 'failed')
        throw context.signal.aborted ? abortedError() : toModelError(error, provider)
      } finally {
        // Still open here means that the reader stopped reading.
        attempt.end('aborted')
      }
    },
    async countInputTokens(turn, { signal }) {
      const lease = pool.peek(turn.model) === null ? await pool.acquire(turn.model, signal) : null
      try {
        const model = lease?.model ?? pool.peek(turn.model)
        if (!model) throw abortedError()
        const { chat } = await model.chat(signal)
        return countPrompt(model, chat, encodeHistory(turn), encodeFunctions(turn))
      } finally {
        lease?.release()
      }
    },
  }
}

type Decoding = { decoder: GenerationDecoder | null }

const toModelError = (error: unknown, provider: string): ModelError =>
  error instanceof ModelError
    ? error
    : new ModelError('unavailable', 'The local model failed.', { status: 503, provider, cause: error })

/** A grammar and functions cannot be had at once, and some schemas have no grammar; then it is asked for in words. */
function formatLost(turn: ModelTurn): readonly NotCarried[] {
  const { format } = turn.text
  if (format.type === 'text') return []
  const carried = encodeFunctions(turn) === null && grammarSchemaOf(turn) !== null
  return carried ? [] : [{ param: 'text.format', weight: 'meaning' }]
}

function grammarSchemaOf({ text: { format } }: ModelTurn): GrammarSchema | null {
  if (format.type === 'text') return null
  if (format.type === 'json_object') return { type: 'object', additionalProperties: true }
  const { schema, exact } = toGrammarSchema(format.schema)
  return exact ? schema : null
}

async function* generate(
  turn: ModelTurn,
  { signal }: ModelContext,
  decoding: Decoding,
  { pool, ids }: LocalModelOptions,
): AsyncGenerator<ModelBatch> {
  // Ends the generation when the caller aborts and when the reader leaves.
  const leaving = new AbortController()
  const stop = AbortSignal.any([signal, leaving.signal])
  const pipe = createEventPipe<ModelEvent>()
  const onAbort = () => pipe.end()
  signal.addEventListener('abort', onAbort, { once: true })
  let failure: unknown = null
  const work = async () => {
    const lease = await pool.acquire(turn.model, stop)
    try {
      pipe.put(await writeReply(turn, { model: lease.model, signal: stop, decoding, ids, put: pipe.put }))
    } finally {
      lease.release()
    }
  }
  void work()
    .catch((error: unknown) => {
      failure = error
    })
    .finally(() => pipe.end())
  try {
    for (;;) {
      const batch = await pipe.next()
      if (signal.aborted) throw abortedError()
      if (batch === null) break
      yield batch
    }
    if (failure !== null) throw failure
  } finally {
    signal.removeEventListener('abort', onAbort)
    leaving.abort()
  }
}

type Writing = {
  readonly model: OpenModel
  readonly signal: AbortSignal
  readonly decoding: Decoding
  readonly ids: Ids
  readonly put: (events: readonly ModelEvent[]) => void
}

/** Answers the last events; the others have been put before. */
async function writeReply(
  turn: ModelTurn,
  { model, signal, decoding, ids, put }: Writing,
): Promise<readonly ModelEvent[]> {
  const { chat, sequence } = await model.chat(signal)
  const history = encodeHistory(turn)
  const functions = encodeFunctions(turn)
  const schema = functions === null ? grammarSchemaOf(turn) : null
  const promptTokens = countPrompt(model, chat, history, functions)
  const room = model.contextSize - promptTokens - RESERVED_TOKENS
  if (room < 1) throw tooLong(promptTokens, model.contextSize)
  const grammar = schema === null ? null : await model.llama.createGrammarForJsonSchema(schema)
  const decoder = createGenerationDecoder({
    promptTokens,
    knowsThoughts: chat.chatWrapper.settings.segments?.thought !== undefined,
    isConstrained: grammar !== null,
    countTokens: () => sequence.tokenMeter.getState(),
  })
  decoding.decoder = decoder
  const generating = chat.generateResponse(history, {
    ...samplingOf(turn, ids),
    signal,
    maxTokens: Math.min(turn.maxOutputTokens ?? room, room),
    contextShift: { size: 1, strategy: refuseShift },
    onResponseChunk: (chunk) => put(decoder.text(chunk)),
    ...(grammar !== null && { grammar }),
    ...(functions !== null && {
      functions,
      onFunctionCallParamsChunk: (chunk) => put(decoder.call(chunk)),
      ...(!turn.parallelToolCalls && { maxParallelFunctionCalls: 1 }),
    }),
  })
  const result = await generating.catch((error: unknown) => {
    // The window is full in the middle of an answer: it ends there.
    if (error instanceof ModelError && decoder.usage().output_tokens > 0) return CUT_OFF
    throw error
  })
  return decoder.finish(result)
}

const CUT_OFF: GenerateResult = { metadata: { stopReason: 'maxTokens' } }

function countPrompt(
  { model }: OpenModel,
  { chatWrapper }: LlamaChat,
  chatHistory: readonly ChatItem[],
  functions: ChatFunctions | null,
): number {
  // What is to be written begins with an answer of the model, as the library does it.
  const history: readonly ChatItem[] =
    chatHistory.at(-1)?.type === 'model' ? chatHistory : [...chatHistory, { type: 'model', response: [] }]
  const state = chatWrapper.generateContextState({
    chatHistory: history,
    ...(functions !== null && { availableFunctions: functions, documentFunctionParams: true }),
  })
  return state.contextText.tokenize(model.tokenizer).length
}

type Sampling = Pick<
  GenerateOptions,
  'temperature' | 'topP' | 'topK' | 'minP' | 'seed' | 'repeatPenalty' | 'customStopTriggers' | 'budgets'
>

function samplingOf(turn: ModelTurn, ids: Ids): Sampling {
  const { frequencyPenalty, presencePenalty, stop, reasoning } = turn
  const thoughtTokens = reasoning.effort ? THOUGHT_TOKENS[reasoning.effort] : undefined
  return {
    temperature: turn.temperature ?? DEFAULT_TEMPERATURE,
    topP: turn.topP ?? DEFAULT_TOP_P,
    topK: TOP_K,
    minP: MIN_P,
    seed: Math.floor(ids.random() * 2 ** 32),
    repeatPenalty:
      frequencyPenalty || presencePenalty
        ? {
            lastTokens: PENALTY_WINDOW,
            penalty: 1,
            frequencyPenalty: frequencyPenalty ?? 0,
            presencePenalty: presencePenalty ?? 0,
          }
        : false,
    ...(stop !== null && stop.length > 0 && { customStopTriggers: stop }),
    ...(thoughtTokens !== undefined && { budgets: { thoughtTokens } }),
  }
}

/** The library would leave out the oldest part of the conversation without a word. */
function refuseShift(): never {
  throw new ModelError('context_length', 'The conversation does not fit into the window of this model.', {
    status: 400,
    param: 'input',
  })
}

const tooLong = (tokens: number, contextSize: number) =>
  new ModelError(
    'context_length',
    `The input has ${tokens} tokens; the context window of this model holds ${contextSize}, answer included.`,
    { status: 400, param: 'input' },
  )
