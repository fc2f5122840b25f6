/** Use cases on webhook endpoints: make, read, change, delete, rotate the secret, try, and look at what was sent. */

import { seconds } from '../lib/clock.ts'
import type { WebhookSender } from '../lib/send-webhook.ts'
import { newWebhookSecret } from '../lib/webhook-signature.ts'
import { badRequest, notFound } from '../protocol/errors.ts'
import {
  type CreateWebhookEndpointRequest,
  type RotateWebhookSecretRequest,
  type TestWebhookEndpointRequest,
  type UpdateWebhookEndpointRequest,
  type WebhookDelivery,
  type WebhookDeliveryList,
  type WebhookEndpoint,
  type WebhookEndpointList,
  type WebhookEndpointWithSecret,
  type WebhookTestResult,
  webhookEventBody,
} from '../protocol/webhooks.ts'
import type { StoredDelivery, StoredWebhook, WebhookChange, WebhookStore } from '../store/webhook-store.ts'
import type { Caller, PageQuery } from './engine.ts'
import { type IdempotencyDeps, once } from './idempotency.ts'
import { listObject } from './list-object.ts'
import { hintOf, sealSecret, secretsOf } from './webhook-secrets.ts'

/** Of one project. */
export const MAX_WEBHOOK_ENDPOINTS = 20
const ENDPOINT_ID_PREFIX = 'whe'
const OLD_SECRET_SECONDS = 24 * 3600
/** Where `Idempotency-Key` counts. */
const ENDPOINT = 'POST /v1/webhook_endpoints'

/** What the edge can ask. One function per endpoint; every refusal is a thrown `ApiError`. */
export interface Webhooks {
  create(request: CreateWebhookEndpointRequest, caller: Caller): Promise<WebhookEndpointWithSecret>
  get(id: string, caller: Caller): Promise<WebhookEndpoint>
  list(page: PageQuery, caller: Caller): Promise<WebhookEndpointList>
  update(id: string, request: UpdateWebhookEndpointRequest, caller: Caller): Promise<WebhookEndpoint>
  delete(id: string, caller: Caller): Promise<void>
  rotateSecret(id: string, request: RotateWebhookSecretRequest, caller: Caller): Promise<WebhookEndpointWithSecret>
  test(id: string, request: TestWebhookEndpointRequest, caller: Caller): Promise<WebhookTestResult>
  listDeliveries(id: string, page: PageQuery, caller: Caller): Promise<WebhookDeliveryList>
  /** Sends an event again, whether it had arrived or not. */
  redeliver(id: string, eventId: string, caller: Caller): Promise<WebhookDelivery>
}

export type WebhookDeps = IdempotencyDeps & {
  readonly webhookSender: WebhookSender
  /** Told when a delivery may be due. */
  readonly onDelivery: () => void
}

export const createWebhooks = (deps: WebhookDeps): Webhooks => ({
  create: (request, caller) => create(request, caller, deps),
  get: async (id, caller) => toObject(await find(id, caller, deps)),
  list: (page, caller) => list(page, caller, deps),
  update: (id, request, caller) => update(id, request, caller, deps),
  async delete(id, caller) {
    refuseConfigured(await find(id, caller, deps))
    if (!(await storeOf(caller, deps).delete(id))) throw endpointNotFound(id)
  },
  rotateSecret: (id, request, caller) => rotateSecret(id, request, caller, deps),
  test: (id, request, caller) => test(id, request, caller, deps),
  listDeliveries: (id, page, caller) => listDeliveries(id, page, caller, deps),
  async redeliver(id, eventId, caller) {
    const delivery = await storeOf(caller, deps).redeliver(id, eventId, deps.clock.now())
    if (delivery === null) throw notFound(`Delivery with id '${eventId}' not found.`)
    deps.onDelivery()
    return toDelivery(id, delivery)
  },
})

export const endpointNotFound = (id: string) => notFound(`Webhook endpoint with id '${id}' not found.`)

const storeOf = ({ principal }: Caller, { store }: WebhookDeps): WebhookStore =>
  store.forProject(principal.projectId).webhooks

async function find(id: string, caller: Caller, deps: WebhookDeps): Promise<StoredWebhook> {
  const found = await storeOf(caller, deps).get(id)
  if (found === null) throw endpointNotFound(id)
  return found
}

function create(request: CreateWebhookEndpointRequest, caller: Caller, deps: WebhookDeps) {
  checkUrl(request.url, deps)
  return once<WebhookEndpointWithSecret>(ENDPOINT, caller, deps, async (endClaim) => {
    const id = deps.ids.next(ENDPOINT_ID_PREFIX)
    const secret = newWebhookSecret()
    const now = seconds(deps.clock)
    const endpoint: StoredWebhook = {
      id,
      name: request.name,
      url: request.url,
      eventTypes: unique(request.event_types),
      secret: sealSecret(secret, { projectId: caller.principal.projectId, id }, deps),
      secretHint: hintOf(secret),
      previousSecret: null,
      previousUntil: null,
      configured: false,
      createdAt: now,
      updatedAt: now,
    }
    const answer = { ...toObject(endpoint), signing_secret: secret }
    const made = await storeOf(caller, deps).create(endpoint, MAX_WEBHOOK_ENDPOINTS, () => endClaim(answer))
    if (made === 'full') {
      const message = `The project has ${MAX_WEBHOOK_ENDPOINTS} webhook endpoints, which is the most. Delete one first.`
      throw badRequest(null, 'limit_exceeded', message)
    }
    return answer
  })
}

