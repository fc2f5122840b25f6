/** Composition: where code runs, here or on a worker; and a worker for servers elsewhere. */
import { randomBytes } from 'node:crypto'
import type { SandboxWorker } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { createBubblewrapHost } from '../sandbox/bubblewrap/bubblewrap-sandbox.ts'
import { createRemoteSandbox } from '../sandbox/remote/remote-sandbox.ts'
import { createWorker } from '../sandbox/remote/worker.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { type ContainerHost, sandboxOf } from '../sandbox/session/sandbox-of-host.ts'
import { sessionLimits } from './session-limits.ts'

export function openSandbox({ sandbox, url, token, python }: ResolvedConfig['codeInterpreter'], clock: Clock): Sandbox {
  if (sandbox === 'remote' && url !== null && token !== null) return createRemoteSandbox({ url, token, clock })
  return sandboxOf(localHost(python, clock), clock)
}

const localHost = (python: string, clock: Clock): ContainerHost =>
  createBubblewrapHost({ clock, secret: randomBytes(16).toString('hex'), python, bubblewrap: null })

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
