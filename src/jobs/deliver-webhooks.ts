/**
 * Sends the events that are due, for as long as the process runs.
 *
 * At least once: what was taken and not settled, because the process died, is due again after its lease. Attempts follow
 * a schedule that ends after three days; then a delivery is `failed`, and is sent again only when somebody asks for it.
 */
import { type Clock, sleep } from '../lib/clock.ts'
import type { WebhookReply, WebhookSender } from '../lib/send-webhook.ts'
import { webhookEventBody } from '../protocol/webhooks.ts'
import type { AttemptEnd, DueDelivery, WebhookQueue } from '../store/webhook-store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** After each failed attempt; the last one comes 65 and a half hours after the event. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  12 * HOUR,
  12 * HOUR,
  12 * HOUR,
  12 * HOUR,
]
/** Of one batch of all endpoints, and of one endpoint in it. */
const BATCH = { limit: 64, perEndpoint: 4 }
/** Longer than an attempt may take. */
const LEASE_MS = 60_000
/** An event that another process wrote is found after this at the latest. */
export const IDLE_MS = 5_000

export type DeliveryParts = {
  readonly queue: WebhookQueue
  readonly sender: WebhookSender
  /** Null when the secrets of an endpoint cannot be read any more. */
  readonly secretsOf: (delivery: DueDelivery) => readonly string[] | null
  readonly clock: Clock
  readonly telemetry: Pick<Telemetry, 'failed'>
}

export interface WebhookDelivery extends AsyncDisposable {
  /** A delivery may be due: looks at once. */
  wake(): void
}

export function startWebhookDelivery(parts: DeliveryParts): WebhookDelivery {
  const stop = new AbortController()
  let wake = () => {}
  let isAwake = true
  const pause = async (ms: number) => {
    if (isAwake || stop.signal.aborted) return
    const woken = new AbortController()
    wake = () => woken.abort()
    await sleep(parts.clock, ms, AbortSignal.any([stop.signal, woken.signal]))
  }
  const underWay = new Set<Promise<void>>()
  const look = async () => {
    isAwake = false
    for (const delivery of await takeSome(parts)) {
      const sent = deliver(delivery, parts, stop.signal).finally(() => {
        underWay.delete(sent)
        wakeUp()
      })
      underWay.add(sent)
    }
    await pause(await idleTime(parts))
  }
  const wakeUp = () => {
    isAwake = true
    wake()
  }
  const running = (async () => {
    while (!stop.signal.aborted) await look()
    await Promise.all(underWay)
  })()
  return {
    wake: wakeUp,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

async function takeSome({ queue, clock, telemetry }: DeliveryParts): Promise<readonly DueDelivery[]> {
  try {
    const now = clock.now()
    // A look is a read; taking is a write, which a server without webhooks should not pay for.
    if (((await queue.nextDueAt()) ?? Number.POSITIVE_INFINITY) > now) return []
    return await queue.take({ ...BATCH, now, leaseMs: LEASE_MS })
  } catch (error) {
    telemetry.failed({ requestId: null, where: 'deliver-webhooks', error })
    return []
  }
}

async function idleTime({ queue, clock }: DeliveryParts): Promise<number> {
  const dueAt = await queue.nextDueAt().catch(() => null)
  return dueAt === null ? IDLE_MS : Math.min(IDLE_MS, Math.max(SECOND, dueAt - clock.now()))
}

async function deliver(delivery: DueDelivery, parts: DeliveryParts, signal: AbortSignal): Promise<void> {
  const { queue, sender, clock, telemetry } = parts
  try {
    const secrets = parts.secretsOf(delivery)
    const { event, endpoint } = delivery
    const reply: WebhookReply =
      secrets === null
        ? { type: 'failed', reason: 'the signing secret cannot be read any more; rotate it' }
        : await sender.send({ url: endpoint.url, secrets, id: event.id, body: webhookEventBody(event) }, signal)
    // Cut off by the end of this process, so it says nothing of the receiver: the lease ends, and the next one sends it.
    if (signal.aborted && reply.type === 'failed') return
    await queue.settle(delivery, endOf(reply, delivery.attempts, clock.now()))
  } catch (error) {
    telemetry.failed({ requestId: null, where: 'deliver-webhooks', error })
  }
}

/** Anything but 2xx is a failure, redirects too. `attempts`: with this one. */
export function endOf(reply: WebhookReply, attempts: number, at: number): AttemptEnd {
  const statusCode = reply.type === 'answered' ? reply.status : null
  if (statusCode !== null && statusCode >= 200 && statusCode < 300) {
    return { status: 'delivered', at, statusCode, error: null, nextAttemptAt: null }
  }
  const error = reply.type === 'answered' ? `it answered ${reply.status}` : reply.reason
  const delay = RETRY_DELAYS_MS[attempts - 1]
  if (delay === undefined) return { status: 'failed', at, statusCode, error, nextAttemptAt: null }
  return { status: 'pending', at, statusCode, error, nextAttemptAt: at + delay }
}
