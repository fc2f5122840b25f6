/**
 * PORT: a model. Adapters translate a `ModelTurn` into a provider's request and its reply into `ModelEvent`s.
 *
 * The laws, held by `model.contract.ts` for every adapter:
 * - A block has an id that is unique in its turn: one start, any number of deltas, one end. Blocks may interleave.
 * - `finish` comes once and last, and every block has ended before it.
 * - Nothing is yielded before the upstream accepted the request, so a wrapper may retry until the first batch.
 * - Failure is a thrown `ModelError`, never an event. An aborted signal ends the stream within a second, by a throw.
 * - Every upstream call is told to `onCall` before it is made and to `onAttempt` when it ended, one call after the other.
 * - Events come in batches: what arrived together. How they are cut into batches means nothing.
 */
import type { FieldSupport, TurnField } from '../lib/field-support.ts'
import type { ClientItem } from '../protocol/client-items.ts'
import type { ClientToolSpec } from '../protocol/client-tools.ts'
import type { Annotation, Logprob } from '../protocol/content.ts'
import type { HostedProgress } from '../protocol/hosted-events.ts'
import type { HostedItem, McpApprovalResponse } from '../protocol/hosted-items.ts'
import type { HostedChoice, HostedTool, HostedToolSpec } from '../protocol/hosted-tools.ts'
import type { Item, OutputMessage } from '../protocol/items.ts'
import type { Include, Metadata, ReasoningOptions, TextOptions } from '../protocol/options.ts'
import type { ProgramItem } from '../protocol/programs.ts'
import type { Usage } from '../protocol/response.ts'
import type { CustomFormat } from '../protocol/tools.ts'

export interface Model {
  readonly capabilities: ModelCapabilities
  /** How the fields of a request fare on this model; the same data that refusing and reporting go by. */
  readonly fields: FieldTable
  stream(turn: ModelTurn, context: ModelContext): AsyncIterable<ModelBatch>
  /**
   * Tokens the turn's input would cost. Exact where the provider counts, else by a tokenizer. Throws `ModelError`:
   * `aborted`, or `invalid_request` for a turn this model cannot be asked.
   */
  countInputTokens(turn: ModelTurn, context: ModelContext): Promise<number>
  /** What the provider will not see of a turn, for planning to refuse or report (law 17). Absent: it sees all. */
  notCarried?(turn: ModelTurn): readonly NotCarried[]
}

/** A field that is not listed is `native`. */
export type FieldTable = Readonly<Partial<Record<TurnField, FieldSupport>>>

export type NotCarried = {
  /** The request field, as `reasoning.effort`. */
  readonly param: string
  /**
   * `meaning`: the answer would be another one. `hint`: it would only be made otherwise. `note`: nobody asked for what
   * is lost (the thoughts of another provider), so it is told and never refused.
   */
  readonly weight: 'meaning' | 'hint' | 'note'
}

export type ModelBatch = readonly ModelEvent[]

/** What a model can carry itself. What it cannot, a wrapper emulates or planning refuses (law 17). */
export type ModelCapabilities = {
  /** Tokens; null where unknown. */
  readonly contextWindow: number | null
  readonly maxOutputTokens: number | null
  readonly imageInput: boolean
  /** That it takes images is known, and not only believed where nothing is known. */
  readonly seesImages?: boolean
  readonly fileInput: boolean
  readonly functionTools: boolean
  /** Free-text tools; where false they are wrapped as functions with one string argument. */
  readonly customTools: boolean
  readonly structuredOutput: boolean
  readonly reasoning: boolean
  readonly logprobs: boolean
  /** Tools that the provider runs by itself and may be asked for; absent: none. */
  readonly hostedTools?: readonly HostedTool[]
  /** It is the demo model: tools that nobody configured run as a demonstration for it. */
  readonly isDemo?: boolean
}

/** Everything of one call that is not what the model is shown. */
export type ModelContext = {
  readonly signal: AbortSignal
  /** Told before an upstream call is made. The calls of one context follow each other, retries and fallbacks too. */
  readonly onCall?: (call: ModelCall) => void
  /** Told once per upstream attempt when it ended, however it ended (law 18). */
  readonly onAttempt?: (attempt: ModelAttempt) => void
  /** Told by a model of several deployments each time it asks one, before the call. */
  readonly onRoute?: (route: TakenRoute) => void
}

