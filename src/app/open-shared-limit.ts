/** The limit of requests for all replicas that share a cache. */
import { CommandError } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { RateLimiter } from '../http/rate-limiter.ts'
import { createSharedRateLimiter } from '../http/shared-rate-limiter.ts'
import type { Clock } from '../lib/clock.ts'
import { openRedisCounts } from '../lib/redis-counts.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

type Parts = {
  readonly clock: Clock
  readonly telemetry: Pick<Telemetry, 'failed'>
  readonly opened: AsyncDisposableStack
}

const TIMEOUT_MS = 2_000
const PREFIX = 'antiphon:requests:'

/** Null without a cache, or without a limit. Throws `CommandError` when the cache cannot be reached. */
export async function openSharedLimit(config: ResolvedConfig, parts: Parts): Promise<RateLimiter | null> {
  const { sharedCache: url } = config
  const { requestsPerMinute } = config.limits
  if (url === null || requestsPerMinute === 0) return null
  const { clock, telemetry, opened } = parts
  const counts = await openRedisCounts({ url, prefix: PREFIX, timeoutMs: TIMEOUT_MS }).catch((error: unknown) => {
    const message = `storage.cache: nothing answers as Redis at ${new URL(url).host}. Start it, or take the setting out.`
    throw new CommandError(message, { cause: error })
  })
  const onLost = (error: unknown) => telemetry.failed({ requestId: null, where: 'shared-limits', error })
  return opened.use(createSharedRateLimiter({ clock, counts, requestsPerMinute, onLost }))
}
