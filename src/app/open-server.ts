/** The edge, put together from the configuration and what the composition root has opened. */
import type { Authenticator } from '../auth/principal.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { ContainersApi } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import type { VectorStores } from '../engine/vector-stores/vector-stores.ts'
import type { Webhooks } from '../engine/webhooks.ts'
import { createHttpServer, type HttpServer } from '../http/http-server.ts'
import type { RateLimiter } from '../http/rate-limiter.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { validateChatCompletion } from '../protocol/chat/validate-chat.ts'
import { validateEmbeddings } from '../protocol/embeddings.ts'
import { readFileFields } from '../protocol/read-file-form.ts'
import { validateCompact, validateCountInputTokens, validateCreateResponse } from '../protocol/validate.ts'
import {
  validateAddConversationItems,
  validateCreateConversation,
  validateUpdateConversation,
} from '../protocol/validate-conversation.ts'
import { validateCreatePrompt, validateUpdatePrompt } from '../protocol/validate-prompt.ts'
import { validateCompleteUpload, validateCreateUpload } from '../protocol/validate-upload.ts'
import {
  validateAttachFile,
  validateCreateFileBatch,
  validateCreateVectorStore,
  validateSearchVectorStore,
  validateUpdateAttributes,
  validateUpdateVectorStore,
} from '../protocol/validate-vector-store.ts'
import type { Store } from '../store/store.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { ModelParts } from './open-models.ts'

type ServerParts = {
  readonly clock: Clock
  readonly ids: Ids
  readonly engine: Engine
  readonly vectorStores: VectorStores
  readonly webhooks: Webhooks
  readonly containers: ContainersApi
  readonly models: ModelParts
  readonly authenticator: Authenticator
  /** Null: the server counts for itself. */
  readonly rateLimiter: RateLimiter | null
  readonly telemetry: Telemetry
  readonly metrics: Metrics
  readonly store: Store
  readonly version: string
}

/** The edge over an engine that is there. */
export function openServer(config: ResolvedConfig, parts: ServerParts): HttpServer {
  const { limits, server } = config
  const policy = config.defaults.unsupportedParams
  const unknownParams = policy === 'auto' ? 'warn' : policy
  const publicHost = server.publicUrl === null ? [] : [new URL(server.publicUrl).hostname]
  return createHttpServer({
    ...parts,
    catalog: parts.models.catalog,
    embedders: parts.models.embedders,
    validate: {
      createResponse: (body) => validateCreateResponse(body, { unknownParams }),
      chatCompletion: (body) => validateChatCompletion(body, { unknownParams }),
      embeddings: (body) => validateEmbeddings(body, { unknownParams }),
      countInputTokens: (body) => validateCountInputTokens(body, { unknownParams }),
      compact: (body) => validateCompact(body, { unknownParams }),
      createPrompt: validateCreatePrompt,
      updatePrompt: validateUpdatePrompt,
      createConversation: (body) => validateCreateConversation(body, { unknownParams }),
      updateConversation: (body) => validateUpdateConversation(body, { unknownParams }),
      addConversationItems: (body) => validateAddConversationItems(body, { unknownParams }),
      fileFields: (fields) => readFileFields(fields, { unknownParams }),
      createUpload: (body) => validateCreateUpload(body, { unknownParams }),
      completeUpload: (body) => validateCompleteUpload(body, { unknownParams }),
      createVectorStore: (body) => validateCreateVectorStore(body, { unknownParams }),
      updateVectorStore: (body) => validateUpdateVectorStore(body, { unknownParams }),
      searchVectorStore: (body) => validateSearchVectorStore(body, { unknownParams }),
      attachFile: (body) => validateAttachFile(body, { unknownParams }),
      updateAttributes: (body) => validateUpdateAttributes(body, { unknownParams }),
      createFileBatch: (body) => validateCreateFileBatch(body, { unknownParams }),
    },
    limits: {
      bodyBytes: limits.jsonBodyBytes,
      jsonDepth: limits.jsonDepth,
      jsonNodes: limits.jsonNodes,
      urlBytes: limits.urlBytes,
      headerBytes: limits.headersBytes,
      headerCount: limits.headerCount,
      headersTimeoutMs: limits.headerTimeMs,
      requestTimeoutMs: limits.bodyTimeMs,
      connections: limits.connections,
      requestsPerConnection: limits.requestsPerConnection,
      idleConnectionMs: limits.idleConnectionMs,
      keepAliveMs: limits.streamKeepAliveMs,
      streamBufferBytes: limits.streamBufferBytes,
      stallMs: limits.streamStallMs,
      formTimeMs: limits.uploadTimeMs,
      webSocketsPerProject: limits.websocketsPerProject,
      webSocketMessageBytes: limits.websocketMessageBytes,
      webSocketLifeMs: limits.websocketTimeMs,
      requestsPerMinute: limits.requestsPerMinute,
    },
    settings: {
      allowedHosts: [...server.allowedHosts, ...publicHost],
      allowedOrigins: server.cors,
      openMetrics: !config.observability.metrics.auth,
    },
    // Loaded when asked for: it takes as long to make as the rest of the edge, and few ever read it.
    openapiDocument: async () => {
      const { buildOpenApi } = await import('../protocol/openapi.ts')
      return buildOpenApi({ version: parts.version, serverUrl: server.publicUrl ?? '/' })
    },
    metrics: async () => ({ contentType: parts.metrics.contentType, body: await parts.metrics.render() }),
    readiness: async () => {
      const failure = await parts.store.ping().then(
        () => null,
        () => 'the store cannot be read or written',
      )
      return { ready: failure === null, reasons: failure === null ? [] : [failure] }
    },
    version: parts.version,
  })
}
