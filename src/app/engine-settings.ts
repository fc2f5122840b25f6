/** What the engine needs of the configuration. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { EngineSettings } from '../engine/settings.ts'

const toSeconds = (ms: number) => Math.floor(ms / 1000)

export function engineSettings({ defaults, limits, projects, retention }: ResolvedConfig): EngineSettings {
  return {
    defaultModel: defaults.model,
    storeByDefault: defaults.store,
    truncationByDefault: defaults.truncation,
    maxOutputTokensByDefault: defaults.maxOutputTokens,
    maxToolCallsByDefault: defaults.maxToolCalls,
    toolCallsAtOnce: limits.toolCallsAtOnce,
    maxPageImages: limits.pageImages,
    unsupportedParams: defaults.unsupportedParams === 'auto' ? null : defaults.unsupportedParams,
    responseTtlSeconds: toSeconds(retention.responsesMs),
    projects: new Map(
      [...projects].map(([id, { zeroRetention, retentionMs }]) => [
        id,
        { zero: zeroRetention, responseTtlSeconds: toSeconds(retentionMs) },
      ]),
    ),
    chainLimits: { maxResponses: limits.chainResponses, maxBytes: limits.chainBytes },
    background: { maxQueued: limits.backgroundQueued, logTtlSeconds: toSeconds(retention.backgroundEventsMs) },
    wallClockMs: limits.responseTimeMs,
    files: {
      fileBytes: limits.fileBytes,
      uploadBytes: limits.uploadBytes,
      partBytes: limits.uploadPartBytes,
      projectBytes: limits.fileStoragePerProjectBytes,
      projectFiles: limits.filesPerProject,
      projectUploads: limits.uploadsPerProject,
      ttlSeconds: retention.filesMs === null ? null : toSeconds(retention.filesMs),
    },
  }
}
