/** Everything asked of `webhook_endpoints` and `webhook_deliveries`. */
import { query, type Value } from './query.ts'
import { PROJECT } from './response-queries.ts'

type Scope = { projectId: string; id: string }
type PageValues = { projectId: string; after: string; limit: number }

export type WebhookRow = {
  id: string
  name: string
  url: string
  event_types: string
  secret: string
  secret_hint: string
  previous_secret: string | null
  previous_until: number | null
  configured: number
  created_at: number
  updated_at: number
}
export type DeliveryRow = {
  event_id: string
  event_type: string
  response_id: string
  created_at: number
  status: string
  attempts: number
  next_attempt_at: number | null
  last_attempt_at: number | null
  last_status_code: number | null
  last_error: string | null
}
export type DueRow = Pick<DeliveryRow, 'event_id' | 'event_type' | 'response_id' | 'created_at' | 'attempts'> &
  Pick<WebhookRow, 'url' | 'secret' | 'previous_secret' | 'previous_until'> & {
    seq: number
    endpoint_id: string
    project_id: string
  }
type EndpointValues = Scope & {
  name: string
  url: string
  eventTypes: string
  secret: string
  secretHint: string
  previousSecret: string | null
  previousUntil: number | null
  configured: number
  createdAt: number
  updatedAt: number
}
type EventValues = {
  projectId: string
  eventId: string
  eventType: string
  responseId: string
  createdAt: number
  expiresAt: number
}
type DeliveryValues = { projectId: string; endpointId: string; eventId: string }

const COLUMNS = `id, name, url, event_types, secret, secret_hint, previous_secret, previous_until, configured,
  created_at, updated_at`
const DELIVERY = `event_id, event_type, response_id, created_at, status, attempts, next_attempt_at, last_attempt_at,
  last_status_code, last_error`
const ENDPOINT = `(select seq from webhook_endpoints where project = ${PROJECT} and id = :endpointId)`
const AFTER_ENDPOINT = `(select after.seq from webhook_endpoints as after
  where after.project = ${PROJECT} and after.id = :after)`
const AFTER_DELIVERY = `(select after.seq from webhook_deliveries as after
  where after.endpoint_seq = ${ENDPOINT} and after.event_id = :after)`

/** A page in either direction, with and without a place to begin after. */
const page = <P extends Readonly<Record<string, Value>>, R>(from: string, after: string) => ({
  up: query<Omit<P, 'after'>, R>(`${from} order by seq limit :limit`),
  down: query<Omit<P, 'after'>, R>(`${from} order by seq desc limit :limit`),
  upAfter: query<P, R>(`${from} and seq > ${after} order by seq limit :limit`),
  downAfter: query<P, R>(`${from} and seq < ${after} order by seq desc limit :limit`),
})
const endpointPage = page<PageValues, WebhookRow>(
  `select ${COLUMNS} from webhook_endpoints where project = ${PROJECT}`,
  AFTER_ENDPOINT,
)
const deliveryPage = page<PageValues & { endpointId: string }, DeliveryRow>(
  `select ${DELIVERY} from webhook_deliveries where endpoint_seq = ${ENDPOINT}`,
  AFTER_DELIVERY,
)

/** Oldest first within an endpoint, and no endpoint whose last batch is still out. */
const DUE = `select due.seq from webhook_endpoints as endpoints join webhook_deliveries as due
  on due.seq in (
    select seq from webhook_deliveries
    where endpoint_seq = endpoints.seq and next_attempt_at <= :now order by next_attempt_at limit :perEndpoint
  )
  where not exists (
    select 1 from webhook_deliveries as out where out.endpoint_seq = endpoints.seq and out.leased_until > :now
  )
  limit :limit`

