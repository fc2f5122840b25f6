/** Opens the two connections of a store: one that writes, one that reads what is committed. */
import { closeSync, openSync } from 'node:fs'
import { StorageUnusable } from '../errors.ts'
import { query } from '../query.ts'
import { type Connection, openConnection } from './connection.ts'

/** Older ones can corrupt a WAL database that is written and checkpointed by two connections. */
const OLDEST_SQLITE = '3.51.3'
const PRIVATE_FILE = 0o600

export function openWriter(path: string, busyTimeoutMs: number): Connection {
  checkSqliteVersion(process.versions.sqlite ?? '0')
  // Created by us first, because SQLite would use the umask; its WAL files take over the rights of this one.
  closeSync(openSync(path, 'a', PRIVATE_FILE))
  const writer = openConnection({ path, readOnly: false, busyTimeoutMs, pragmas: SHARED.concat(';', DURABLE) })
  const mode = writer.get(journalMode, {})?.journal_mode
  if (mode === 'wal') return writer
  writer.close()
  throw new StorageUnusable(`${path} cannot use write-ahead logging; put the data directory on a local file system.`)
}

export const openReader = (path: string, busyTimeoutMs: number): Connection =>
  openConnection({ path, readOnly: true, busyTimeoutMs, pragmas: SHARED })

const SHARED = `
  PRAGMA trusted_schema=OFF;
  PRAGMA mmap_size=0;
  PRAGMA temp_store=MEMORY;
  PRAGMA cache_size=-16384`

/** `secure_delete`: what a user deleted is overwritten, not only unlinked. Sizes: 16 MiB of cache, 64 MiB of log. */
const DURABLE = `
  PRAGMA journal_mode=WAL;
  PRAGMA synchronous=FULL;
  PRAGMA foreign_keys=ON;
  PRAGMA secure_delete=ON;
  PRAGMA wal_autocheckpoint=1000;
  PRAGMA journal_size_limit=67108864`

const journalMode = query<Record<never, never>, { journal_mode: string }>('PRAGMA journal_mode')

export function checkSqliteVersion(version: string): void {
  if (compareVersions(version, OLDEST_SQLITE) >= 0) return
  throw new StorageUnusable(
    `SQLite ${version} can corrupt a database in write-ahead mode; ${OLDEST_SQLITE} or newer is needed. ` +
      'Start Antiphon with the Node.js it was installed with.',
  )
}

function compareVersions(left: string, right: string): number {
  const [a, b] = [left, right].map((version) => version.split('.').map(Number))
  for (const [index, part] of (b ?? []).entries()) {
    const difference = (a?.[index] ?? 0) - part
    if (difference !== 0) return difference
  }
  return 0
}
