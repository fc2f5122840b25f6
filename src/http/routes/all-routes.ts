/** Every route of the server, in one list. */
import type { Route } from '../route-table.ts'
import { cancelResponse } from './cancel-response.ts'
import { compactResponse } from './compact-response.ts'
import { containerRoutes } from './containers.ts'
import { conversationItemRoutes } from './conversation-items.ts'
import { conversationRoutes } from './conversations.ts'
import { countInputTokens } from './count-input-tokens.ts'
import { createChatCompletion } from './create-chat-completion.ts'
import { createEmbeddings } from './create-embeddings.ts'
import { createResponse } from './create-response.ts'
import { deleteResponse } from './delete-response.ts'
import { fileRoutes } from './files.ts'
import { getModel } from './get-model.ts'
import { getResponse } from './get-response.ts'
import { healthRoutes } from './health.ts'
import { legacyCompletions } from './legacy-completions.ts'
import { listInputItems } from './list-input-items.ts'
import { listModels } from './list-models.ts'
import { metricsRoute } from './metrics.ts'
import { openapiRoute } from './openapi.ts'
import { promptRoutes } from './prompts.ts'
import { readyRoutes } from './ready.ts'
import { rootRoute } from './root.ts'
import type { RoutePorts } from './route-ports.ts'
import { uploadRoutes } from './uploads.ts'
import { vectorStoreFileRoutes } from './vector-store-files.ts'
import { vectorStoreRoutes } from './vector-stores.ts'
import { versionRoute } from './version.ts'
import { webhookRoutes } from './webhook-endpoints.ts'

export const createRoutes = (ports: RoutePorts): readonly Route[] => [
  createResponse(ports),
  getResponse(ports),
  deleteResponse(ports),
  cancelResponse(ports),
  listInputItems(ports),
  countInputTokens(ports),
  compactResponse(ports),
  ...promptRoutes(ports),
  ...vectorStoreRoutes(ports),
  ...vectorStoreFileRoutes(ports),
  ...webhookRoutes(ports),
  ...containerRoutes(ports),
  ...conversationRoutes(ports),
  ...conversationItemRoutes(ports),
  ...fileRoutes(ports),
  ...uploadRoutes(ports),
  createChatCompletion(ports),
  legacyCompletions(),
  createEmbeddings(ports),
  listModels(ports),
  getModel(ports),
  ...healthRoutes(),
  ...readyRoutes(ports),
  versionRoute(ports),
  metricsRoute(ports),
  openapiRoute(ports),
  rootRoute(ports),
]
