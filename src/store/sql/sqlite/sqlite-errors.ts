/** SQLite's result codes as our errors. */
import { StorageBusy, StorageFull } from '../errors.ts'

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_FULL = 13
/** The low byte is the code, the rest says more about it. */
const PRIMARY_CODE = 0xff

/** Disk full and busy get their own error; anything else stays what it was. */
export function fromSqliteError(error: unknown): unknown {
  switch (primaryCode(error)) {
    case SQLITE_FULL:
      return new StorageFull(error)
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new StorageBusy(error)
    default:
      return error
  }
}

function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode & PRIMARY_CODE
}
