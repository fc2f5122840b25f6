/** What the edge can ask of the engine. One function per endpoint; every refusal is a thrown `ApiError`. */
import type { Principal } from '../auth/principal.ts'
import type { CompactedResponse, CompactRequest } from '../protocol/compact.ts'
import type {
  AddConversationItemsRequest,
  Conversation,
  CreateConversationRequest,
  UpdateConversationRequest,
} from '../protocol/conversation.ts'
import type { EmbeddingsRequest } from '../protocol/embeddings.ts'
import type {
  CompleteUploadRequest,
  CreateUploadRequest,
  FileList,
  FileObject,
  UploadObject,
  UploadPartObject,
} from '../protocol/files.ts'
import type { Item } from '../protocol/items.ts'
import type { Include } from '../protocol/options.ts'
import type { CreatePromptRequest, PromptList, PromptObject, UpdatePromptRequest } from '../protocol/prompts.ts'
import type { FileFields } from '../protocol/read-file-form.ts'
import type { CountInputTokensRequest, CreateResponseRequest } from '../protocol/request.ts'
import type { ItemList, ResponseObject, Usage } from '../protocol/response.ts'
import type { TakenJob } from '../store/job-store.ts'
import type { RunStream } from './run-event.ts'

export interface Engine {
  /** Plans the run, or refuses; nothing has been sent to a model when this throws. */
  createResponse(request: CreateResponseRequest, caller: Caller): Promise<Run>
  /** The same without a call of the model: a response without output, to continue from. */
  prepareResponse(request: CreateResponseRequest, caller: Caller): Promise<Run>
  getResponse(id: string, caller: Caller): Promise<ResponseObject>
  /** The events after the one numbered `after`, and those to come. Refuses a response whose events are not kept. */
  streamResponse(id: string, after: number, caller: Caller): Promise<RunStream>
  /** Works on a background run until it ends, or is let go; throws nothing. */
  runJob(job: TakenJob, control: JobControl): Promise<void>
  deleteResponse(id: string, caller: Caller): Promise<void>
  cancelResponse(id: string, caller: Caller): Promise<ResponseObject>
  listInputItems(id: string, page: PageQuery, caller: Caller): Promise<ItemList>
  countInputTokens(request: CountInputTokensRequest, caller: Caller): Promise<number>
  createEmbeddings(request: EmbeddingsRequest, caller: Caller): Promise<Embeddings>
  /** Asks the model for a summary of the window; stores nothing. */
  compactResponse(request: CompactRequest, caller: Caller): Promise<Compacted>
  createPrompt(request: CreatePromptRequest, caller: Caller): Promise<PromptObject>
  /** A new version, or another default version. */
  updatePrompt(id: string, request: UpdatePromptRequest, caller: Caller): Promise<PromptObject>
  /** `version` null: the default one. */
  getPrompt(id: string, version: string | null, caller: Caller): Promise<PromptObject>
  listPrompts(page: PageQuery, caller: Caller): Promise<PromptList>
  deletePrompt(id: string, caller: Caller): Promise<void>
  readonly conversations: Conversations
  readonly files: Files
  readonly uploads: Uploads
}

export interface Conversations {
  create(request: CreateConversationRequest, caller: Caller): Promise<Conversation>
  get(id: string, caller: Caller): Promise<Conversation>
  update(id: string, request: UpdateConversationRequest, caller: Caller): Promise<Conversation>
  delete(id: string, caller: Caller): Promise<void>
  /** Answers the added items. */
  addItems(
    id: string,
    request: AddConversationItemsRequest,
    include: readonly Include[],
    caller: Caller,
  ): Promise<ItemList>
  listItems(id: string, page: PageQuery, caller: Caller): Promise<ItemList>
  getItem(id: string, itemId: string, include: readonly Include[], caller: Caller): Promise<Item>
  /** Answers the conversation. */
  deleteItem(id: string, itemId: string, caller: Caller): Promise<Conversation>
}

export type JobControl = {
  /** Ends the run, with a `RunAbort` as its reason. */
  readonly abort: AbortController
  /** At the next step the run is let go, so that another process goes on with it. */
  isPausing(): boolean
}

export interface Files {
  create(form: IncomingForm<FileFields>, caller: Caller): Promise<FileObject>
  get(id: string, caller: Caller): Promise<FileObject>
  list(page: FilePageQuery, caller: Caller): Promise<FileList>
  delete(id: string, caller: Caller): Promise<void>
  read(id: string, caller: Caller): Promise<FileContent>
}

