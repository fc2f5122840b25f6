/**
 * What an upstream can do wrong, as scripts, each with what a user of the server must see. `docs/faults.md` says the
 * same in words.
 */
import type { HostileFault } from './hostile-fault.ts'
import { SILENCES, STATUSES, TYPES } from './hostile-reply-faults.ts'
import { BREAKS, SENSE, TEXTS } from './hostile-stream-faults.ts'

export const HOSTILE_FAULTS: Readonly<Record<string, HostileFault>> = {
  ...STATUSES,
  ...TYPES,
  ...SILENCES,
  ...BREAKS,
  ...TEXTS,
  ...SENSE,
}
