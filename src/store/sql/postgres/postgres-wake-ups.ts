/**
 * Wake-ups of all replicas on a database, by LISTEN and NOTIFY.
 *
 * One connection of its own listens, from the first time somebody waits. What is sent while it is broken is lost: whoever
 * waits looks again after a while anyway. It is asked now and then whether it is still there, because a connection that
 * was cut far away says nothing. Names that are to be woken within one moment go out in one statement.
 */
import { type Clock, sleep } from '../../../lib/clock.ts'
import { createWakeUps, type WakeUps } from '../../../lib/wake-ups.ts'
import { query } from '../query.ts'
import type { Database, Listener } from './database.ts'

const RETRY_MS = 1_000
const CHECK_MS = 5_000
const GATHER_MS = 10
/** The length of a name in PostgreSQL. */
const MAX_CHANNEL = 63

const notifyAll = query<{ channel: string; names: string }, object>(`
  select pg_notify(:channel, name) from json_array_elements_text(cast(:names as json)) as woken (name)`)

export interface PostgresWakeUps extends WakeUps {
  close(): Promise<void>
}

/** `schema`: replicas on another one of the same database are not told. */
export function createPostgresWakeUps(database: Database, clock: Clock, schema: string): PostgresWakeUps {
  const local = createWakeUps()
  const closing = new AbortController()
  const channel = `antiphon_${schema}`.slice(0, MAX_CHANNEL)
  const gathered = new Set<string>()
  let listening: Promise<void> | null = null

  const keepListening = async () => {
    while (!closing.signal.aborted) {
      const listener = await database.listen(channel, local.wake).catch(() => null)
      if (listener === null) await sleep(clock, RETRY_MS, closing.signal)
      else await stayWith(listener, clock, closing.signal)
    }
  }
  const send = () => {
    const names = JSON.stringify([...gathered])
    gathered.clear()
    // Who is not told finds out by looking again.
    if (!closing.signal.aborted) database.all(notifyAll, { channel, names }).catch(() => {})
  }
  return {
    next(name) {
      listening ??= keepListening()
      return local.next(name)
    },
    wake(name) {
      local.wake(name)
      if (gathered.size === 0) clock.after(GATHER_MS, send)
      gathered.add(name)
    },
    async close() {
      closing.abort()
      await listening
    },
  }
}

/** Until it breaks, or the signal aborts. */
async function stayWith(listener: Listener, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    while (await sleep(clock, CHECK_MS, signal)) await listener.check()
  } catch {
    // It is replaced by a new one.
  } finally {
    await listener.close()
  }
}
