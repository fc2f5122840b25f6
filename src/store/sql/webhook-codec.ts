/** Rows of webhooks to what the port speaks of, and back. */
import { DELIVERY_STATUSES, WEBHOOK_EVENT_TYPES } from '../../protocol/webhooks.ts'
import type { DueDelivery, StoredDelivery, StoredWebhook } from '../webhook-store.ts'
import type { DeliveryRow, DueRow, WebhookRow } from './webhook-queries.ts'

export function toWebhookValues(projectId: string, { configured, eventTypes, ...endpoint }: StoredWebhook) {
  return { ...endpoint, projectId, eventTypes: JSON.stringify(eventTypes), configured: configured ? 1 : 0 }
}

export function fromWebhookRow(row: WebhookRow): StoredWebhook {
  const eventTypes: StoredWebhook['eventTypes'] = JSON.parse(row.event_types)
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    eventTypes,
    secret: row.secret,
    secretHint: row.secret_hint,
    previousSecret: row.previous_secret,
    previousUntil: row.previous_until,
    configured: row.configured === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export const fromDeliveryRow = (row: DeliveryRow): StoredDelivery => ({
  event: eventOf(row),
  status: known(DELIVERY_STATUSES, row.status),
  attempts: row.attempts,
  nextAttemptAt: row.next_attempt_at,
  lastAttemptAt: row.last_attempt_at,
  lastStatusCode: row.last_status_code,
  lastError: row.last_error,
})

export const fromDueRow = (row: DueRow): DueDelivery => ({
  seq: row.seq,
  projectId: row.project_id,
  event: eventOf(row),
  attempts: row.attempts,
  endpoint: {
    id: row.endpoint_id,
    url: row.url,
    secret: row.secret,
    previousSecret: row.previous_secret,
    previousUntil: row.previous_until,
  },
})

const eventOf = (row: Pick<DeliveryRow, 'event_id' | 'event_type' | 'response_id' | 'created_at'>) => ({
  id: row.event_id,
  type: known(WEBHOOK_EVENT_TYPES, row.event_type),
  responseId: row.response_id,
  createdAt: row.created_at,
})

/** A word that was written by us. */
function known<T extends string>(words: readonly T[], word: string): T {
  const found = words.find((it) => it === word)
  if (found === undefined) throw new Error(`the database holds '${word}', which this version does not know`)
  return found
}
