/**
 * Deleting and expiring; see `sqlite/remove-responses.ts` for what both mean.
 *
 * Here others delete and purge at the same time, so rows are held before they are judged. Invariant: a row is deferred
 * only while it is held, and whoever removes a child of it waits for that and then sets its `purge_at` again.
 */

import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { query } from '../query.ts'
import type { Database } from './database.ts'
import { responses } from './response-queries.ts'
import { rowNumbers } from './wanted-items.ts'

/** How long the mark of a deleted running response is kept: longer than any run may take. */
const DELETED_MARK_SECONDS = 24 * 3600
/** Rows one purge looks at: bounds how long its transaction takes, whatever its limit. */
const MAX_EXAMINED = 2_000
/** "PURG": one purge at a time, because two could wait for each other's rows. */
const lockPurge = query<Record<never, never>, { done: boolean }>(
  'select pg_advisory_xact_lock(1347768903, hashtext(current_schema())) is null as done',
)

export const deleteResponse = (database: Database, projectId: string, id: string, now: number): Promise<boolean> =>
  database.transaction(async (sql) => {
    const row = await sql.get(responses.lockLive, { projectId, id, now })
    if (!row) return false
    if (row.status === 'queued' || row.status === 'in_progress') {
      await sql.run(responses.removeItems, { seq: row.seq })
      // Whoever works on it can write nothing from now on.
      await sql.run(queries.deleteJobOf, { responseSeq: row.seq })
      await sql.run(queries.deleteEventLog, { responseSeq: row.seq })
      await sql.run(queries.markDeleted, { seq: row.seq, expiresAt: now + DELETED_MARK_SECONDS })
    } else {
      await sql.run(queries.deleteResponse, { seq: row.seq })
    }
    if (row.parent_seq !== null) await sql.run(responses.resumePurges, { seqs: rowNumbers([row.parent_seq]) })
    return true
  })

/** Answers how many responses were deleted, at most `limit`. */
export const purgeExpired = (database: Database, now: number, limit: number): Promise<number> =>
  database.transaction(async (sql) => {
    await sql.get(lockPurge, {})
    let deleted = 0
    let examined = 0
    while (deleted < limit && examined < MAX_EXAMINED) {
      const room = Math.min(limit - deleted, MAX_EXAMINED - examined)
      const rows = await sql.all(responses.lockPurgeable, { now, limit: room })
      if (rows.length === 0) break
      examined += rows.length
      deleted += await removeLeaves(sql, rows)
    }
    return deleted
  })

type Candidate = { readonly seq: number; readonly parent_seq: number | null }

/** Removes those on which nothing stands but what is removed with them. */
async function removeLeaves(sql: Sql, rows: readonly Candidate[]): Promise<number> {
  const seqs = rowNumbers(rows.map(({ seq }) => seq))
  const parents = await sql.all(responses.findParents, { seqs })
  const stoodOn = new Set(parents.map(({ parent_seq }) => parent_seq))
  const [kept, removed]: [Candidate[], Candidate[]] = [[], []]
  // A child is younger than its parent, so it is judged first.
  for (const row of rows.toSorted((a, b) => b.seq - a.seq)) {
    const isKept = stoodOn.has(row.seq)
    ;(isKept ? kept : removed).push(row)
    if (isKept && row.parent_seq !== null) stoodOn.add(row.parent_seq)
  }
  const freed = removed.flatMap(({ parent_seq }) => parent_seq ?? [])
  if (kept.length > 0) await sql.run(responses.deferPurges, { seqs: rowNumbers(kept.map(({ seq }) => seq)) })
  if (removed.length > 0) await sql.run(responses.deleteResponses, { seqs: rowNumbers(removed.map(({ seq }) => seq)) })
  if (freed.length > 0) await sql.run(responses.resumePurges, { seqs: rowNumbers(freed) })
  return removed.length
}
