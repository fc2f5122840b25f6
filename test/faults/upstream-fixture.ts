/** A whole server with fast clocks before an upstream of the fault tests, and what its database says of a call. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ChatUpstream } from '../fakes/chat-upstream.ts'
import { startServer, type TestServer } from '../support/server.ts'
import type { UpstreamTimes } from './hostile-fault.ts'
import { scaledClock } from './scaled-clock.ts'
import { isFull } from './seed.ts'

/** Clocks of minutes become seconds, and a backoff of a second 50 ms. */
const FACTOR = 20
/**
 * Real milliseconds. Long enough that a healthy reply stays within them also where the machine stalls; in the full form
 * single replies of 250,000 events must fit into the last one.
 */
export const TIMES: UpstreamTimes = { firstByte: 3_000, idle: 3_500, whole: isFull ? 20_000 : 10_000 }

const setting = (ms: number) => `${(ms * FACTOR) / 1000}s`

export function startFastServer(
  upstream: { readonly port: number },
  providers: readonly string[] = [],
): Promise<TestServer> {
  return startServer({
    providers,
    upstream: asChatUpstream(upstream.port),
    clock: scaledClock(FACTOR),
    config: [
      `limits: { upstream_first_byte: ${setting(TIMES.firstByte)}, upstream_idle: ${setting(TIMES.idle)} }`,
      `router: { request_timeout: ${setting(TIMES.whole)} }`,
    ].join('\n'),
  })
}

/** The far side as `startServer` wants it: it needs no more than the address. */
export const asChatUpstream = (port: number): ChatUpstream => ({
  url: `http://127.0.0.1:${port}/v1`,
  port,
  requests: [],
  push() {},
  openSockets: () => 0,
  close: async () => {},
})

export type Ledger = {
  /** One per upstream call of the model. */
  readonly outcomes: readonly string[]
  /** Of the response the calls were for; null when it is not stored. */
  readonly status: string | null
}

/** `model`: the name the upstream was called with. */
export function readLedger({ dataDir }: TestServer, model: string): Ledger {
  const database = new DatabaseSync(join(dataDir, 'antiphon.db'), { readOnly: true })
  try {
    const rows = database.prepare('SELECT response_id, outcome FROM usage WHERE model = ?').all(model)
    const id = String(rows[0]?.response_id ?? '')
    const stored = database.prepare('SELECT status FROM responses WHERE id = ?').get(id)
    return { outcomes: rows.map(({ outcome }) => String(outcome)), status: stored ? String(stored.status) : null }
  } finally {
    database.close()
  }
}
