/** Composition: the configured sandbox -> containers, and the tools that run code in them. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { createContainers } from '../sandbox/containers.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { createCodeInterpreterTool } from '../tools/code-interpreter/code-interpreter-tool.ts'
import type { Containers } from '../tools/containers.ts'
import type { FileSource } from '../tools/file-source.ts'
import { createShellTool } from '../tools/shell/shell-tool.ts'
import type { Tool } from '../tools/tool.ts'
import { sessionLimits } from './session-limits.ts'

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
    sandbox: sandboxLater(codeInterpreter, clock),
    clock,
    ids,
    session: sessionLimits(limits),
    idleMs: limits.containerIdleMs,
    total: limits.containers,
    perProject: limits.containersPerProject,
    runsAtOnce: limits.codeRuns,
  })
  return {
    tools: [
      createCodeInterpreterTool({ containers, source, providerFirst: codeInterpreter.providerFirst }),
      createShellTool({ containers, source }),
    ],
    containers,
    close: containers.close,
  }
}

/** Its parts are loaded when somebody wants to run code. */
function sandboxLater(config: ResolvedConfig['codeInterpreter'], clock: Clock): Sandbox {
  let loading: Promise<Sandbox> | null = null
  const load = () => {
    loading ??= import('./open-sandbox.ts').then(({ openSandbox }) => openSandbox(config, clock))
    return loading
  }
  return {
    name: config.sandbox,
    traits: async () => (await load()).traits(),
    open: async (limits, signal) => (await load()).open(limits, signal),
    close: async () => (await loading)?.close(),
  }
}