export const webhookQueries = {
  countWebhooks: query<{ projectId: string }, { endpoints: number }>(
    `select count(*) as endpoints from webhook_endpoints where project = ${PROJECT}`,
  ),
  insertWebhook: query<EndpointValues>(`
    insert into webhook_endpoints (project, ${COLUMNS}) values (${PROJECT}, :id, :name, :url, :eventTypes, :secret,
      :secretHint, :previousSecret, :previousUntil, :configured, :createdAt, :updatedAt)`),
  putConfiguredWebhook: query<EndpointValues>(`
    insert into webhook_endpoints (project, ${COLUMNS}) values (${PROJECT}, :id, :name, :url, :eventTypes, :secret,
      :secretHint, :previousSecret, :previousUntil, :configured, :createdAt, :updatedAt)
    on conflict (project, id) do update set name = excluded.name, url = excluded.url,
      event_types = excluded.event_types, secret = excluded.secret, secret_hint = excluded.secret_hint`),
  deleteConfiguredWebhooks: query<{ kept: string }>(`
    delete from webhook_endpoints where configured = 1 and not exists (
      select 1 from json_each(:kept) as wanted join projects on projects.id = wanted.value ->> 'projectId'
      where projects.seq = webhook_endpoints.project and wanted.value ->> 'id' = webhook_endpoints.id)`),
  getWebhook: query<Scope, WebhookRow>(
    `select ${COLUMNS} from webhook_endpoints where project = ${PROJECT} and id = :id`,
  ),
  listWebhooksUp: endpointPage.up,
  listWebhooksDown: endpointPage.down,
  listWebhooksUpAfter: endpointPage.upAfter,
  listWebhooksDownAfter: endpointPage.downAfter,
  changeWebhook: query<EndpointValues>(`
    update webhook_endpoints set name = :name, url = :url, event_types = :eventTypes, secret = :secret,
      secret_hint = :secretHint, previous_secret = :previousSecret, previous_until = :previousUntil,
      updated_at = :updatedAt
    where project = ${PROJECT} and id = :id`),
  deleteWebhook: query<Scope>(`delete from webhook_endpoints where project = ${PROJECT} and id = :id`),

  addDeliveries: query<EventValues>(`
    insert into webhook_deliveries (endpoint_seq, event_id, event_type, response_id, created_at, expires_at, status,
      attempts, next_attempt_at)
    select seq, :eventId, :eventType, :responseId, :createdAt, :expiresAt, 'pending', 0, :createdAt * 1000
    from webhook_endpoints
    where project = ${PROJECT} and exists (select 1 from json_each(event_types) where value = :eventType)`),
  listDeliveriesUp: deliveryPage.up,
  listDeliveriesDown: deliveryPage.down,
  listDeliveriesUpAfter: deliveryPage.upAfter,
  listDeliveriesDownAfter: deliveryPage.downAfter,
  getDelivery: query<DeliveryValues, DeliveryRow>(
    `select ${DELIVERY} from webhook_deliveries where endpoint_seq = ${ENDPOINT} and event_id = :eventId`,
  ),
  redeliver: query<DeliveryValues & { now: number }>(`
    update webhook_deliveries set status = 'pending', attempts = 0, next_attempt_at = :now, leased_until = null
    where endpoint_seq = ${ENDPOINT} and event_id = :eventId`),
  takeDeliveries: query<{ now: number; until: number; limit: number; perEndpoint: number }, { seq: number }>(`
    update webhook_deliveries set attempts = attempts + 1, next_attempt_at = :until, leased_until = :until
    where seq in (${DUE}) returning seq`),
  getDue: query<{ seq: number }, DueRow>(`
    select webhook_deliveries.seq, event_id, event_type, response_id, webhook_deliveries.created_at, attempts,
      webhook_endpoints.id as endpoint_id, url, secret, previous_secret, previous_until, projects.id as project_id
    from webhook_deliveries join webhook_endpoints on webhook_endpoints.seq = endpoint_seq
      join projects on projects.seq = project
    where webhook_deliveries.seq = :seq`),
  settleDelivery: query<{
    seq: number
    attempts: number
    status: string
    at: number
    statusCode: number | null
    error: string | null
    nextAttemptAt: number | null
  }>(`
    update webhook_deliveries set status = :status, last_attempt_at = :at, last_status_code = :statusCode,
      last_error = :error, next_attempt_at = :nextAttemptAt, leased_until = null
    where seq = :seq and attempts = :attempts and leased_until is not null`),
  nextDelivery: query<Record<never, Value>, { due: number | null }>(
    'select min(next_attempt_at) as due from webhook_deliveries where next_attempt_at is not null',
  ),
  purgeDeliveries: query<{ now: number; limit: number }>(`
    delete from webhook_deliveries where seq in (
      select seq from webhook_deliveries where next_attempt_at is null and expires_at <= :now limit :limit)`),
}
