/** The faults that lie below any format, or can be said in every one of them. */
import type { Faults, FaultWire } from './hostile-fault.ts'
import { silences, statuses, types } from './hostile-reply-faults.ts'
import { breaks, ends, texts } from './hostile-stream-faults.ts'

export const wireFaults = (wire: FaultWire): Faults => ({
  ...statuses(wire),
  ...types(wire),
  ...silences(wire),
  ...breaks(wire),
  ...texts(wire),
  ...ends(wire),
})
