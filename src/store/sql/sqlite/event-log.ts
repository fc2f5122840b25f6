/** The event logs of one project. */
import { type Clock, seconds } from '../../../lib/clock.ts'
import type { WakeUps } from '../../../lib/wake-ups.ts'
import type { EventLog } from '../../event-log.ts'
import { nameOf, PAGE_BATCHES, toPage } from '../encode-job.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'

type Parts = {
  readonly writer: Connection
  readonly reader: Connection
  readonly commits: GroupCommit
  readonly clock: Clock
  readonly wakeUps: WakeUps
}

export function createEventLog({ writer, reader, commits, clock, wakeUps }: Parts, projectId: string): EventLog {
  return {
    async read(id, after) {
      const now = seconds(clock)
      // One statement, so that the events and the state of the job are of one moment.
      const rows = reader.all(queries.readEvents, { projectId, id, now, after, limit: PAGE_BATCHES })
      return toPage(rows, after, now)
    },
    markSeen: (id, { token, boundary }) =>
      commits.write(() => writer.get(queries.markSeen, { projectId, id, token, boundary }) !== undefined),
    wakeUp: (id) => wakeUps.next(nameOf(projectId, id)),
  }
}

/** Answers how many logs were emptied, at most `limit`. */
export function purgeEventLogs(writer: Connection, now: number, limit: number): number {
  const logs = writer.all(queries.findExpiredLogs, { now, limit })
  for (const { response_seq: responseSeq } of logs) {
    writer.run(queries.purgeEvents, { responseSeq })
    writer.run(queries.markPurged, { responseSeq })
  }
  return logs.length
}
