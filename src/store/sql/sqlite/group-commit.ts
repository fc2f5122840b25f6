/**
 * Group commit: writes asked for within one turn of the event loop share one transaction, and so one fsync.
 *
 * 1. `write` queues a unit; the first one schedules a flush for the end of the turn.
 * 2. The flush runs the units one after the other. Should one throw, all is rolled back and run once more, each unit in
 *    its own savepoint, so that it takes back its own changes and nothing else. Hardly ever one does, and savepoints for
 *    all would cost as much as the shorter of the writes.
 * 3. COMMIT returns after the fsync, and only then do the promises resolve.
 * 4. While another process holds the database a timer asks again; everything else goes on meanwhile. A unit that has
 *    waited for as long as it may is refused.
 *
 * A write that nobody waits for may be patient: it goes with the next commit, or starts one of its own after a while.
 * The fsync keeps the event loop, so one per request would cost more than all the rest of a request.
 *
 * Invariant: a promise resolves only if the changes of its unit are on disk, and rejects only if none of them is kept.
 * The tempting wrong way is to resolve after each unit and commit later: an answer could then outlive its data.
 */
import type { Clock } from '../../../lib/clock.ts'
import { StorageBusy } from '../errors.ts'
import { query } from '../query.ts'
import type { Connection } from './connection.ts'

/** Units in one transaction: bounds how long one flush keeps the event loop. */
export const MAX_BATCH = 256
/** Units that may wait; beyond it a write is refused instead of remembered. */
export const MAX_QUEUED = 20_000
/** Between two attempts to get a database that another process holds; one takes some 10 us. */
const RETRY_MS = 10

export type GroupCommitOptions = {
  readonly clock: Clock
  /** How long a write waits for another process that holds the database. */
  readonly busyTimeoutMs: number
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
  /** Commits what is queued, and waits for the database if it must. Writes asked for later are refused. */
  close(): void
}

type Unit = {
  /** Answers what to tell the caller once the transaction is on disk. */
  readonly run: () => Outcome
  readonly reject: (error: unknown) => void
  /** Monotonic milliseconds. */
  readonly askedAt: number
}
type Outcome = () => void

const BEGIN = query('BEGIN IMMEDIATE')
const COMMIT = query('COMMIT')
const ROLLBACK = query('ROLLBACK')
const SAVEPOINT = query('SAVEPOINT unit')
const RELEASE = query('RELEASE unit')
const UNDO = query('ROLLBACK TO unit')

/** The connection must not wait for locks by itself: that would keep the event loop. */
export function createGroupCommit(connection: Connection, options: GroupCommitOptions): GroupCommit {
  const { clock, busyTimeoutMs } = options
  /** In the order they were asked for. */
  const queue: Unit[] = []
  let closed = false
  /** A flush will come by itself: at the end of this turn, or when the database is asked for again. */
  let isComing = false

  /** Answers whether the database could be had. */
  const commitSome = (): boolean => {
    const batch = queue.slice(0, MAX_BATCH)
    const outcomes = commitBatch(connection, batch)
    if (outcomes === null) return false
    queue.splice(0, batch.length)
    for (const tell of outcomes) tell()
    if (outcomes.length > 0) options.onCommit?.(batch.length)
    return true
  }
  const flush = () => {
    isComing = false
    if (queue.length === 0) return
    const isFree = commitSome()
    if (!isFree) refuseOverdue()
    if (queue.length === 0) return
    if (isFree) return flushSoon()
    isComing = true
    // It keeps the process alive: a command that only waits for its write must not end without it.
    clock.after(RETRY_MS, flush, { keepsAlive: true })
  }
  const refuseOverdue = () => {
    const now = clock.monotonic()
    const kept = queue.findIndex(({ askedAt }) => now - askedAt < busyTimeoutMs)
    refuse(queue.splice(0, kept === -1 ? queue.length : kept))
  }
  const flushSoon = () => {
    if (isComing) return
    isComing = true
    options.schedule(flush)
  }
  const flushLate = () => {
    if (!isComing) flush()
  }
  const enqueue = <T>(unit: () => T, wake: () => void): Promise<T> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(new Error('the store is closed'))
      if (queue.length >= MAX_QUEUED) return reject(new StorageBusy())
      const run = () => {
        const value = unit()
        return () => resolve(value)
      }
      queue.push({ run, reject, askedAt: clock.monotonic() })
      wake()
    })
  const wakeLate = () => {
    if (queue.length >= MAX_BATCH) flushSoon()
    else if (queue.length === 1) options.scheduleLate(flushLate)
  }
  return {
    write: (unit) => enqueue(unit, flushSoon),
    writeLate: (unit) => enqueue(unit, wakeLate),
    close() {
      closed = true
      // Nobody is served any more, so the thread itself may wait.
      connection.waitForLocks(busyTimeoutMs)
      while (queue.length > 0) if (!commitSome()) refuse(queue.splice(0))
    },
  }
}

const refuse = (units: readonly Unit[]): void => {
  for (const unit of units) unit.reject(new StorageBusy())
}

/** Null when another process holds the database: nothing has happened then. Empty when the whole batch was rejected. */
function commitBatch(connection: Connection, batch: readonly Unit[]): readonly Outcome[] | null {
  rollBack(connection)
  try {
    return runTogether(connection, batch) ?? runApart(connection, batch)
  } catch (error) {
    // Nothing of this transaction is kept, so no unit of it may be told otherwise.
    rollBack(connection)
    if (error instanceof StorageBusy) return null
    for (const unit of batch) unit.reject(error)
    return []
  }
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
    if (connection.inTransaction()) connection.run(ROLLBACK, {})
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
    if (!connection.inTransaction()) throw error
    connection.run(UNDO, {})
    connection.run(RELEASE, {})
    return () => unit.reject(error)
  }
}
