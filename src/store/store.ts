/**
 * PORT: durable state. Asynchronous, and scoped: whoever holds a `ProjectStore` can see one project and nothing else,
 * so a foreign id answers like an id that never existed (law 16).
 *
 * The laws, held by `store.contract.ts` for every adapter:
 * - A resolved write is on disk (law 6). Writes asked for together may share one commit; each is all or nothing.
 * - A terminal status is never left (law 2): `finishResponse` on a finished row changes nothing.
 * - Storage is linear: a response keeps only its own new input items and its output items.
 * - Text that cannot be stored exactly (lone surrogates, NUL) is refused before it gets here; see protocol/validate.
 */

import type { Item } from '../protocol/items.ts'
import type { PromptTemplate } from '../protocol/prompts.ts'
import type { ResponseObject, ResponseStatus } from '../protocol/response.ts'
import type { ConversationStore } from './conversation-store.ts'
import type { EventLog } from './event-log.ts'
import type { BlobLedger, FileStore } from './file-store.ts'
import type { EndClaim, IdempotencyStore } from './idempotency-store.ts'
import type { JobStore, ProjectJobs } from './job-store.ts'
import type { ResponseRecord, RunEnding, UsageRow } from './records.ts'
import type { IngestQueue, VectorStoreCatalog } from './vector-store-catalog.ts'
import type { WebhookQueue, WebhookStore } from './webhook-store.ts'

export { type ResponseRecord, type RunEnding, USAGE_OUTCOMES, type UsageRow } from './records.ts'

