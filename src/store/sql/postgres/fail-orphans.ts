/** Ends what replicas that died had begun. */
import type { Clock } from '../../../lib/clock.ts'
import type { ResponseError } from '../../../protocol/response.ts'
import { withError } from '../response-codec.ts'
import type { Database } from './database.ts'
import { replicas } from './replica-queries.ts'
import { responses } from './response-queries.ts'

/** Rows healed in one transaction. */
const ORPHAN_BATCH = 500

/** Answers how many responses there were. */
export async function failOrphans(database: Database, clock: Clock, error: ResponseError): Promise<number> {
  const now = clock.now()
  await database.run(replicas.unlockDead, { now })
  await database.run(replicas.abandonDead, { now })
  await database.run(replicas.interruptDead, { now })
  await database.run(replicas.giveUpDead, { now })
  let total = 0
  for (;;) {
    const healed = await failBatch(database, now, error)
    total += healed
    if (healed < ORPHAN_BATCH) break
  }
  await database.run(replicas.forgetReplicas, { now })
  return total
}

const failBatch = (database: Database, now: number, error: ResponseError): Promise<number> =>
  database.transaction(async (sql) => {
    const rows = await sql.all(responses.lockOrphans, { now, limit: ORPHAN_BATCH })
    if (rows.length === 0) return 0
    const failed = rows.map(({ seq, body }) => ({ seq, body: withError(body, error) }))
    return sql.run(responses.failResponses, { rows: JSON.stringify(failed) })
  })
