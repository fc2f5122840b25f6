/**
 * Deleting and expiring. Each function runs inside a unit of the group commit.
 *
 * A response ends in one of two ways: its owner deletes it, and the chains that stand on it end with it; or it expires,
 * and then it stays, unseen, for as long as any other response stands on it.
 *
 * Invariant: a row whose `purge_at` is null never expires or has, or had when it was looked at, a child. Removing a
 * child sets the parent's `purge_at` again. So every row is looked at once per lost child, not once per purge.
 */
import type { ProjectStore } from '../../store.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'

/** How long the mark of a deleted running response is kept: longer than any run may take. */
const DELETED_MARK_SECONDS = 24 * 3600
/** Rows one purge looks at: bounds how long it keeps the event loop, whatever its limit. */
const MAX_EXAMINED = 2_000

export function deleteResponse(
  writer: Connection,
  { projectId }: Pick<ProjectStore, 'projectId'>,
  id: string,
  now: number,
): boolean {
  const row = writer.get(queries.findLive, { projectId, id, now })
  if (!row) return false
  if (row.status === 'queued' || row.status === 'in_progress') {
    writer.run(queries.keepItems, { responseSeq: row.seq, inputs: 0, outputs: 0 })
    // Whoever works on it can write nothing from now on.
    writer.run(queries.deleteJobOf, { responseSeq: row.seq })
    writer.run(queries.deleteEventLog, { responseSeq: row.seq })
    writer.run(queries.markDeleted, { seq: row.seq, expiresAt: now + DELETED_MARK_SECONDS })
  } else {
    writer.run(queries.deleteResponse, { seq: row.seq })
  }
  resumePurge(writer, row.parent_seq)
  return true
}

/** Answers how many responses were deleted, at most `limit`. */
export function purgeExpired(writer: Connection, now: number, limit: number): number {
  let deleted = 0
  let examined = 0
  while (deleted < limit && examined < MAX_EXAMINED) {
    const room = Math.min(limit - deleted, MAX_EXAMINED - examined)
    const rows = writer.all(queries.findPurgeable, { now, limit: room })
    if (rows.length === 0) break
    for (const row of rows) {
      examined += 1
      if (removeUnlessParent(writer, row)) deleted += 1
    }
  }
  return deleted
}

type Candidate = { readonly seq: number; readonly parent_seq: number | null }

function removeUnlessParent(writer: Connection, row: Candidate): boolean {
  if (writer.get(queries.findChild, { seq: row.seq })) {
    writer.run(queries.deferPurge, { seq: row.seq })
    return false
  }
  writer.run(queries.deleteResponse, { seq: row.seq })
  resumePurge(writer, row.parent_seq)
  return true
}

function resumePurge(writer: Connection, parentSeq: number | null): void {
  if (parentSeq !== null) writer.run(queries.resumePurge, { seq: parentSeq })
}
