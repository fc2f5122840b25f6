/** Composition: where code runs, here or on a worker; and a worker for servers elsewhere. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { SandboxWorker } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { createBubblewrapHost } from '../sandbox/bubblewrap/bubblewrap-sandbox.ts'
import { createPyodideHost } from '../sandbox/bubblewrap/pyodide-sandbox.ts'
import { createRemoteSandbox } from '../sandbox/remote/remote-sandbox.ts'
import { createWorker } from '../sandbox/remote/worker.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { type ContainerHost, sandboxOf } from '../sandbox/session/sandbox-of-host.ts'
import { sessionLimits } from './session-limits.ts'

export function openSandbox({ sandbox, url, token, python }: ResolvedConfig['codeInterpreter'], clock: Clock): Sandbox {
  if (sandbox === 'remote' && url !== null && token !== null) return createRemoteSandbox({ url, token, clock })
  return sandboxOf(localHost(python, clock), clock)
}

const PYTHON = '/usr/bin/python3'

/** Without a Python of the machine, or where it is asked for, the one that is shipped. */
function localHost(asked: string | null, clock: Clock): ContainerHost {
  const options = { clock, secret: randomBytes(16).toString('hex'), bubblewrap: null }
  const python = asked ?? (existsSync(PYTHON) ? PYTHON : 'pyodide')
  return python === 'pyodide' ? createPyodideHost(options) : createBubblewrapHost({ ...options, python })
}

/** For `antiphon sandbox serve`. Throws `SandboxUnavailable` when the self-test of this machine fails. */
export async function openSandboxWorker({ codeInterpreter, limits }: ResolvedConfig): Promise<SandboxWorker | null> {
  const { token, python } = codeInterpreter
  if (token === null) return null
  const host = localHost(python, systemClock)
  const most = sessionLimits(limits)
  const probed = await host.launch(most, new AbortController().signal)
  probed.kill()
  const worker = createWorker({ host, token, most, containers: limits.containers })
  return { listen: worker.listen, [Symbol.asyncDispose]: worker.close }
}
