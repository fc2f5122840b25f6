/** PORT: what is written of a response and of the calls that were made for it. */
import type { Cost } from '../protocol/cost.ts'
import type { Item } from '../protocol/items.ts'
import type { ResponseObject, Usage } from '../protocol/response.ts'
import type { ConversationTurn } from './conversation-store.ts'
import type { ClaimEnd } from './idempotency-store.ts'
import type { WebhookEvent } from './webhook-store.ts'

export type ResponseRecord = {
  readonly response: ResponseObject
  /** The new input of this response alone, with ids. */
  readonly input: readonly Item[]
  /**
   * For a response that compacts: what goes on of everything before it. A chain is read from here on, with these items
   * first, however long it was before. Absent or null: the chain goes on to `previous_response_id`.
   */
  readonly carried?: readonly Item[] | null
  /** Seconds since the epoch; null keeps it for ever. */
  readonly expiresAt: number | null
}

/** What ends together with a response. */
export type RunEnding = {
  readonly turn: ConversationTurn | null
  readonly claim: ClaimEnd | null
  /** What the receivers of webhooks are told; absent or null: nothing. */
  readonly event?: WebhookEvent | null
}

/** `running`: opened and not yet closed. `interrupted`: the process died while it ran. */
export const USAGE_OUTCOMES = ['running', 'completed', 'failed', 'aborted', 'interrupted'] as const

/** One upstream call in the ledger. A row that is written again is closed if it was open, and else stays as it is. */
export type UsageRow = {
  readonly id: string
  readonly keyId: string
  /** The response it was made for, whether that is stored or not. */
  readonly responseId: string
  readonly provider: string
  readonly model: string
  readonly outcome: (typeof USAGE_OUTCOMES)[number]
  readonly usage: Usage
  /** True when the upstream reported no usage and ours is counted by a tokenizer. */
  readonly estimated: boolean
  readonly durationMs: number
  /** Seconds since the epoch. */
  readonly createdAt: number
  /** What it cost, with the arithmetic; null where a price is unknown. */
  readonly cost: Cost | null
}
