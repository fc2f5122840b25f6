import { NO_BUBBLEWRAP } from '../../../test/support/code-sandbox.ts'
import { systemClock } from '../../lib/clock.ts'
import { sandboxContract } from '../sandbox.contract.ts'
import { createPyodideSandbox } from './pyodide-sandbox.ts'
import { refusesWeakened } from './weakened.contract.ts'

const open = (bubblewrap: string | null = null) =>
  createPyodideSandbox({ clock: systemClock, secret: `secret-${process.pid}-${performance.now()}`, bubblewrap })

sandboxContract('pyodide', { open, missing: NO_BUBBLEWRAP, hasProcesses: false })

refusesWeakened('pyodide', { open, missing: NO_BUBBLEWRAP })
