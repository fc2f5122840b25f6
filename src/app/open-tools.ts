/** Every tool that this server can offer to a model, as the operator has set them. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { DocumentReader } from '../documents/document-reader.ts'
import type { Clock } from '../lib/clock.ts'
import type { OutboundGuard } from '../lib/outbound-guard.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { createClientTools } from '../tools/client/client-tools.ts'
import { createFileSearchTool } from '../tools/file-search/file-search-tool.ts'
import type { FileSearcher } from '../tools/file-searcher.ts'
import type { FileSource } from '../tools/file-source.ts'
import { createFunctionTool } from '../tools/function/function-tool.ts'
import type { Tool } from '../tools/tool.ts'
import type { OpenCodeInterpreter } from './open-code-interpreter.ts'
import { openImageGeneration } from './open-image-generation.ts'
import { openMcp } from './open-mcp.ts'
import { openPrograms } from './open-programs.ts'

export type ToolParts = {
  readonly clock: Clock
  readonly guard: OutboundGuard
  readonly telemetry: Telemetry
  readonly documents: DocumentReader
  readonly version: string
  readonly code: Pick<OpenCodeInterpreter, 'tools'>
  readonly searcher: FileSearcher
  readonly source: FileSource
  /** Closes what they hold. */
  readonly opened: AsyncDisposableStack
}

export async function openTools(config: ResolvedConfig, parts: ToolParts): Promise<readonly Tool[]> {
  return [
    ...(await openSearch(config, parts)),
    ...parts.code.tools,
    createFileSearchTool({ searcher: parts.searcher }),
    ...createClientTools(),
    createFunctionTool(),
    openImageGeneration(config, parts),
    ...openMcp(config, parts),
    ...openPrograms(config, parts),
  ]
}

/** No tool where no engine is configured, and nothing of it is loaded. */
async function openSearch(config: ResolvedConfig, parts: ToolParts): Promise<readonly Tool[]> {
  if (config.webSearch.engines.length === 0) return []
  const { openWebSearch } = await import('./open-web-search.ts')
  return parts.opened.adopt(openWebSearch(config, parts), (it) => it.close()).tools
}
