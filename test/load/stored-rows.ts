/** What the database file itself says, read beside the server. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type StoredRows = {
  /** Response id -> status. */
  readonly responses: ReadonlyMap<string, string>
  readonly usage: readonly { readonly responseId: string; readonly model: string; readonly outcome: string }[]
}

export function readRows(dataDir: string): StoredRows {
  using database = new DatabaseSync(join(dataDir, 'antiphon.db'), { readOnly: true })
  const responses = database.prepare('SELECT id, status FROM responses').all()
  const usage = database.prepare('SELECT response_id, model, outcome FROM usage').all()
  return {
    responses: new Map(responses.map((row) => [String(row.id), String(row.status)])),
    usage: usage.map((row) => ({
      responseId: String(row.response_id),
      model: String(row.model),
      outcome: String(row.outcome),
    })),
  }
}

export const unfinished = ({ responses }: StoredRows): string[] =>
  [...responses].filter(([, status]) => status === 'queued' || status === 'in_progress').map(([id]) => id)

/** Throws where SQLite finds the file damaged. */
export function checkIntegrity(dataDir: string): void {
  using database = new DatabaseSync(join(dataDir, 'antiphon.db'), { readOnly: true })
  const problems = [
    ...database.prepare('PRAGMA integrity_check').all(),
    ...database.prepare('PRAGMA foreign_key_check').all(),
  ]
  const told = problems.map((row) => JSON.stringify(row)).join('\n')
  if (told !== '{"integrity_check":"ok"}') throw new Error(`the database is damaged:\n${told}`)
}
