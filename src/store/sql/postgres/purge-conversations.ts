/** Removes what deleted conversations left behind, once its time is over. */
import { queries } from '../queries.ts'
import { conversations } from './conversation-queries.ts'
import type { Database } from './database.ts'

/** Deletes at most `limit` items, and each conversation of which none is left. Answers how many it deleted of both. */
export const purgeConversations = (database: Database, now: number, limit: number): Promise<number> =>
  database.transaction(async (sql) => {
    let deleted = 0
    while (deleted < limit) {
      const row = await sql.get(conversations.lockPurgeable, { now })
      if (!row) break
      const room = limit - deleted
      const items = await sql.run(queries.purgeConversationItems, { conversationSeq: row.seq, limit: room })
      deleted += items
      if (items < room) deleted += await sql.run(queries.purgeConversation, { seq: row.seq })
    }
    return deleted
  })
