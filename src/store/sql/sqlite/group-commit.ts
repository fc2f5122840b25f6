/**
 * Group commit: writes asked for within one turn of the event loop share one transaction, and so one fsync.
 *
 * 1. `write` queues a unit; the first one schedules a flush for the end of the turn.
 * 2. The flush runs the units one after the other. Should one throw, all is rolled back and run once more, each unit in
 *    its own savepoint, so that it takes back its own changes and nothing else. Hardly ever one does, and savepoints for
 *    all would cost as much as the shorter of the writes.
 * 3. COMMIT returns after the fsync, and only then do the promises resolve.
 *
 * A write that nobody waits for may be patient: it goes with the next commit, or starts one of its own after a while.
 * The fsync keeps the event loop, so one per request would cost more than all the rest of a request.
 *
 * Invariant: a promise resolves only if the changes of its unit are on disk, and rejects only if none of them is kept.
 * The tempting wrong way is to resolve after each unit and commit later: an answer could then outlive its data.
 */
import { StorageBusy } from '../errors.ts'
import { query } from '../query.ts'
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
  /**
   * Runs `unit` inside a transaction; answers its result once that is on disk. It must be synchronous, and change nothing
   * but the database, because it may be rolled back and run again.
   */
  write<T>(unit: () => T): Promise<T>
  /** The same for what nobody waits for: it may take as long as `scheduleLate`. */
  writeLate<T>(unit: () => T): Promise<T>
  /** Commits what is queued. Writes asked for later are refused. */
  close(): void
}

type Unit = {
  /** Answers what to tell the caller once the transaction is on disk. */
  readonly run: () => Outcome
  readonly reject: (error: unknown) => void
}
type Outcome = () => void

const BEGIN = query('BEGIN IMMEDIATE')
const COMMIT = query('COMMIT')
const ROLLBACK = query('ROLLBACK')
const SAVEPOINT = query('SAVEPOINT unit')
const RELEASE = query('RELEASE unit')
const UNDO = query('ROLLBACK TO unit')

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
      const run = () => {
        const value = unit()
        return () => resolve(value)
      }
      queue.push({ run, reject })
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
  let outcomes: readonly Outcome[]
  rollBack(connection)
  try {
    outcomes = runTogether(connection, batch) ?? runApart(connection, batch)
  } catch (error) {
    // Nothing of this transaction is kept, so no unit of it may be told otherwise.
    rollBack(connection)
    for (const unit of batch) unit.reject(error)
    return
  }
  for (const tell of outcomes) tell()
  onCommit?.(batch.length)
}

/** Null when a unit threw; nothing is kept then. */
function runTogether(connection: Connection, batch: readonly Unit[]): readonly Outcome[] | null {
  connection.run(BEGIN, {})
  const outcomes: Outcome[] = []
  try {
    for (const unit of batch) outcomes.push(unit.run())
  } catch {
    rollBack(connection)
    return null
  }
  connection.run(COMMIT, {})
  return outcomes
}

function runApart(connection: Connection, batch: readonly Unit[]): readonly Outcome[] {
  connection.run(BEGIN, {})
  const outcomes = batch.map((unit) => inSavepoint(connection, unit))
  connection.run(COMMIT, {})
  return outcomes
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
function inSavepoint(connection: Connection, unit: Unit): Outcome {
  connection.run(SAVEPOINT, {})
  try {
    const outcome = unit.run()
    connection.run(RELEASE, {})
    return outcome
  } catch (error) {
    if (!connection.inTransaction) throw error
    connection.run(UNDO, {})
    connection.run(RELEASE, {})
    return () => unit.reject(error)
  }
}
