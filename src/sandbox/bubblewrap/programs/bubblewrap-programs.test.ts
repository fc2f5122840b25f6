import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MB, NO_SANDBOX } from '../../../../test/support/code-sandbox.ts'
import { systemClock } from '../../../lib/clock.ts'
import { programSandboxContract } from '../../program-sandbox.contract.ts'
import type { ProgramLimits } from '../../program-sandbox.ts'
import { SandboxUnavailable } from '../../sandbox.ts'
import { plantCanaries } from '../../session/self-test.ts'
import { createBubblewrapPrograms } from './bubblewrap-programs.ts'
import { probeNode } from './probe-node.ts'

const LIMITS: ProgramLimits = { wallMs: 10_000, cpuMs: 10_000, memoryBytes: 256 * MB, outputBytes: 10_000 }

const open = (limits: ProgramLimits, given: { readonly bubblewrap?: string; readonly node?: string } = {}) =>
  createBubblewrapPrograms({
    clock: systemClock,
    secret: `secret-${process.pid}-${performance.now()}`,
    bubblewrap: null,
    node: process.execPath,
    limits,
    atOnce: 4,
    ...given,
  })

programSandboxContract('bubblewrap', { open, missing: NO_SANDBOX })

/** Bubblewrap with some of its arguments replaced. */
const WEAKENED: readonly [string, string][] = [
  [
    'it shares the network and has no filter',
    's/--unshare-all/--unshare-user --unshare-pid --unshare-ipc --unshare-uts/; s/--seccomp [0-9]*//',
  ],
  [
    'it shares the processes',
    's/--unshare-all/--unshare-user --unshare-net --unshare-ipc --unshare-uts/; s/--as-pid-1//',
  ],
  ['it shows the programs of the host', 's#--remount-ro /#--ro-bind /bin /bin --remount-ro /#'],
  ['it may write', 's#--remount-ro /#--tmpfs /tmp --remount-ro /#'],
  ['it hands the environment on', 's/--clearenv//'],
  ['it may start processes', 's/--seccomp [0-9]*//'],
  ['it shows the processes of the container', 's#--remount-ro /#--proc /proc --remount-ro /#'],
  ['machine code may be made', 's/--jitless//'],
]

async function wrapper(edit: string) {
  const folder = await mkdtemp(join(tmpdir(), 'antiphon-weak-'))
  const path = join(folder, 'bwrap')
  await writeFile(path, `#!/bin/bash\nexec bwrap $(printf '%s ' "$@" | sed -E '${edit}')\n`)
  await chmod(folder, 0o755)
  await chmod(path, 0o755)
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

for (const [what, edit] of WEAKENED) {
  test(`programs are refused where ${what}`, { skip: NO_SANDBOX }, async (t) => {
    await using weak = await wrapper(edit)
    const sandbox = open(LIMITS, { bubblewrap: weak.path })
    await assert.rejects(sandbox.ready(), (error) => {
      assert.ok(error instanceof SandboxUnavailable, String(error))
      assert.match(error.message, /its self-test/)
      t.diagnostic(error.message.slice(0, 200))
      return true
    })
    await sandbox.close()
  })
}

test('the wrapper that weakens nothing is let through, and all probes were tried', { skip: NO_SANDBOX }, async () => {
  await using whole = await wrapper('')
  const sandbox = open(LIMITS, { bubblewrap: whole.path })
  await sandbox.ready()
  await sandbox.close()
})

test('a self-test that does not come to its end lets nothing through', { skip: NO_SANDBOX }, async () => {
  const canaries = await plantCanaries(`secret-${process.pid}`)
  const parts = { bubblewrap: '/bin/false', node: process.execPath, libraries: [], user: null, environment: {} }
  await assert.rejects(probeNode(parts, canaries, systemClock), /did not run to its end/)
  await canaries.close()
})

test('what is missing is named, with what to install', {
  skip: process.platform !== 'linux' && 'Linux alone',
}, async () => {
  await assert.rejects(open(LIMITS, { bubblewrap: '/nowhere/bwrap' }).ready(), /apt-get install bubblewrap/)
  if (NO_SANDBOX === false)
    await assert.rejects(open(LIMITS, { node: '/nowhere/node' }).ready(), /\/nowhere\/node cannot be run/)
})

test('more programs than may be there wait for their turn', { skip: NO_SANDBOX }, async () => {
  const sandbox = createBubblewrapPrograms({
    clock: systemClock,
    secret: `secret-${process.pid}`,
    bubblewrap: null,
    node: process.execPath,
    limits: LIMITS,
    atOnce: 1,
  })
  const spec = { code: 'return 1', at: 0, seed: '00', tools: [] }
  const first = await sandbox.start(spec, new AbortController().signal)
  const leaving = new AbortController()
  const second = sandbox.start(spec, leaving.signal)
  leaving.abort(new Error('left the queue'))
  await assert.rejects(second, /left the queue/)
  const third = sandbox.start(spec, new AbortController().signal)
  first.close()
  assert.equal((await (await third).advance([])).type, 'end')
  await sandbox.close()
})