/** The deployment that is asked next, and what led to it. */
export type TakenRoute = {
  readonly provider: string
  /** The name this provider knows. */
  readonly model: string
  /** The deployment that was asked in vain before, and why that one failed; null at the first. */
  readonly after: { readonly provider: string; readonly model: string; readonly reason: ModelErrorKind } | null
}

export type ModelCall = {
  readonly provider: string
  /** The name the provider knows. */
  readonly model: string
}

/** One upstream call that has ended, for the ledger, the metrics and the reply's headers. */
export type ModelAttempt = ModelCall & {
  readonly outcome: 'completed' | 'failed' | 'aborted'
  /** Null when the upstream reported none. */
  readonly usage: Usage | null
  /** HTTP status of the upstream, null when there was none. */
  readonly status: number | null
  readonly durationMs: number
  /** From the call to its first event; null when there was none. */
  readonly firstEventMs: number | null
  readonly upstreamRequestId: string | null
}

/**
 * What a model is shown. Calls of every tool of the API are shown as calls of functions and their outputs. `recalled`:
 * the item that a text stands for, for the provider whose own tool it is from. `native`: the item that a call or an output
 * of a function stands for, for a provider that has the tool; see `ToolDeclaration`.
 */
export type TurnItem = Exclude<Item, HostedItem | McpApprovalResponse | ClientItem | ProgramItem> & {
  readonly recalled?: HostedItem | McpApprovalResponse
  readonly native?: ClientItem
}

/** What a model is asked to do next: provider-neutral, complete, plain data. */
export type ModelTurn = {
  /** The name the provider knows. */
  readonly model: string
  readonly instructions: string | null
  /** The whole context in order, oldest first; already resolved, paired and truncated. */
  readonly items: readonly TurnItem[]
  readonly tools: readonly ToolDeclaration[]
  /** Tools the provider is to run itself; only what its capabilities name. Absent: none. */
  readonly hosted?: HostedTurn
  readonly toolChoice: TurnToolChoice
  readonly parallelToolCalls: boolean
  readonly text: TextOptions
  readonly reasoning: ReasoningOptions
  /** Null: the provider's default. */
  readonly temperature: number | null
  readonly topP: number | null
  readonly presencePenalty: number | null
  readonly frequencyPenalty: number | null
  /** Null: no log probabilities; a number: that many alternatives per token. */
  readonly topLogprobs: number | null
  readonly maxOutputTokens: number | null
  readonly stop: readonly string[] | null
  readonly serviceTier: string | null
  readonly promptCacheKey: string | null
  readonly promptCacheRetention: string | null
  readonly safetyIdentifier: string | null
  readonly metadata: Metadata
}

export type HostedTurn = {
  readonly tools: readonly HostedToolSpec[]
  /** Those the model may use, by `tool_choice`; null: all of them. */
  readonly allowed: readonly HostedChoice[] | null
  /** Calls over the whole turn; null: as many as it likes. */
  readonly maxCalls: number | null
  /** What the client asked to see of their results. */
  readonly include: readonly Include[]
}

/** `name` is what the model sees; a namespace is already folded into it (see tools/function). */
export type ToolDeclaration =
  | {
      readonly type: 'function'
      readonly name: string
      readonly description: string | null
      readonly parameters: Readonly<Record<string, unknown>> | null
      readonly strict: boolean
      /**
       * The tool of the API that the function stands for, which its client runs. An adapter whose provider has it may
       * declare that instead, and gives its calls as calls of the function.
       */
      readonly native?: ClientToolSpec
    }
  | {
      readonly type: 'custom'
      readonly name: string
      readonly description: string | null
      readonly format: CustomFormat
    }

/** `allowed` restricts calls to these declared names; null: all declared tools. For hosted tools see `HostedTurn`. */
export type TurnToolChoice = {
  readonly mode: 'none' | 'auto' | 'required'
  readonly allowed: readonly string[] | null
}

export type FinishReason = 'stop' | 'tool_calls' | 'length' | 'content_filter'

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never
/** A hosted item before it has an id of ours. */
export type HostedDraft = WithoutId<HostedItem>
/** A first sight of an image that is still being made. */
export type PartialImage = Omit<
  Extract<HostedProgress, { type: 'response.image_generation_call.partial_image' }>,
  'type'
