import { StorageBusy } from '../errors.ts'
import { query } from '../query.ts'
import { openConnection } from './connection.ts'

const CHECKPOINT = query('PRAGMA wal_checkpoint(TRUNCATE)')

/**
 * Takes deleted content out of the write-ahead log. `secure_delete` overwrites it in the database, but the log still
 * holds the pages as they were until it is copied back and cut.
 *
 * Another process that reads, a backup for example, must not keep the event loop waiting. So this asks through a
 * connection of its own that never waits; what it cannot get now, the next purge does.
 */
export function eraseLog(path: string): void {
  const eraser = openConnection({ path, readOnly: false, busyTimeoutMs: 0, pragmas: 'PRAGMA synchronous=FULL' })
  try {
    eraser.get(CHECKPOINT, {})
  } catch (error) {
    if (!(error instanceof StorageBusy)) throw error
  } finally {
    eraser.close()
  }
}
