/** The event logs of one project. */
import { seconds } from '../../../lib/clock.ts'
import type { EventLog } from '../../event-log.ts'
import { nameOf, PAGE_BATCHES, toPage } from '../encode-job.ts'
import { queries } from '../queries.ts'
import type { Database } from './database.ts'
import { jobs } from './job-queries.ts'
import type { StoreParts } from './parts.ts'
import { rowNumbers } from './wanted-items.ts'

export function createEventLog({ database, clock, wakeUps }: StoreParts, projectId: string): EventLog {
  return {
    async read(id, after) {
      const now = seconds(clock)
      // One statement, so that the events and the state of the job are of one moment.
      const rows = await database.all(queries.readEvents, { projectId, id, now, after, limit: PAGE_BATCHES })
      return toPage(rows, after, now)
    },
    markSeen: async (id, { token, boundary }) =>
      (await database.get(queries.markSeen, { projectId, id, token, boundary })) !== undefined,
    wakeUp: (id) => wakeUps.next(nameOf(projectId, id)),
  }
}

/** Answers how many logs were emptied, at most `limit`. */
export const purgeEventLogs = (database: Database, now: number, limit: number): Promise<number> =>
  database.transaction(async (sql) => {
    const logs = await sql.all(jobs.holdExpiredLogs, { now, limit })
    if (logs.length === 0) return 0
    const responses = rowNumbers(logs.map(({ response_seq }) => response_seq))
    await sql.run(jobs.purgeEventsOf, { responses })
    await sql.run(jobs.markAllPurged, { responses })
    return logs.length
  })
