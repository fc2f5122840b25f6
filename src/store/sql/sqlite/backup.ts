/**
 * A copy of a database that may be in use, as one file, and the way back.
 *
 * `VACUUM INTO` copies what is committed at one moment, in one read transaction: a server beside it goes on reading and
 * writing. The files that belong to the database (secrets) go with it in a table of their own, which only a copy has.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { TAKEN_OUT } from '../encode-job.ts'
import { StorageUnusable } from '../errors.ts'
import { migrations } from '../migrations/index.ts'
import { query } from '../query.ts'
import { type Connection, openConnection } from './connection.ts'
import { readSchema, refuseNewer } from './migrate.ts'

/** By name; the content is text. */
export type KeptFiles = ReadonlyMap<string, string>
export type BackupFacts = { readonly bytes: number; readonly schema: number }

const WAIT_MS = 5_000
const copyTo = query<{ path: string }>('VACUUM INTO :path')
const keepFile = query<{ name: string; content: string }>(
  'INSERT INTO backup_files (name, content) VALUES (:name, :content)',
)
const keptFiles = query<Record<never, never>, { name: string; content: string }>(
  'SELECT name, content FROM backup_files',
)
const isBackup = query<Record<never, never>, { n: number }>(
  "SELECT count(*) AS n FROM sqlite_schema WHERE name = 'backup_files'",
)
/**
 * The server that the backup was made of may have gone on with these runs. What it has done since is not in the backup,
 * so they are ended by the first server that takes them, and not run a second time.
 */
const endJobs = query<{ payload: string }>('UPDATE jobs SET payload = :payload')
const integrity = query<Record<never, never>, { integrity_check: string }>('PRAGMA integrity_check(1)')

/** `target` appears when it is whole and on disk, and never in the place of another file. */
export function backUp(path: string, target: string, files: KeptFiles): BackupFacts {
  if (!existsSync(path)) throw new StorageUnusable(`There is no database at ${path} yet.`)
  if (existsSync(target)) throw new StorageUnusable(`${target} is there already; name a new file.`)
  return intoPlace(target, (draft) => {
    const source = open(path, true)
    try {
      source.run(copyTo, { path: draft })
    } finally {
      source.close()
    }
    return useCopy(draft, (copy) => {
      copy.exec('CREATE TABLE backup_files (name TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT')
      for (const [name, content] of files) copy.run(keepFile, { name, content })
      return readSchema(copy, draft).version
    })
  })
}

/** Checks a backup and makes the database at `path` from it. Answers the files that were kept in it. */
export function restore(backup: string, path: string): BackupFacts & { readonly files: KeptFiles } {
  if (!existsSync(backup)) throw new StorageUnusable(`There is no file ${backup}.`)
  let files: KeptFiles = new Map()
  const facts = intoPlace(path, (draft) => {
    const source = open(backup, true)
    try {
      checkBackup(source, backup)
      files = new Map(source.all(keptFiles, {}).map(({ name, content }) => [name, content]))
      source.run(copyTo, { path: draft })
    } finally {
      source.close()
    }
    return useCopy(draft, (copy) => {
      copy.exec('DROP TABLE backup_files')
      copy.run(endJobs, { payload: TAKEN_OUT })
      return readSchema(copy, draft).version
    })
  })
  return { ...facts, files }
}

function checkBackup(source: Connection, path: string): void {
  if ((source.get(isBackup, {})?.n ?? 0) === 0) {
    throw new StorageUnusable(`${path} was not made by antiphon backup.`)
  }
  refuseNewer(path, readSchema(source, path), migrations)
  const found = source.get(integrity, {})?.integrity_check
  if (found !== 'ok') throw new StorageUnusable(`${path} is damaged: ${found}`)
}

const open = (path: string, readOnly: boolean) =>
  openConnection({ path, readOnly, busyTimeoutMs: WAIT_MS, pragmas: 'PRAGMA trusted_schema=OFF' })

/** A copy is not in use, so it needs no log beside it. */
function useCopy(path: string, change: (copy: Connection) => number): number {
  const copy = open(path, false)
  try {
    copy.exec('PRAGMA secure_delete=ON')
    return change(copy)
  } finally {
    copy.close()
  }
}

/** `make` writes a draft and answers its schema; the draft is removed when it fails. */
function intoPlace(target: string, make: (draft: string) => number): BackupFacts {
  const draft = `${target}.part`
  rmSync(draft, { force: true })
  try {
    const schema = make(draft)
    const file = openSync(draft, 'r+')
    fsyncSync(file)
    closeSync(file)
    renameSync(draft, target)
    return { bytes: statSync(target).size, schema }
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
