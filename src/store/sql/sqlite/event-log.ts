/** The event logs of one project. */
import { type Clock, seconds } from '../../../lib/clock.ts'
import type { WakeUps } from '../../../lib/wake-ups.ts'
import type { ResponseEvent } from '../../../protocol/events.ts'
import type { EventLog, EventPage } from '../../event-log.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'
import { nameOf } from './job-store.ts'

type Parts = {
  readonly writer: Connection
  readonly reader: Connection
  readonly commits: GroupCommit
  readonly clock: Clock
  readonly wakeUps: WakeUps
}

/** Batches of one page: some of them may hold many events, most hold few. */
const PAGE_BATCHES = 64

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

type Row = NonNullable<(typeof queries.readEvents)['row']>

function toPage(rows: readonly Row[], after: number, now: number): EventPage {
  const [first] = rows
  if (first === undefined) return { type: 'unknown' }
  if (first.keeps_events === 0) return { type: 'not-kept' }
  if (first.expires_at !== null && first.expires_at <= now) return { type: 'expired' }
  const events = rows.flatMap(({ body }): ResponseEvent[] => (body === null ? [] : JSON.parse(body)))
  const { token, boundary, seen_past } = first
  const last = rows.at(-1)?.last ?? after
  const isUnsettled = token !== null && boundary !== null && last > boundary && (seen_past ?? -1) < boundary
  return {
    type: 'events',
    events: events.filter(({ sequence_number }) => sequence_number > after),
    isLast: token === null && rows.length < PAGE_BATCHES,
    unsettled: isUnsettled ? { token, boundary } : null,
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
