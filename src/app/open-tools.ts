/** Every tool that this server can offer to a model, as the operator has set them. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { OutboundGuard } from '../lib/outbound-guard.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { createClientTools } from '../tools/client/client-tools.ts'
import { createFunctionTool } from '../tools/function/function-tool.ts'
import type { Tool } from '../tools/tool.ts'
import type { OpenCodeInterpreter } from './open-code-interpreter.ts'
import { openImageGeneration } from './open-image-generation.ts'
import { openMcp } from './open-mcp.ts'
import { openWebSearch } from './open-web-search.ts'

export type ToolParts = {
  readonly clock: Clock
  readonly guard: OutboundGuard
  readonly telemetry: Telemetry
  readonly version: string
  readonly code: Pick<OpenCodeInterpreter, 'tools'>
  /** Closes what they hold. */
  readonly opened: AsyncDisposableStack
}

export function openTools(config: ResolvedConfig, parts: ToolParts): readonly Tool[] {
  const webSearch = parts.opened.adopt(openWebSearch(config, parts), (it) => it.close())
  return [
    ...webSearch.tools,
    ...parts.code.tools,
    ...createClientTools(),
    createFunctionTool(),
    openImageGeneration(config, parts),
    ...openMcp(config, parts),
  ]
}
