/** Input tokens as a provider counts them. */
import { ModelError } from '../model.ts'
import { asFields } from './fields.ts'
import { type Asking, postJson } from './post-json.ts'
import type { UpstreamCall } from './stream-upstream.ts'
import { tokenCount } from './token-counts.ts'

/** Null when the provider does not say, whatever the reason. Throws `ModelError` (`aborted`) alone. */
export type TokenCountAsker = (
  call: UpstreamCall,
  turn: { readonly model: string; readonly signal: AbortSignal },
) => Promise<number | null>

export type AskOptions = {
  /** The field of the answer that holds the count. */
  readonly field: string
  /** A provider that failed to count is not asked again for so long. */
  readonly pauseMs?: number
}

/** Statuses that mean "there is no such endpoint": those who only copy an API often do not count, and are asked once. */
const NO_ENDPOINT: ReadonlySet<number | null> = new Set([404, 405, 501])

export function createTokenCountAsker(options: Asking, { field, pauseMs = 0 }: AskOptions): TokenCountAsker {
  const { clock } = options
  let askAgainAt = Number.NEGATIVE_INFINITY
  return async (call, turn) => {
    if (clock.monotonic() < askAgainAt) return null
    const headers = { ...call.headers, accept: 'application/json' }
    try {
      const counted = tokenCount(asFields(await postJson(options, { ...call, headers }, turn))?.[field])
      if (counted === null) askAgainAt = clock.monotonic() + pauseMs
      return counted
    } catch (error) {
      if (turn.signal.aborted || !(error instanceof ModelError)) throw error
      askAgainAt = NO_ENDPOINT.has(error.status) ? Number.POSITIVE_INFINITY : clock.monotonic() + pauseMs
      return null
    }
  }
}