export interface Uploads {
  create(request: CreateUploadRequest, caller: Caller): Promise<UploadObject>
  addPart(id: string, form: IncomingForm<unknown>, caller: Caller): Promise<UploadPartObject>
  complete(id: string, request: CompleteUploadRequest, caller: Caller): Promise<UploadObject>
  cancel(id: string, caller: Caller): Promise<UploadObject>
}

/** A form with one file, as it arrives: its fields may come before or after the file. */
export interface IncomingForm<Fields> {
  /** Of the whole form, where the client says; more than its file. */
  readonly expectedBytes: number | null
  /**
   * Reads to the end. `take` is called once, with the file; whoever calls must read its content to the end or throw.
   * Throws what `take` throws, and `ApiError` 400 for a form that is malformed, has no file, or fields that are wrong.
   */
  read(take: (file: IncomingFile) => Promise<void>): Promise<Fields>
}

export type IncomingFile = {
  readonly filename: string
  /** Lower case, without parameters. */
  readonly mediaType: string
  readonly content: AsyncIterable<Uint8Array>
}

export type FilePageQuery = Omit<PageQuery, 'include'> & { readonly purpose: string | null }

export type FileContent = {
  readonly filename: string
  readonly bytes: number
  /** Opens nothing before its first chunk is asked for. */
  readonly content: AsyncIterable<Uint8Array>
}

export type Compacted = { readonly response: CompactedResponse; readonly warnings: readonly string[] }

export type Caller = {
  readonly principal: Principal
  readonly requestId: string
  /** The `Idempotency-Key` of the request, where there is one. */
  readonly idempotency?: IdempotentRequest | null
  /**
   * Aborted when the reader has gone or the server must stop. A run ends itself on it and its stream is then read to
   * the end; `reason` may be a `RunAbort`.
   */
  readonly signal: AbortSignal
  /** Where this caller's unstored responses are kept, and looked for before the store; absent: nowhere. */
  readonly memory?: ResponseMemory
}

/** Responses that outlive their run without being stored, for as long as somebody holds this, as a connection does. */
export interface ResponseMemory {
  /** Everything that a next turn continues from, oldest first; null when it is not kept here. */
  get(responseId: string): readonly Item[] | null
  put(responseId: string, items: readonly Item[]): void
}

export type IdempotentRequest = {
  /** SHA-256 of the key as it was sent, hex. */
  readonly keyDigest: string
  /** SHA-256, hex, of the canonical body and of what else the request says. */
  readonly fingerprint: string
  /** Told when the answer is the one of an earlier request; a run says so itself. */
  onReplay?(): void
}

/**
 * Why a run is stopped from outside. Anything else as a signal's reason counts as `reader-gone`. `let-go`: somebody else
 * goes on with it, so how it ends here is told to nobody.
 */
export class RunAbort extends Error {
  override readonly name = 'RunAbort'
  readonly kind: 'reader-gone' | 'cancelled' | 'shutdown' | 'deadline' | 'let-go'
  constructor(kind: RunAbort['kind']) {
    super(`run stopped: ${kind}`)
    this.kind = kind
  }
}

export type Run = {
  readonly responseId: string
  /**
   * To be read once, to its end, by exactly one sink. Never throws, except an `ApiError` for the reader alone where the
   * run goes on without it (`queued`).
   */
  readonly events: RunStream
  /** It runs without its client: the response as it is now, which is the answer where its events are not asked for. */
  readonly queued?: ResponseObject
  /** What was dropped or changed, one line each, for `x-antiphon-warnings`. */
  readonly warnings: readonly string[]
  /** The answer of an earlier request with the same key; nothing runs. */
  readonly replayed?: true
  /** What is known of the upstream calls so far; complete after the terminal event. */
  report(): RunReport
}

/** What a request for embeddings made. */
export type Embeddings = Pick<Run, 'report'> & {
  /** The name the client used. */
  readonly model: string
  /** One for each input, in their order. */
  readonly vectors: readonly (readonly number[])[]
  readonly usage: Usage
}

export type RunReport = {
  /** Who was asked last, else who will be asked first. */
  readonly provider: string
  /** The name that provider knows. */
  readonly upstreamModel: string
  /** The deployment that was asked first, as `provider/model`, where another one had to stand in; else null. */
  readonly fallbackFrom: string | null
  /** What a deployment that stood in could not be shown, one line each. */
  readonly warnings: readonly string[]
  readonly attempts: number
  readonly upstreamRequestId: string | null
  /** Milliseconds of the run that were not spent waiting for an upstream. */
  readonly overheadMs: number
  /** US dollars of all calls; null before the end, and where a price is unknown. */
  readonly costUsd: number | null
}

export type PageQuery = {
  /** 1 to 100. */
  readonly limit: number
  readonly order: 'asc' | 'desc'
  readonly after: string | null
  readonly include: readonly Include[]
}
