/** Composition: the configured sandbox -> containers, and the tools that run code in them. */
import { randomBytes } from 'node:crypto'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { createBubblewrapSandbox } from '../sandbox/bubblewrap/bubblewrap-sandbox.ts'
import { createContainers } from '../sandbox/containers.ts'
import type { SessionLimits } from '../sandbox/sandbox.ts'
import { createCodeInterpreterTool } from '../tools/code-interpreter/code-interpreter-tool.ts'
import type { Containers } from '../tools/containers.ts'
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
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
): OpenCodeInterpreter {
  const { sandbox: kind, python } = codeInterpreter
  if (kind === 'off') return { tools: [], containers: null, close: async () => {} }
  const secret = randomBytes(16).toString('hex')
  const containers = createContainers({
    sandbox: createBubblewrapSandbox({ clock, secret, python, bubblewrap: null }),
    clock,
    ids,
    session: sessionLimits(limits),
    idleMs: limits.containerIdleMs,
    total: limits.containers,
    perProject: limits.containersPerProject,
    runsAtOnce: limits.codeRuns,
  })
  return {
    tools: [createCodeInterpreterTool({ containers, providerFirst: kind === 'auto' })],
    containers,
    close: containers.close,
  }
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