>

/** An assistant message as its provider began it. */
export type MessageStart = { readonly phase: NonNullable<OutputMessage['phase']> | null }

export type ModelEvent =
  /** With `message` it begins one; without, it joins the message of the block before it where there is one. */
  | { readonly type: 'text-start'; readonly id: string; readonly message?: MessageStart }
  | { readonly type: 'text-delta'; readonly id: string; readonly delta: string; readonly logprobs?: readonly Logprob[] }
  | { readonly type: 'annotation'; readonly id: string; readonly annotation: Annotation }
  | { readonly type: 'text-end'; readonly id: string }
  | { readonly type: 'refusal-start'; readonly id: string; readonly message?: MessageStart }
  | { readonly type: 'refusal-delta'; readonly id: string; readonly delta: string }
  | { readonly type: 'refusal-end'; readonly id: string }
  | { readonly type: 'reasoning-start'; readonly id: string }
  /** `summary` is meant for people; `text` is the model's own chain of thought. `part` counts from 0 and only rises. */
  | {
      readonly type: 'reasoning-delta'
      readonly id: string
      readonly kind: 'summary' | 'text'
      readonly part: number
      readonly delta: string
    }
  /** `state`: what this provider needs to see again on later turns; opaque, sealed before a client gets it. */
  | { readonly type: 'reasoning-end'; readonly id: string; readonly state?: string }
  | {
      readonly type: 'call-start'
      readonly id: string
      readonly kind: 'function' | 'custom'
      readonly name: string
      /** The provider's own id of the call, kept when it has one. */
      readonly callId: string | null
    }
  | { readonly type: 'call-delta'; readonly id: string; readonly delta: string }
  | { readonly type: 'call-end'; readonly id: string }
  /** An item of a tool that ran where the model is. `item` as far as it is known. */
  | { readonly type: 'hosted-start'; readonly id: string; readonly item: HostedDraft }
  /** More of what the item streams: the code of an interpreter, the arguments of an MCP call. */
  | { readonly type: 'hosted-delta'; readonly id: string; readonly delta: string }
  /** The tool is at work. */
  | { readonly type: 'hosted-running'; readonly id: string }
  | { readonly type: 'hosted-image'; readonly id: string; readonly image: PartialImage }
  /** The whole item, of the same type as at its start. */
  | { readonly type: 'hosted-end'; readonly id: string; readonly item: HostedDraft }
  | {
      readonly type: 'finish'
      readonly reason: FinishReason
      /** The provider's word for it, for the log. */
      readonly rawReason: string | null
      /** Null when the provider reported none; the engine then estimates and says so. */
      readonly usage: Usage | null
    }

export type ModelErrorKind =
  /** The provider refused what the client sent. */
  | 'invalid_request'
  | 'context_length'
  | 'content_policy'
  /** The operator's credentials were refused. */
  | 'auth'
  | 'model_not_found'
  | 'rate_limit'
  /** The operator's account is used up: waiting does not help. */
  | 'quota'
  /** 5xx or an overload. */
  | 'unavailable'
  /** No connection: refused, reset, DNS, TLS. */
  | 'connection'
  /** One of our clocks ran out: connect, first byte, idle or whole. */
  | 'timeout'
  /** The reply could not be understood, or ended without an end. */
  | 'malformed'
  | 'aborted'

/** A failed model call. `message` may reach the client: it never holds a key, a URL or an upstream 5xx body. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly kind: ModelErrorKind
  /** The upstream's HTTP status, null when there was no reply. */
  readonly status: number | null
  /** The upstream's `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | null
  /** The request field the provider blamed, where that can be told. */
  readonly param: string | null
  readonly provider: string | null

  constructor(
    kind: ModelErrorKind,
    message: string,
    detail: {
      status?: number | null
      retryAfterMs?: number | null
      param?: string | null
      provider?: string | null
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: detail.cause })
    this.kind = kind
    this.status = detail.status ?? null
    this.retryAfterMs = detail.retryAfterMs ?? null
    this.param = detail.param ?? null
    this.provider = detail.provider ?? null
  }
}