export interface Store {
  forProject(projectId: string): ProjectStore
  readonly keys: KeyStore
  readonly webhooks: WebhookQueue
  readonly blobs: BlobLedger
  readonly jobs: JobStore
  readonly ingestion: IngestQueue
  /**
   * Ends every response that a dead process left non-terminal, as `failed`, every lock and claim it held, every
   * usage row it left open, as `interrupted`, and every blob it was writing; what has a job keeps its lock and is free to
   * be taken. For the start of a single node. Answers how many responses were ended.
   */
  failOrphans(error: { code: 'server_error'; message: string }): Promise<number>
  /**
   * Deletes at most `limit` responses that expired before `now` (seconds) and on which no kept response stands; with
   * them, as many items of deleted conversations, idempotency keys, files, uploads, deliveries of webhooks and event logs.
   * Answers how many there were of the most frequent kind; call again while it answers `limit`. A run that is going may
   * stand on a response without a row of its own to show for it, so `now` has to lie at least the longest run in the past.
   */
  purgeExpired(now: number, limit: number): Promise<number>
  /**
   * What `purgeExpired` would delete if it had no limit and, with `createdBefore`, if every response finished and made
   * before that had expired too. Looks at every response: for people, not for requests.
   */
  countExpired(now: number, createdBefore: number | null): Promise<Expired>
  /**
   * Lets finished responses expire that were made before `createdBefore`, in steps of `limit` rows. Answers where the
   * next step goes on; null when that was the last one.
   */
  expireOlder(
    createdBefore: number,
    expiresAt: number,
    step: { readonly after: number; readonly limit: number },
  ): Promise<number | null>
  /** The ledger from `since` (seconds) on, in sums of one day, key, provider and model. Looks at every row: for people. */
  sumUsage(since: number): Promise<readonly UsageSum[]>
  /** Every call made for one response of any project, oldest first. Looks at every row: for people. */
  usageOf(responseId: string): Promise<readonly UsageRow[]>
  /** Resolves when the store can read and write; for readiness. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** `bytes`: of the responses and their items, without indexes. */
export type Expired = {
  readonly responses: number
  readonly items: number
  readonly bytes: number
  readonly files: number
  readonly fileBytes: number
}

export interface ProjectStore {
  readonly projectId: string
  readonly conversations: ConversationStore
  readonly idempotency: IdempotencyStore
  readonly jobs: ProjectJobs
  readonly events: EventLog
  /** Writes the row of a response that has begun. */
  startResponse(record: ResponseRecord): Promise<void>
  /**
   * Writes the terminal state, all items and the usage rows in one transaction; makes the row when there is none. Of a
   * response that has ended or was deleted only the usage is written, once per id: the calls were made. `ending` happens
   * in the same transaction; when the response had ended before, its lock and its claim are only given up. Throws, and
   * writes nothing, when the lock of the conversation went to somebody else (`conversation_locked`).
   */
  finishResponse(record: ResponseRecord, usage: readonly UsageRow[], ending?: RunEnding): Promise<void>
  /** The same for a response that is not stored. */
  finishUnstored(usage: readonly UsageRow[], ending: RunEnding): Promise<void>
  /** Writes the rows of calls that still run. What is written of them later closes them: writes keep their order. */
  openUsage(rows: readonly UsageRow[]): Promise<void>
  /** Usage of responses that are not stored. Nobody waits for it, so it may wait a moment to share a commit. */
  recordUsage(rows: readonly UsageRow[]): Promise<void>
  /** Null when unknown, deleted or expired. */
  getResponse(id: string): Promise<ResponseObject | null>
  /**
   * The chain that ends in `id`, oldest first, from the newest response that carries what was before it; with `whole`
   * from its root. Null when any link of it is missing.
   */
  readChain(id: string, limits: ChainLimits & { readonly whole?: boolean }): Promise<Chain | null>
  /** The newest stored item of each id, of responses and conversations; unknown ids are missing from the map. */
  getItems(ids: readonly string[]): Promise<ReadonlyMap<string, Item>>
  /** Deletes the response and its items. False when unknown. */
  deleteResponse(id: string): Promise<boolean>
  readonly prompts: PromptStore
  readonly webhooks: WebhookStore
  readonly files: FileStore
  readonly vectorStores: VectorStoreCatalog
}

/** Prompt templates of one project. Versions count from 1 and are never changed. */
export interface PromptStore {
  /** Writes version 1 and makes it the default, unless the project has `maxPrompts` already. */
  create(
    prompt: Omit<NewPromptVersion, 'name'> & { readonly name: string | null },
    maxPrompts: number,
    endClaim?: EndClaim<StoredPrompt>,
  ): Promise<StoredPrompt | 'full'>
  /** Writes the next version and makes it the default. A null name keeps the old one. */
  addVersion(
    prompt: NewPromptVersion,
    maxVersions: number,
    endClaim?: EndClaim<StoredPrompt>,
  ): Promise<StoredPrompt | 'unknown' | 'full'>
  /** Null when the prompt has no such version, or is unknown. */
  setDefault(id: string, version: number, endClaim?: EndClaim<StoredPrompt>): Promise<StoredPrompt | null>
  /** `version` null: the default one. */
  get(id: string, version: number | null): Promise<StoredPrompt | null>
  /** Prompts in their default versions, in the order in which they were made; at most `limit`. */
  list(page: PromptPage): Promise<readonly StoredPrompt[]>
  /** Deletes the prompt with all its versions. */
  delete(id: string): Promise<boolean>
}

export type NewPromptVersion = {
  readonly id: string
  readonly name: string | null
  readonly template: PromptTemplate
  /** Seconds since the epoch. */
  readonly createdAt: number
}

export type StoredPrompt = {
  readonly id: string
  readonly name: string | null
  /** When its first version was made. */
  readonly createdAt: number
  /** The version that `template` is. */
  readonly version: number
  readonly defaultVersion: number
  readonly latestVersion: number
  readonly template: PromptTemplate
}

export type PromptPage = {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** The id of the last prompt of the page before; an unknown one gives an empty page. */
  readonly after: string | null
}

export type ChainLimits = { readonly maxResponses: number; readonly maxBytes: number }

export type Chain =
  /** `carried`: what stands before the first link. */
  | { readonly type: 'chain'; readonly carried: readonly Item[]; readonly links: readonly ChainLink[] }
  | { readonly type: 'too-long'; readonly responses: number; readonly bytes: number }

export type ChainLink = {
  readonly id: string
  readonly status: ResponseStatus
  readonly input: readonly Item[]
  readonly output: readonly Item[]
}

/** Calls of one day, key, provider and model. */
export type UsageSum = {
  /** UTC, as `2027-01-31`. */
  readonly day: string
  readonly projectId: string
  readonly keyId: string
  readonly provider: string
  readonly model: string
  readonly calls: number
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  /** US dollars of the calls whose cost is known; null where none is. */
  readonly costUsd: number | null
  /** Calls that cost something nobody knows. */
  readonly unpricedCalls: number
}

export interface KeyStore {
  insert(key: StoredKey): Promise<void>
  find(id: string): Promise<StoredKey | null>
  /** Newest first. */
  list(): Promise<readonly StoredKey[]>
  /** False when unknown or revoked already. */
  revoke(id: string, at: number): Promise<boolean>
}

export const KEY_SCOPES = ['responses', 'files', 'read', 'admin'] as const
export type KeyScope = (typeof KEY_SCOPES)[number]

/** A key as stored: never the secret, only its digest. */
export type StoredKey = {
  /** The public part of the key, 12 base62 characters. */
  readonly id: string
  readonly projectId: string
  readonly name: string
  /** HMAC-SHA-256 of the secret under the server's pepper, hex. */
  readonly digest: string
  readonly scopes: readonly KeyScope[]
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}
