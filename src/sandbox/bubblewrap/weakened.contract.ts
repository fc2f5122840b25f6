/** A law of everything that runs code in bubblewrap: a wall with a hole is found by the self-test, and not used. */
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Sandbox, SandboxUnavailable } from '../sandbox.ts'
import { PROBE_LIMITS } from '../session/self-test.ts'

/** Bubblewrap with some of its arguments replaced. */
const WEAKENED: readonly [string, string][] = [
  ['it shares the network', 's/--unshare-all/--unshare-user --unshare-pid --unshare-ipc --unshare-uts/'],
  [
    'it shares the processes',
    's/--unshare-all/--unshare-user --unshare-net --unshare-ipc --unshare-uts/; s/--as-pid-1//',
  ],
  ['it shows the files of the host', 's#--dev /dev#--ro-bind / /host --ro-bind /root /root --dev /dev#'],
  ['it may write to the host', 's#--remount-ro /dev#--bind /var/tmp /var --remount-ro /dev#'],
  ['it hands the environment on', 's/--clearenv//'],
  ['it keeps what it should have lost', 's/--cap-drop ALL/--cap-add ALL/'],
  ['it runs without its filter of system calls', 's/--seccomp [0-9]*//'],
  ['it leaves memory without a bound', 's#--remount-ro /dev --remount-ro /##'],
]

export type WeakenedSubject = {
  readonly open: (bubblewrap: string) => Sandbox
  /** False, or why it cannot be had here. */
  readonly missing: string | false
}

export function refusesWeakened(name: string, { open, missing }: WeakenedSubject): void {
  for (const [what, edit] of WEAKENED) {
    test(`the sandbox ${name} is refused where ${what}`, { skip: missing }, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'antiphon-weak-'))
      t.after(() => rm(folder, { recursive: true, force: true }))
      const weak = join(folder, 'bwrap')
      // One argument a line, so that an edit sees the whole list; none of them holds a line break.
      const script = `#!/bin/bash\nargs=$(printf '%s ' "\${@:1:$#-1}" | sed -E '${edit}')\nexec bwrap $args "\${@: -1}"\n`
      await writeFile(weak, script)
      await chmod(folder, 0o755)
      await chmod(weak, 0o755)
      const sandbox = open(weak)
      await assert.rejects(sandbox.open(PROBE_LIMITS, new AbortController().signal), (error) => {
        assert.ok(error instanceof SandboxUnavailable, String(error))
        assert.match(error.message, /reached what it must not|not process 1 of its container/)
        t.diagnostic(error.message.slice(0, 200))
        return true
      })
      await sandbox.close()
    })
  }
}
