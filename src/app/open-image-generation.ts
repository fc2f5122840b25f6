/** Composition: the configured image engine -> the tool that draws. Without one the demo model alone has one. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'
import { hostAndPort, type OutboundGuard } from '../lib/outbound-guard.ts'
import { createUpstreamAgent } from '../lib/upstream-http.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { FileSource } from '../tools/file-source.ts'
import { openImageEngine } from '../tools/image-generation/engines/open-image-engine.ts'
import { createImageGenerationTool } from '../tools/image-generation/image-generation-tool.ts'
import type { Tool } from '../tools/tool.ts'

export type ImageGenerationDeps = {
  readonly clock: Clock
  readonly guard: OutboundGuard
  readonly telemetry: Telemetry
  readonly source: FileSource
  readonly opened: AsyncDisposableStack
}

export function openImageGeneration(config: ResolvedConfig, deps: ImageGenerationDeps): Tool {
  const { limits, imageGeneration } = config
  const { clock, guard, telemetry, source, opened } = deps
  const connection = imageGeneration ?? { engine: 'demo' as const }
  const timeoutMs = limits.imageTimeMs
  const dispatcher = opened.adopt(createUpstreamAgent({ connectMs: limits.upstreamConnectMs }), (it) => it.destroy())
  // An engine may answer with an address of its own; any other is a stranger's word.
  const own = connection.engine === 'demo' ? [] : [hostAndPort(new URL(connection.url))]
  const engineGuard = opened.adopt(guard.excepting(own), (it) => it.close())
  const loading = { guard, clock, maxBytes: limits.imageBytes, timeoutMs: limits.urlTimeMs }
  return createImageGenerationTool({
    ...loading,
    source,
    engine: openImageEngine(connection, {
      dispatcher,
      clock,
      timeoutMs,
      maxBytes: limits.imageBytes,
      loading: { ...loading, guard: engineGuard },
    }),
    maxImages: limits.images,
    isFor: ({ isDemo = false }) => imageGeneration !== null || isDemo,
    onFailure: (error) => telemetry.failed({ requestId: null, where: 'image-generation', error }),
  })
}
