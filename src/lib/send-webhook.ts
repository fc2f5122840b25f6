/** One signed POST to a receiver of webhooks, through the outbound guard. */
import type { Dispatcher } from 'undici'
import { type Clock, seconds } from './clock.ts'
import { type OutboundGuard, OutboundRefused } from './outbound-guard.ts'
import { signWebhook } from './webhook-signature.ts'

export type WebhookMessage = {
  readonly url: string
  /** Signs for each. */
  readonly secrets: readonly string[]
  readonly id: string
  /** JSON text. */
  readonly body: string
}

/** `answered` with any status: a redirect is an answer like another, and is not followed. */
export type WebhookReply =
  | { readonly type: 'answered'; readonly status: number }
  | { readonly type: 'failed'; readonly reason: string }

export interface WebhookSender {
  /** What is wrong with the URL as a place to send events to; null when nothing is. */
  refusalOf(url: string): string | null
  /** Never throws. */
  send(message: WebhookMessage, signal: AbortSignal): Promise<WebhookReply>
}

export type SenderParts = {
  readonly guard: OutboundGuard
  readonly clock: Clock
  /** `host:port`: where plain http is taken. */
  readonly allowPrivateHosts: readonly string[]
  readonly userAgent: string
  /** Of one attempt, connecting included. */
  readonly timeoutMs: number
}

/** Of a reply, which nobody reads. */
const MAX_REPLY_BYTES = 64 * 1024

export function createWebhookSender(parts: SenderParts): WebhookSender {
  const { guard, clock, userAgent, timeoutMs } = parts
  const plainHosts = new Set(parts.allowPrivateHosts.map((host) => host.toLowerCase()))
  return {
    refusalOf(url) {
      try {
        const { protocol, hostname, port } = guard.check(url)
        const isPlainAllowed = plainHosts.has(`${hostname}:${port || '80'}`)
        return protocol === 'https:' || isPlainAllowed ? null : 'it must begin with https://'
      } catch (error) {
        if (error instanceof OutboundRefused) return error.message
        throw error
      }
    },
    async send({ url, secrets, id, body }, signal) {
      const timestamp = seconds(clock)
      const late = new AbortController()
      const stopClock = clock.after(timeoutMs, () => late.abort())
      try {
        const { request } = await import('undici')
        const reply = await request(url, {
          method: 'POST',
          dispatcher: guard.dispatcher,
          signal: AbortSignal.any([signal, late.signal]),
          headers: {
            'content-type': 'application/json',
            'user-agent': userAgent,
            'webhook-id': id,
            'webhook-timestamp': String(timestamp),
            'webhook-signature': signWebhook({ id, timestamp, body }, secrets),
          },
          body,
        })
        await forget(reply)
        return { type: 'answered', status: reply.statusCode }
      } catch (error) {
        return { type: 'failed', reason: late.signal.aborted ? 'it did not answer in time' : reasonOf(error) }
      } finally {
        stopClock()
      }
    },
  }
}

/** The status has said all; a body that ends soon leaves the connection fit for the next event. */
const forget = ({ body }: Dispatcher.ResponseData) => body.dump({ limit: MAX_REPLY_BYTES }).catch(() => {})

/** For the log of deliveries, which the owner of the endpoint reads: nothing of what a private address answered. */
function reasonOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof OutboundRefused) return cause.message
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  return `the connection failed${code}`
}
