/**
 * The data directory: private to one user, and used by one process at a time.
 *
 * The lock is an exclusive transaction on `lock.db`, kept open for as long as the directory is held. It rests on a lock
 * of the operating system, which drops it with the process however that ends, so a stale lock cannot exist. The file
 * `lock.json` beside it only names the holder for the message; nothing is decided by it.
 */
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type LockHolder = { readonly pid: number; readonly host: string }

/** Another process uses the directory. */
export class DataDirLocked extends Error {
  override readonly name = 'DataDirLocked'
  readonly path: string
  /** Null when the holder had not written its name yet. */
  readonly holder: LockHolder | null

  constructor(path: string, holder: LockHolder | null, cause: unknown) {
    const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process'
    super(
      `The data directory ${path} is in use by ${who}. Stop that server, or give this one its own data directory.`,
      { cause },
    )
    this.path = path
    this.holder = holder
  }
}

/** The directory cannot hold the data of a server. */
export class DataDirUnusable extends Error {
  override readonly name = 'DataDirUnusable'
}

export interface DataDir extends Disposable {
  /** Absolute, without symbolic links. */
  readonly path: string
  /** Lets go of the lock. Does nothing the second time. */
  dispose(): void
}

/** Locks that are held: a connection that nobody keeps is closed when it is collected as garbage, and its lock with it. */
const HELD = new Set<DatabaseSync>()

const PRIVATE_DIR = 0o700
const PRIVATE_FILE = 0o600
const PRIVATE_UMASK = 0o077
const SHARED_BITS = 0o077
const WRITABLE_BY_ALL = 0o002
const SQLITE_BUSY = 5
/** NFS, SMB, CIFS, SMB2: locks and write-ahead logs are not safe there. */
const NETWORK_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42])

/**
 * Makes the directory when there is none, closes it to other users, and locks it. Every file this process makes from
 * then on is private (umask 077). Throws `DataDirLocked` at once when it is in use, `DataDirUnusable` when it must not be.
 */
export function openDataDir(directory: string): DataDir {
  process.umask(PRIVATE_UMASK)
  mkdirSync(directory, { recursive: true, mode: PRIVATE_DIR })
  const path = realpathSync(directory)
  refuseNetworkFileSystem(path)
  if (process.platform !== 'win32') closeToOthers(path)
  const lock = takeLock(path)
  HELD.add(lock)
  const dispose = () => {
    if (!HELD.delete(lock)) return
    rmSync(holderFile(path), { force: true })
    lock.close()
  }
  return { path, dispose, [Symbol.dispose]: dispose }
}

function refuseNetworkFileSystem(path: string): void {
  if (!NETWORK_FILE_SYSTEMS.has(statfsSync(path).type)) return
  throw new DataDirUnusable(`The data directory ${path} is on a network file system; put it on a local disk.`)
}

/** A directory of ours is closed; of another owner we can only see whether everyone may write to it. */
function closeToOthers(path: string): void {
  const { mode, uid } = statSync(path)
  if ((mode & SHARED_BITS) === 0) return
  if (uid === process.getuid?.()) {
    chmodSync(path, PRIVATE_DIR)
  } else if ((mode & WRITABLE_BY_ALL) !== 0) {
    throw new DataDirUnusable(
      `The data directory ${path} belongs to another user and everyone may write to it. ` +
        `Run 'chmod o-w ${path}', or give it to the user of this server.`,
    )
  }
}

function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(join(path, 'lock.db'), { timeout: 0 })
  try {
    lock.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE')
    writeHolder(path)
    return lock
  } catch (error) {
    lock.close()
    throw isBusy(error) ? new DataDirLocked(path, readHolder(path), error) : error
  }
}

const isBusy = (error: unknown) => error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY

const holderFile = (path: string) => join(path, 'lock.json')

/** Written beside and moved into place, so that a reader never sees half of it. */
function writeHolder(path: string): void {
  const holder: LockHolder = { pid: process.pid, host: hostname() }
  const draft = `${holderFile(path)}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(holder)}\n`, { mode: PRIVATE_FILE })
  renameSync(draft, holderFile(path))
}

function readHolder(path: string): LockHolder | null {
  try {
    const holder: unknown = JSON.parse(readFileSync(holderFile(path), 'utf8'))
    return isHolder(holder) ? { pid: holder.pid, host: holder.host } : null
  } catch {
    // No name, or a damaged one: the lock holds all the same, and the message says so without a name.
    return null
  }
}

const isHolder = (value: unknown): value is LockHolder =>
  typeof value === 'object' &&
  value !== null &&
  'pid' in value &&
  typeof value.pid === 'number' &&
  'host' in value &&
  typeof value.host === 'string'
