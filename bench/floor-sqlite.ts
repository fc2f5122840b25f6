/**
 * The floor with one durable row per stored response: `node bench/floor-sqlite.ts <upstream origin> <database file>`.
 * SQLite in WAL mode with synchronous NORMAL, so a commit does not wait for the disk: less than the server promises.
 */
import { DatabaseSync } from 'node:sqlite'
import { startFloorServer } from './floor-server.ts'

const database = new DatabaseSync(process.argv[3] ?? ':memory:')
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
database.exec('CREATE TABLE responses (id TEXT PRIMARY KEY, body TEXT NOT NULL, messages TEXT NOT NULL) STRICT')
const insert = database.prepare('INSERT INTO responses VALUES (?, ?, ?)')
const selectBody = database.prepare('SELECT body FROM responses WHERE id = ?')
const selectMessages = database.prepare('SELECT messages FROM responses WHERE id = ?')

startFloorServer({
  history: (id) => JSON.parse(String(selectMessages.get(id)?.messages ?? '[]')),
  save: (response, messages) => void insert.run(response.id, JSON.stringify(response), JSON.stringify(messages)),
  load: (id) => {
    const row = selectBody.get(id)
    return row === undefined ? null : String(row.body)
  },
})
