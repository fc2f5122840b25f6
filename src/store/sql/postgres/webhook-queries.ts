/** What is asked of webhooks in another way than of SQLite. */
import { query } from '../query.ts'
import { PROJECT } from '../response-queries.ts'
import { type DueRow, webhookQueries } from '../webhook-queries.ts'
import { forUpdate } from './for-update.ts'

type Changed = Record<never, never>
type EventValues = {
  projectId: string
  eventId: string
  eventType: string
  responseId: string
  createdAt: number
  expiresAt: number
}

export const webhooks = {
  holdWebhook: forUpdate(webhookQueries.getWebhook),
  /** "HOOK": one taker at a time, because two could each take a batch of one endpoint. */
  lockQueue: query<Record<never, never>, { done: boolean }>(
    'select pg_advisory_xact_lock(1213157195, hashtext(current_schema())) is null as done',
  ),
  addDeliveries: query<EventValues, Changed>(`
    insert into webhook_deliveries (endpoint_seq, event_id, event_type, response_id, created_at, expires_at, status,
      attempts, next_attempt_at)
    select seq, cast(:eventId as text), cast(:eventType as text), cast(:responseId as text),
      cast(:createdAt as bigint), cast(:expiresAt as bigint), 'pending', 0, cast(:createdAt as bigint) * 1000
    from webhook_endpoints where project = ${PROJECT}
      and exists (select from json_array_elements_text(cast(event_types as json)) as wanted (type) where type = :eventType)`),
  /** `kept`: a JSON array of `{ projectId, id }`. */
  deleteConfigured: query<{ kept: string }, Changed>(`
    delete from webhook_endpoints where configured = 1 and not exists (
      select from json_to_recordset(cast(:kept as json)) as kept ("projectId" text, id text)
      join projects on projects.id = kept."projectId"
      where projects.seq = webhook_endpoints.project and kept.id = webhook_endpoints.id)`),
  getAllDue: query<{ seqs: string }, DueRow>(`
    select webhook_deliveries.seq, event_id, event_type, response_id, webhook_deliveries.created_at, attempts,
      webhook_endpoints.id as endpoint_id, url, secret, previous_secret, previous_until, projects.id as project_id
    from webhook_deliveries join webhook_endpoints on webhook_endpoints.seq = endpoint_seq
      join projects on projects.seq = project
    where webhook_deliveries.seq = any(cast(:seqs as bigint[])) order by webhook_deliveries.seq`),
}
