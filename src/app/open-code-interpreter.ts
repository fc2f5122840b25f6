/** Composition: the configured sandbox -> containers, and the tools that run code in them. */
import { randomBytes } from 'node:crypto'
import type { SandboxWorker } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { createBubblewrapHost } from '../sandbox/bubblewrap/bubblewrap-sandbox.ts'
import { createContainers } from '../sandbox/containers.ts'
import { createRemoteSandbox } from '../sandbox/remote/remote-sandbox.ts'
import { createWorker } from '../sandbox/remote/worker.ts'
import type { Sandbox, SessionLimits } from '../sandbox/sandbox.ts'
import { type ContainerHost, sandboxOf } from '../sandbox/session/sandbox-of-host.ts'
import { createCodeInterpreterTool } from '../tools/code-interpreter/code-interpreter-tool.ts'
import type { Containers } from '../tools/containers.ts'
import type { FileSource } from '../tools/file-source.ts'
import type { Tool } from '../tools/tool.ts'

export type OpenCodeInterpreter = {
  readonly tools: readonly Tool[]
  /** Null: switched off. */
  readonly containers: Containers | null
  close(): Promise<void>
}

/** Nothing is started, or tested, before somebody wants to run code. */
export function openCodeInterpreter(
  { codeInterpreter, limits }: ResolvedConfig,
  { clock, ids, source }: { readonly clock: Clock; readonly ids: Ids; readonly source: FileSource },
): OpenCodeInterpreter {
  if (codeInterpreter.sandbox === 'off') return { tools: [], containers: null, close: async () => {} }
  const containers = createContainers({
    sandbox: openSandbox(codeInterpreter, clock),
    clock,
    ids,
    session: sessionLimits(limits),
    idleMs: limits.containerIdleMs,
    total: limits.containers,
    perProject: limits.containersPerProject,
    runsAtOnce: limits.codeRuns,
  })
  return {
    tools: [createCodeInterpreterTool({ containers, source, providerFirst: codeInterpreter.providerFirst })],
    containers,
    close: containers.close,
  }
}

function openSandbox({ sandbox, url, token, python }: ResolvedConfig['codeInterpreter'], clock: Clock): Sandbox {
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

const sessionLimits = (limits: ResolvedConfig['limits']): SessionLimits => ({
  wallMs: limits.codeTimeMs,
  cpuMs: limits.codeCpuMs,
  memoryBytes: limits.codeMemoryBytes,
  diskBytes: limits.codeDiskBytes,
  outputBytes: limits.codeOutputBytes,
  processes: limits.codeProcesses,
  files: limits.codeFiles,
})
