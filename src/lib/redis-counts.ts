/** Shared counts in Redis or Valkey: one hash for each window, which expires by itself. */
import type { SharedCounts } from './shared-counts.ts'

export type RedisCountsOptions = {
  /** `redis://` or `rediss://`, with credentials where there are any. */
  readonly url: string
  /** Stands before every key. */
  readonly prefix: string
  /** Of connecting, and of every answer. */
  readonly timeoutMs: number
}

/** Between two attempts to connect again, at most. */
const MAX_RECONNECT_MS = 2_000
/** How many windows a count outlives its own. */
const KEPT_WINDOWS = 2
/** Commands that may wait while the connection is lost; each fails after `timeoutMs` all the same. */
const MAX_QUEUED = 100

/** Throws when the server cannot be reached; a connection that is lost later is made again by itself. */
export async function openRedisCounts({ url, prefix, timeoutMs }: RedisCountsOptions): Promise<SharedCounts> {
  // Loaded on use: a server that stands alone does not pay for it.
  const { createClient } = await import('@redis/client')
  const isOpen = { yet: false }
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_QUEUED,
    socket: {
      connectTimeout: timeoutMs,
      // The first connection is made or refused; later ones are tried for as long as the process runs.
      reconnectStrategy: (tries, cause) => (isOpen.yet ? Math.min(MAX_RECONNECT_MS, 50 * 2 ** tries) : cause),
    },
    commandOptions: { timeout: timeoutMs },
  })
  // Whoever adds learns it from that; without a listener the process would end.
  client.on('error', () => {})
  await client.connect()
  isOpen.yet = true
  return {
    async add({ index, lengthMs }, counts) {
      const key = `${prefix}${index}`
      const names = [...counts.keys()]
      const batch = client.multi()
      for (const [name, count] of counts) batch.hIncrBy(key, name, count)
      batch.pExpire(key, lengthMs * (KEPT_WINDOWS + 1))
      const replies: readonly unknown[] = await batch.exec()
      return new Map(names.map((name, at) => [name, Number(replies[at])]))
    },
    async close() {
      client.destroy()
    },
  }
}
