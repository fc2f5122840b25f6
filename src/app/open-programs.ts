/** Composition: where programs of models run, and the tool for them. Nothing is started, or tested, before one is wanted. */
import { randomBytes } from 'node:crypto'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { createProgramTool } from '../engine/programs/program-tool.ts'
import type { Clock } from '../lib/clock.ts'
import type { ProgramSandbox } from '../sandbox/program-sandbox.ts'
import type { Tool } from '../tools/tool.ts'

type Parts = { readonly clock: Clock; readonly opened: AsyncDisposableStack }

export function openPrograms(config: ResolvedConfig, { clock, opened }: Parts): readonly Tool[] {
  if (config.programs.sandbox === 'off') return []
  return [createProgramTool(opened.adopt(sandboxLater(config, clock), (it) => it.close()))]
}

function sandboxLater({ limits }: ResolvedConfig, clock: Clock): ProgramSandbox {
  let loading: Promise<ProgramSandbox> | null = null
  const load = async (): Promise<ProgramSandbox> => {
    const { createBubblewrapPrograms } = await import('../sandbox/bubblewrap/programs/bubblewrap-programs.ts')
    return createBubblewrapPrograms({
      clock,
      secret: randomBytes(16).toString('hex'),
      bubblewrap: null,
      node: process.execPath,
      limits: {
        wallMs: limits.codeTimeMs,
        cpuMs: limits.codeCpuMs,
        memoryBytes: limits.codeMemoryBytes,
        outputBytes: limits.codeOutputBytes,
      },
      atOnce: limits.codeRuns,
    })
  }
  const loaded = () => {
    loading ??= load()
    return loading
  }
  return {
    name: 'bubblewrap',
    ready: async () => (await loaded()).ready(),
    start: async (spec, signal) => (await loaded()).start(spec, signal),
    close: async () => (await loading)?.close(),
  }
}
