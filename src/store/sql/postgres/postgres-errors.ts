/** What PostgreSQL and its connection can say, as our errors; and which of it ends a connection. */
import { ApiError } from '../../../protocol/errors.ts'
import { StorageBusy, StorageFull, StorageUnavailable } from '../errors.ts'

/** Rolled back by the server because another transaction was in its way: the same may succeed the next time. */
const CONFLICTS: ReadonlySet<string> = new Set(['40001', '40P01'])
const DISK_FULL = '53100'
/** A statement or a lock that took longer than it may. */
const TOO_SLOW: ReadonlySet<string> = new Set(['57014', '55P03'])
/**
 * The server is going, coming, full, read-only after a failover, or ended this session: connection exceptions (08),
 * insufficient resources (53), operator intervention (57P), system errors (58), 25006 and 25P03.
 */
const UNAVAILABLE = /^(08...|53...|57P..|58...|25006|25P03)$/
/** Whoever we are, the server does not let us in: mended by its operator while requests wait. */
const NOT_LET_IN = /^(28...|3D000)$/

export const isConflict = (error: unknown): boolean => CONFLICTS.has(sqlStateOf(error) ?? '')

/**
 * A connection is used again only when the server itself said what was wrong with a statement, and goes on. After a
 * timeout or a cut nobody knows what it would answer next.
 */
export function endsConnection(error: unknown): boolean {
  const state = sqlStateOf(error)
  if (state === null) return isOfConnection(error)
  return TOO_SLOW.has(state) || (UNAVAILABLE.test(state) && state !== DISK_FULL)
}

export function fromPostgresError(error: unknown): unknown {
  const state = sqlStateOf(error)
  if (state === null) return isOfConnection(error) ? new StorageUnavailable(error) : error
  if (state === DISK_FULL) return new StorageFull(error)
  if (TOO_SLOW.has(state) || CONFLICTS.has(state)) return new StorageBusy(error)
  return UNAVAILABLE.test(state) || NOT_LET_IN.test(state) ? new StorageUnavailable(error) : error
}

/** Null when the error is not one of the server. */
function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null
  return 'severity' in error && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null
}

const NETWORK_CODES =
  /^(E[A-Z]+|ERR_(SOCKET|TLS|SSL|STREAM)_\w+|DEPTH_ZERO_\w+|CERT_\w+|UNABLE_TO_\w+|SELF_SIGNED_\w+)$/
/** What the driver says itself, without a code. */
const DRIVER_TEXTS =
  /timeout|connection (terminated|error|ended)|not queryable|closed|server does not support SSL|ended unexpectedly/i

function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof ApiError) return false
  if ('code' in error && typeof error.code === 'string') return NETWORK_CODES.test(error.code)
  // Of several addresses none answered.
  if (error instanceof AggregateError) return error.errors.some(isOfConnection)
  return DRIVER_TEXTS.test(error.message)
}
