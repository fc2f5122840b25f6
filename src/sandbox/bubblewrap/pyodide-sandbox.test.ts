import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFull } from '../../../test/faults/seed.ts'
import { NO_BUBBLEWRAP } from '../../../test/support/code-sandbox.ts'
import { systemClock } from '../../lib/clock.ts'
import { sandboxContract } from '../sandbox.contract.ts'
import { PROBE_LIMITS } from '../session/self-test.ts'
import { createPyodideSandbox } from './pyodide-sandbox.ts'
import { refusesWeakened } from './weakened.contract.ts'

const open = (bubblewrap: string | null = null) =>
  createPyodideSandbox({ clock: systemClock, secret: `secret-${process.pid}-${performance.now()}`, bubblewrap })

/** Most of its laws begin with a start of two seconds and more. */
const tooLong = isFull ? NO_BUBBLEWRAP : 'only with ANTIPHON_FAULTS=full'

sandboxContract('pyodide', { open, missing: tooLong, hasProcesses: false })

test('Python runs in Pyodide once its self-test has reached nothing', { skip: NO_BUBBLEWRAP }, async () => {
  const sandbox = open()
  const session = await sandbox.open(PROBE_LIMITS, new AbortController().signal)
  let said = ''
  const { status } = await session.run('print(6 * 7)', {
    signal: new AbortController().signal,
    onOutput: (piece) => {
      if (piece.type === 'stdout') said += Buffer.from(piece.bytes).toString()
    },
  })
  await sandbox.close()
  assert.deepEqual([status, said.trim()], ['ok', '42'])
})

refusesWeakened('pyodide', { open, missing: NO_BUBBLEWRAP })
