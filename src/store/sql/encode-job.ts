/** Events of runs with a job, between the port's shape and the values of rows; and the names that wake who waits for them. */
import type { ResponseEvent } from '../../protocol/events.ts'
import type { EventPage } from '../event-log.ts'
import type { queries } from './queries.ts'

/** Under which name those wait who look for work; no project has an empty id. */
export const WORK = '\n'
export const nameOf = (projectId: string, responseId: string) => `${projectId}\n${responseId}`

/** Batches of one page: some of them may hold many events, most hold few. */
export const PAGE_BATCHES = 64

/** What a restore leaves of the requests of jobs, so that none of them is run a second time. */
export const TAKEN_OUT = ''
export const toPayload = (stored: string): string | null => (stored === TAKEN_OUT ? null : stored)

export type EncodedEvents = { readonly last: number; readonly body: string } | null

/** Done before the unit is queued, so that the transaction holds nothing but statements. */
export function encodeEvents(events: readonly ResponseEvent[]): EncodedEvents {
  const last = events.at(-1)
  return last === undefined ? null : { last: last.sequence_number, body: JSON.stringify(events) }
}

type Row = NonNullable<(typeof queries.readEvents)['row']>

export function toPage(rows: readonly Row[], after: number, now: number): EventPage {
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
