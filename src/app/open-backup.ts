/** Composition for `antiphon backup`, `restore` and `migrate`. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { sealingKeysFileOf } from '../auth/sealing-keys.ts'
import { keyFileOf, loadPepper, makeOnce, pepperFileOf, readIfThere } from '../auth/secret-files.ts'
import { type BackupAdmin, CommandError } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { systemClock } from '../lib/clock.ts'
import { openDataDir } from '../lib/data-dir.ts'
import { moveToPostgres } from '../store/sql/move-to-postgres.ts'
import { backUp, restore } from '../store/sql/sqlite/backup.ts'
import { pepperFact } from './join-replicas.ts'

/** Files of the data directory without which the database is of little use, by the names they have in a backup. */
const SECRETS: readonly { readonly name: string; readonly fileOf: (dataDir: string) => string }[] = [
  { name: 'pepper', fileOf: pepperFileOf },
  { name: 'sealing-keys', fileOf: sealingKeysFileOf },
  { name: 'api-key', fileOf: keyFileOf },
]
/** What `openDataDir` itself leaves in a directory. */
const LOCK_FILES: ReadonlySet<string> = new Set(['lock.db', 'lock.db-journal', 'lock.json'])
const PRIVATE_UMASK = 0o077
const MOVE_LIMITS = { maxConnections: 2, connectTimeoutMs: 10_000, queryTimeoutMs: 60_000 }

export function openBackup({ storage }: Pick<ResolvedConfig, 'storage'>): BackupAdmin {
  const { dataDir, databasePath } = storage
  return {
    backUp(file, { withSecrets }) {
      refusePostgres(storage, 'pg_dump makes its backup')
      process.umask(PRIVATE_UMASK)
      return backUp(databasePath, file, withSecrets ? readSecrets(dataDir) : new Map())
    },
    restore(file) {
      refusePostgres(storage, 'restore into a data directory with SQLite, and move it with antiphon migrate --to')
      mkdirSync(dataDir, { recursive: true })
      using lock = openDataDir(dataDir)
      refuseFilled(lock.path, databasePath)
      const { files, ...facts } = restore(file, databasePath)
      for (const { name, fileOf } of SECRETS) {
        const content = files.get(name)
        if (content !== undefined) makeOnce(fileOf(lock.path), content)
      }
      return { ...facts, secrets: [...files.keys()] }
    },
    async moveTo(url, { onProgress }) {
      refusePostgres(storage, 'there is nothing to move from SQLite')
      using lock = openDataDir(dataDir)
      if (!existsSync(databasePath)) throw new CommandError(`There is no database at ${databasePath} to move.`)
      const facts = new Map([['pepper', pepperFact(loadPepper(lock.path))]])
      const wanted = { databasePath, url, facts, onProgress }
      return await moveToPostgres({ ...MOVE_LIMITS, clock: systemClock, ...wanted })
    },
  }
}

function refusePostgres({ postgres }: ResolvedConfig['storage'], instead: string): void {
  if (postgres !== undefined) {
    throw new CommandError(`The data of this server is in PostgreSQL (storage.database_url): ${instead}.`)
  }
}

function readSecrets(dataDir: string): ReadonlyMap<string, string> {
  const found = SECRETS.map(({ name, fileOf }) => [name, readIfThere(fileOf(dataDir))] as const)
  return new Map(found.flatMap(([name, content]) => (content === null ? [] : [[name, content]])))
}

/** Nothing is ever written over: neither a database nor the secrets of another one. */
function refuseFilled(dataDir: string, databasePath: string): void {
  const files = readdirSync(dataDir).filter((name) => !LOCK_FILES.has(name))
  const there = existsSync(databasePath) ? databasePath : files[0]
  if (there === undefined) return
  throw new CommandError(
    `The data directory ${dataDir} is not empty (${there}). Restore into a new one, with --data-dir, or move this one away.`,
  )
}
