/**
 * PORT: where events are sent, and which of them have arrived.
 *
 * The laws, held by `store-webhooks.contract.ts` for every adapter:
 * - An event becomes a delivery for every endpoint that wants it in the transaction that ends its response: whoever sees
 *   the end sees the deliveries, and no end is forgotten.
 * - A delivery is handed out to one taker until its lease is over; only the one who holds it settles it.
 * - The events of an endpoint are handed out as a batch, and its next batch when the last is settled: a receiver that
 *   does not answer holds up nobody but itself.
 */
import type { DELIVERY_STATUSES, WebhookEventType } from '../protocol/webhooks.ts'
import type { EndClaim } from './idempotency-store.ts'

/** The endpoints and deliveries of one project. */
export interface WebhookStore {
  /** Unless the project has `maxEndpoints` already. */
  create(
    endpoint: StoredWebhook,
    maxEndpoints: number,
    endClaim?: EndClaim<StoredWebhook>,
  ): Promise<StoredWebhook | 'full'>
  get(id: string): Promise<StoredWebhook | null>
  /** In the order in which they were made. */
  list(page: WebhookPage): Promise<readonly StoredWebhook[]>
  /** What is absent stays. Null when there is no such endpoint. */
  change(id: string, change: WebhookChange): Promise<StoredWebhook | null>
  /** With its deliveries. False when unknown. */
  delete(id: string): Promise<boolean>
  /** `after`: the id of an event. */
  listDeliveries(endpointId: string, page: WebhookPage): Promise<readonly StoredDelivery[]>
  getDelivery(endpointId: string, eventId: string): Promise<StoredDelivery | null>
  /** Lets it be sent again from `now` (milliseconds) on, with a full schedule of attempts. Null when unknown. */
  redeliver(endpointId: string, eventId: string, now: number): Promise<StoredDelivery | null>
}

/** The deliveries of all projects, for the one who sends them. */
export interface WebhookQueue {
  /** Takes what is due; each is due again at the end of the lease, if it is not settled before. */
  take(batch: DeliveryBatch): Promise<readonly DueDelivery[]>
  /** How an attempt ended. Does nothing when the delivery was deleted, or is held by somebody else by now. */
  settle(delivery: DueDelivery, end: AttemptEnd): Promise<void>
  /** When the next delivery is due, milliseconds; null when none waits. */
  nextDueAt(): Promise<number | null>
  /** Makes the endpoints of the configuration the ones that are there: makes, changes, and deletes what is left over. */
  setConfigured(endpoints: readonly (StoredWebhook & { readonly projectId: string })[]): Promise<void>
}

export type WebhookPage = {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** The id of the last one of the page before; an unknown one gives an empty page. */
  readonly after: string | null
}

export type StoredWebhook = {
  readonly id: string
  readonly name: string
  readonly url: string
  readonly eventTypes: readonly WebhookEventType[]
  /** Sealed; the store never knows it. */
  readonly secret: string
  /** What may be shown of it. */
  readonly secretHint: string
  /** The secret before, sealed, and until when it signs too (seconds). */
  readonly previousSecret: string | null
  readonly previousUntil: number | null
  /** Of the configuration, which alone may change it. */
  readonly configured: boolean
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type WebhookChange = Partial<Omit<StoredWebhook, 'id' | 'configured' | 'createdAt' | 'updatedAt'>> &
  Pick<StoredWebhook, 'updatedAt'>

/** The end of a response as its receivers are told. */
export type WebhookEvent = {
  readonly id: string
  readonly type: WebhookEventType
  readonly responseId: string
  /** Seconds since the epoch. */
  readonly createdAt: number
  /** Of its deliveries, seconds: until when the log keeps them. */
  readonly expiresAt: number
}

export type StoredDelivery = {
  readonly event: Omit<WebhookEvent, 'expiresAt'>
  readonly status: (typeof DELIVERY_STATUSES)[number]
  /** Of its present schedule. */
  readonly attempts: number
  /** Milliseconds since the epoch, like all times of attempts. */
  readonly nextAttemptAt: number | null
  readonly lastAttemptAt: number | null
  readonly lastStatusCode: number | null
  readonly lastError: string | null
}

export type DeliveryBatch = {
  readonly now: number
  readonly leaseMs: number
  readonly limit: number
  readonly perEndpoint: number
}

/** Taken, and so an attempt more than before. */
export type DueDelivery = Pick<StoredDelivery, 'event' | 'attempts'> & {
  /** The delivery, and the right to settle it. */
  readonly seq: number
  readonly projectId: string
  readonly endpoint: Pick<StoredWebhook, 'id' | 'url' | 'secret' | 'previousSecret' | 'previousUntil'>
}

export type AttemptEnd = {
  readonly status: StoredDelivery['status']
  readonly at: number
  readonly statusCode: number | null
  readonly error: string | null
  /** For `pending`. */
  readonly nextAttemptAt: number | null
}
