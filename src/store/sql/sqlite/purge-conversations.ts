/** Removes what deleted conversations left behind, once its time is over. Runs inside a unit of the group commit. */

import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'

/** Deletes at most `limit` items, and each conversation of which none is left. Answers how many it deleted of both. */
export function purgeConversations(writer: Connection, now: number, limit: number): number {
  let deleted = 0
  while (deleted < limit) {
    const row = writer.get(queries.findPurgeableConversation, { now })
    if (!row) break
    const room = limit - deleted
    const items = writer.run(queries.purgeConversationItems, { conversationSeq: row.seq, limit: room })
    deleted += items
    if (items < room) deleted += writer.run(queries.purgeConversation, { seq: row.seq })
  }
  return deleted
}
