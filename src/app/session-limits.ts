/** `limits.code_*` as a sandbox has them. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { SessionLimits } from '../sandbox/sandbox.ts'

export const sessionLimits = (limits: ResolvedConfig['limits']): SessionLimits => ({
  wallMs: limits.codeTimeMs,
  cpuMs: limits.codeCpuMs,
  memoryBytes: limits.codeMemoryBytes,
  diskBytes: limits.codeDiskBytes,
  outputBytes: limits.codeOutputBytes,
  processes: limits.codeProcesses,
  files: limits.codeFiles,
})