async function update(id: string, request: UpdateWebhookEndpointRequest, caller: Caller, deps: WebhookDeps) {
  const before = await find(id, caller, deps)
  refuseConfigured(before)
  const { name, url, event_types } = request
  if (url) checkUrl(url, deps)
  const wanted = {
    name: name ?? before.name,
    url: url ?? before.url,
    eventTypes: event_types ? unique(event_types) : before.eventTypes,
  }
  const isSame =
    wanted.name === before.name && wanted.url === before.url && `${wanted.eventTypes}` === `${before.eventTypes}`
  if (isSame) return toObject(before)
  return toObject(await change(id, { ...wanted, updatedAt: seconds(deps.clock) }, caller, deps))
}

async function change(id: string, changed: WebhookChange, caller: Caller, deps: WebhookDeps): Promise<StoredWebhook> {
  const after = await storeOf(caller, deps).change(id, changed)
  if (after === null) throw endpointNotFound(id)
  return after
}

async function list({ limit, order, after }: PageQuery, caller: Caller, deps: WebhookDeps) {
  const found = await storeOf(caller, deps).list({ limit: limit + 1, order, after })
  return listObject(found.slice(0, limit).map(toObject), found.length > limit)
}

async function rotateSecret(id: string, request: RotateWebhookSecretRequest, caller: Caller, deps: WebhookDeps) {
  const before = await find(id, caller, deps)
  refuseConfigured(before)
  const secret = newWebhookSecret()
  const now = seconds(deps.clock)
  const keeps = request.keep_old_secret_active_for_24_hours === true
  const changed = await change(
    id,
    {
      secret: sealSecret(secret, { projectId: caller.principal.projectId, id }, deps),
      secretHint: hintOf(secret),
      previousSecret: keeps ? before.secret : null,
      previousUntil: keeps ? now + OLD_SECRET_SECONDS : null,
      updatedAt: now,
    },
    caller,
    deps,
  )
  return { ...toObject(changed), signing_secret: secret }
}

/** Sends one sample event now, beside the deliveries: it is not tried again and stands in no log. */
async function test(
  id: string,
  { event_type }: TestWebhookEndpointRequest,
  caller: Caller,
  deps: WebhookDeps,
): Promise<WebhookTestResult> {
  const endpoint = await find(id, caller, deps)
  const { projectId } = caller.principal
  const secrets = secretsOf({ projectId, ...endpoint }, seconds(deps.clock), deps)
  if (secrets === null) throw secretLost()
  const event = { id: deps.ids.next('evt'), type: event_type, responseId: deps.ids.next('resp') }
  const body = webhookEventBody({ ...event, createdAt: seconds(deps.clock) })
  const reply = await deps.webhookSender.send({ url: endpoint.url, secrets, id: event.id, body }, caller.signal)
  if (reply.type === 'failed') {
    const message = `The endpoint could not be reached: ${reply.reason}. Check its URL and that it is up.`
    throw badRequest(null, 'webhook_endpoint_unreachable', message)
  }
  return {
    object: 'webhook_endpoint.test',
    webhook_endpoint_id: id,
    event_type,
    status_code: reply.status,
    success: true,
  }
}

const secretLost = () =>
  badRequest(null, 'webhook_secret_lost', 'The signing secret cannot be read any more. Rotate it to get a new one.')

async function listDeliveries(id: string, page: PageQuery, caller: Caller, deps: WebhookDeps) {
  await find(id, caller, deps)
  const { limit, order, after } = page
  const found = await storeOf(caller, deps).listDeliveries(id, { limit: limit + 1, order, after })
  const shown = found.slice(0, limit).map((it) => toDelivery(id, it))
  return listObject(shown, found.length > limit)
}

function checkUrl(url: string, { webhookSender }: WebhookDeps): void {
  const refusal = webhookSender.refusalOf(url)
  if (refusal !== null) throw badRequest('url', 'invalid_value', `Invalid 'url': ${refusal}.`)
}

function refuseConfigured({ configured, id }: StoredWebhook): void {
  if (!configured) return
  const message = `The webhook endpoint '${id}' is one of the server's configuration and is changed there.`
  throw badRequest(null, 'webhook_endpoint_configured', message)
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)]

const toObject = (endpoint: StoredWebhook): WebhookEndpoint => ({
  id: endpoint.id,
  object: 'webhook_endpoint',
  created_at: endpoint.createdAt,
  updated_at: endpoint.updatedAt,
  name: endpoint.name,
  url: endpoint.url,
  event_types: [...endpoint.eventTypes],
  signing_secret_hint: endpoint.secretHint,
})

function toDelivery(endpointId: string, { event, ...delivery }: StoredDelivery): WebhookDelivery {
  return {
    id: event.id,
    object: 'webhook_endpoint.delivery',
    webhook_endpoint_id: endpointId,
    event_type: event.type,
    response_id: event.responseId,
    created_at: event.createdAt,
    status: delivery.status,
    attempts: delivery.attempts,
    last_attempt_at: toSeconds(delivery.lastAttemptAt),
    last_status_code: delivery.lastStatusCode,
    last_error: delivery.lastError,
    next_attempt_at: toSeconds(delivery.nextAttemptAt),
  }
}

const toSeconds = (ms: number | null) => (ms === null ? null : Math.floor(ms / 1000))
