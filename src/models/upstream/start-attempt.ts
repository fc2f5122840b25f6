/** One upstream call as the ledger, the metrics and the reply's headers are told of it. */
import type { Clock } from '../../lib/clock.ts'
import type { UpstreamReply } from '../../lib/upstream-http.ts'
import type { Usage } from '../../protocol/response.ts'
import type { ModelAttempt, ModelContext } from '../model.ts'

const MAX_REQUEST_ID_CHARS = 128

type AttemptOf = { readonly provider: string; readonly clock: Clock; readonly secrets: readonly string[] }

/** Invariant: `onCall` is told now, and `onAttempt` exactly once, at the first `end`. */
export function startAttempt(
  { provider, clock, secrets }: AttemptOf,
  model: string,
  decoder: { usage(): Usage | null },
  context: ModelContext,
) {
  context.onCall?.({ provider, model })
  const started = clock.monotonic()
  const elapsed = () => Math.max(0, clock.monotonic() - started)
  let status: number | null = null
  let upstreamRequestId: string | null = null
  let firstEventMs: number | null = null
  let told = false
  return {
    replied(reply: UpstreamReply) {
      status = reply.status
      upstreamRequestId = readRequestId(reply, secrets)
    },
    yielding() {
      firstEventMs ??= elapsed()
    },
    end(outcome: ModelAttempt['outcome']) {
      if (told) return
      told = true
      const usage = decoder.usage()
      context.onAttempt?.({
        provider,
        model,
        outcome,
        usage,
        status,
        durationMs: elapsed(),
        firstEventMs,
        upstreamRequestId,
      })
    },
  }
}

/** A shorter one would be found in innocent ids. */
const MIN_SECRET_CHARS = 8
const isIn = (id: string) => (secret: string) => secret.length >= MIN_SECRET_CHARS && id.includes(secret)

/** It is logged and passed on, so an id that holds one of our secrets is none. */
const readRequestId = (reply: UpstreamReply, secrets: readonly string[]): string | null => {
  const id = reply.header('x-request-id') ?? reply.header('request-id')
  if (!id || !/^[\w.:-]+$/.test(id) || secrets.some(isIn(id))) return null
  return id.slice(0, MAX_REQUEST_ID_CHARS)
}
