import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { containerProcesses, MB, NO_PLOTS, NO_SANDBOX } from '../../../test/support/code-sandbox.ts'
import { systemClock } from '../../lib/clock.ts'
import { sandboxContract } from '../sandbox.contract.ts'
import { SandboxUnavailable } from '../sandbox.ts'
import { PROBE_LIMITS } from '../session/self-test.ts'
import { createBubblewrapSandbox } from './bubblewrap-sandbox.ts'
import { refusesWeakened } from './weakened.contract.ts'

const NEVER = new AbortController().signal
const open = (given: { readonly bubblewrap?: string; readonly python?: string } = {}) =>
  createBubblewrapSandbox({
    clock: systemClock,
    secret: `secret-${process.pid}-${performance.now()}`,
    python: '/usr/bin/python3',
    bubblewrap: null,
    ...given,
  })

sandboxContract('bubblewrap', { open, missing: NO_SANDBOX, hasProcesses: true })

refusesWeakened('bubblewrap', { open: (bubblewrap) => open({ bubblewrap }), missing: NO_SANDBOX })

test('the wrapper that weakens nothing is let through', { skip: NO_SANDBOX }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'antiphon-whole-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const whole = join(folder, 'bwrap')
  await writeFile(whole, '#!/bin/bash\nexec bwrap "$@"\n')
  await chmod(folder, 0o755)
  await chmod(whole, 0o755)
  const sandbox = open({ bubblewrap: whole })
  await sandbox.open(PROBE_LIMITS, NEVER)
  await sandbox.close()
})

test('what is missing is named, with what to install', {
  skip: process.platform !== 'linux' && 'Linux alone',
}, async () => {
  const refused = (given: Parameters<typeof open>[0], says: RegExp) =>
    assert.rejects(open(given).open(PROBE_LIMITS, NEVER), (error) => {
      assert.ok(error instanceof SandboxUnavailable)
      assert.match(error.message, says)
      return true
    })
  await refused({ bubblewrap: '/nowhere/bwrap' }, /apt-get install bubblewrap/)
  if (NO_SANDBOX === false) {
    await refused({ python: '/usr/bin/python-none' }, /apt-get install python3/)
    await refused({ python: '/opt/python' }, /below \/usr/)
    await refused({ bubblewrap: '/bin/false' }, /docs\/code-interpreter\.md/)
  }
})

test('a figure that is shown comes as a picture of it', { skip: NO_PLOTS }, async (t) => {
  const sandbox = open()
  t.after(() => sandbox.close())
  const limits = { ...PROBE_LIMITS, memoryBytes: 1000 * MB, processes: 64 }
  const session = await sandbox.open(limits, NEVER)
  const images: Uint8Array[] = []
  const code = `import matplotlib.pyplot as plt
plt.plot([1, 2, 3]); plt.show()
plt.bar(["a", "b"], [3, 4])`
  const { status } = await session.run(code, {
    signal: NEVER,
    onOutput: (piece) => void (piece.type === 'image' && images.push(piece.bytes)),
  })
  assert.equal(status, 'ok')
  assert.equal(images.length, 2)
  for (const image of images) assert.deepEqual([...image.subarray(1, 4)], [...Buffer.from('PNG')])
})

test('closing the sandbox ends its containers', { skip: NO_SANDBOX }, async () => {
  const sandbox = open()
  const none = async () => {
    for (let tries = 0; containerProcesses() > 0 && tries < 100; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
    return containerProcesses() === 0
  }
  assert.ok(await none())
  await Promise.all([1, 2, 3].map(() => sandbox.open(PROBE_LIMITS, NEVER)))
  assert.equal(containerProcesses(), 3)
  await sandbox.close()
  assert.ok(await none())
})
