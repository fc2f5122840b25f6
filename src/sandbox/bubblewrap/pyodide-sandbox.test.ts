import { isFull } from '../../../test/faults/seed.ts'
import { NO_BUBBLEWRAP } from '../../../test/support/code-sandbox.ts'
import { systemClock } from '../../lib/clock.ts'
import { sandboxContract } from '../sandbox.contract.ts'
import { createPyodideSandbox } from './pyodide-sandbox.ts'
import { refusesWeakened } from './weakened.contract.ts'

const open = (bubblewrap: string | null = null) =>
  createPyodideSandbox({ clock: systemClock, secret: `secret-${process.pid}-${performance.now()}`, bubblewrap })

/** Most of its laws begin with a start of two seconds and more. */
const tooLong = isFull ? NO_BUBBLEWRAP : 'only with ANTIPHON_FAULTS=full'

sandboxContract('pyodide', { open, missing: tooLong, hasProcesses: false })

refusesWeakened('pyodide', { open, missing: NO_BUBBLEWRAP })
