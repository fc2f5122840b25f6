/**
 * Group commit: writes asked for within one turn of the event loop share one transaction, and so one fsync.
 *
 * 1. `write` queues a unit; the first one schedules a flush for the end of the turn.
 * 2. The flush runs each unit in its own savepoint, so a unit that throws takes back its own changes and nothing else.
 * 3. COMMIT returns after the fsync, and only then do the promises resolve.
 *
 * A write that nobody waits for may be patient: it goes with the next commit, or starts one of its own after a while.
 * The fsync keeps the event loop, so one per request would cost more than all the rest of a request.
 *
 * Invariant: a promise resolves only if the changes of its unit are on disk, and rejects only if none of them is kept.
 * The tempting wrong way is to resolve after each unit and commit later: an answer could then outlive its data.
 */
import { StorageBusy } from '../errors.ts'
import { command } from '../query.ts'
import type { Connection } from './connection.ts'

/** Units in one transaction: bounds how long one flush keeps the event loop. */
export const MAX_BATCH = 256
/** Units that may wait; beyond it a write is refused instead of remembered. */
export const MAX_QUEUED = 20_000

export type GroupCommitOptions = {
  /** Runs a function at the end of this turn of the event loop. */
  readonly schedule: (flush: () => void) => void
  /** Runs a function as soon as patient writes may wait no longer. */
  readonly scheduleLate: (flush: () => void) => void
  /** Told after each commit how many units it made durable. */
  readonly onCommit?: (units: number) => void
}

export interface GroupCommit {
  /** Runs `unit`, which must be synchronous, inside a transaction; answers its result once that is on disk. */
  write<T>(unit: () => T): Promise<T>
  /** The same for what nobody waits for: it may take as long as `scheduleLate`. */
  writeLate<T>(unit: () => T): Promise<T>
  /** Commits what is queued. Writes asked for later are refused. */
  close(): void
}

type Unit = { readonly run: () => Outcome; readonly reject: (error: unknown) => void }
/** What to tell the caller once the transaction is on disk. */
type Outcome = () => void

const BEGIN = command('BEGIN IMMEDIATE')
const COMMIT = command('COMMIT')
const ROLLBACK = command('ROLLBACK')
const SAVEPOINT = command('SAVEPOINT unit')
const RELEASE = command('RELEASE unit')
const UNDO = command('ROLLBACK TO unit')

export function createGroupCommit(connection: Connection, options: GroupCommitOptions): GroupCommit {
  const queue: Unit[] = []
  let closed = false
  /** A flush will come at the end of this turn. */
  let urgent = false

  const flush = () => {
    urgent = false
    const batch = queue.splice(0, MAX_BATCH)
    if (queue.length > 0) flushSoon()
    if (batch.length > 0) commitBatch(connection, batch, options.onCommit)
  }
  const flushSoon = () => {
    if (urgent) return
    urgent = true
    options.schedule(flush)
  }
  const enqueue = <T>(unit: () => T, wake: () => void): Promise<T> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(new Error('the store is closed'))
      if (queue.length >= MAX_QUEUED) return reject(new StorageBusy())
      queue.push({ run: () => inSavepoint(connection, unit, resolve, reject), reject })
      wake()
    })
  const wakeLate = () => {
    if (queue.length >= MAX_BATCH) flushSoon()
    else if (queue.length === 1) options.scheduleLate(flush)
  }
  return {
    write: (unit) => enqueue(unit, flushSoon),
    writeLate: (unit) => enqueue(unit, wakeLate),
    close() {
      closed = true
      while (queue.length > 0) flush()
    },
  }
}

function commitBatch(connection: Connection, batch: readonly Unit[], onCommit?: (units: number) => void): void {
  const outcomes: Outcome[] = []
  rollBack(connection)
  try {
    connection.run(BEGIN, {})
    for (const unit of batch) outcomes.push(unit.run())
    connection.run(COMMIT, {})
  } catch (error) {
    // Nothing of this transaction is kept, so no unit of it may be told otherwise.
    for (const unit of batch) unit.reject(error)
    rollBack(connection)
    return
  }
  for (const tell of outcomes) tell()
  onCommit?.(batch.length)
}

/** A rollback that fails leaves the transaction open, and the next flush tries again before it begins. */
function rollBack(connection: Connection): void {
  try {
    if (connection.inTransaction) connection.run(ROLLBACK, {})
  } catch {
    // Every caller has its error already; there is nobody left to tell.
  }
}

/** Throws only when the whole transaction is lost: SQLite itself rolls back on a full disk and on I/O errors. */
function inSavepoint<T>(
  connection: Connection,
  unit: () => T,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): Outcome {
  connection.run(SAVEPOINT, {})
  try {
    const value = unit()
    connection.run(RELEASE, {})
    return () => resolve(value)
  } catch (error) {
    if (!connection.inTransaction) throw error
    connection.run(UNDO, {})
    connection.run(RELEASE, {})
    return () => reject(error)
  }
}
