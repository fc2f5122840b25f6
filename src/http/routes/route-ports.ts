/** What the routes need from outside; each takes the part it uses. */
import type { ContainersApi } from '../../engine/containers.ts'
import type { Engine } from '../../engine/engine.ts'
import type { VectorStores } from '../../engine/vector-stores/vector-stores.ts'
import type { Webhooks } from '../../engine/webhooks.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { ModelCatalog } from '../../models/catalog.ts'
import type { EmbedderCatalog } from '../../models/embedder.ts'
import type { ValidatedChat } from '../../protocol/chat/validate-chat.ts'
import type { CompactRequest } from '../../protocol/compact.ts'
import type {
  AddConversationItemsRequest,
  CreateConversationRequest,
  UpdateConversationRequest,
} from '../../protocol/conversation.ts'
import type { EmbeddingsRequest } from '../../protocol/embeddings.ts'
import type { CompleteUploadRequest, CreateUploadRequest } from '../../protocol/files.ts'
import type { CreatePromptRequest, UpdatePromptRequest } from '../../protocol/prompts.ts'
import type { FileFields, FormFields } from '../../protocol/read-file-form.ts'
import type { CountInputTokensRequest, CreateResponseRequest } from '../../protocol/request.ts'
import type {
  AttachFileRequest,
  CreateFileBatchRequest,
  CreateVectorStoreRequest,
  SearchVectorStoreRequest,
  UpdateAttributesRequest,
  UpdateVectorStoreRequest,
} from '../../protocol/vector-stores.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import type { HttpLimits } from '../limits.ts'
import type { Replier } from '../replier.ts'

/** Each throws `ApiError` 400 for a body that is not valid. */
export type Validators = {
  createResponse(body: unknown): Checked<CreateResponseRequest>
  chatCompletion(body: unknown): ValidatedChat
  embeddings(body: unknown): Checked<EmbeddingsRequest>
  countInputTokens(body: unknown): Checked<CountInputTokensRequest>
  compact(body: unknown): Checked<CompactRequest>
  createPrompt(body: unknown): CreatePromptRequest
  updatePrompt(body: unknown): UpdatePromptRequest
  createConversation(body: unknown): Checked<CreateConversationRequest>
  updateConversation(body: unknown): Checked<UpdateConversationRequest>
  addConversationItems(body: unknown): Checked<AddConversationItemsRequest>
  fileFields(fields: FormFields): Checked<FileFields>
  createUpload(body: unknown): Checked<CreateUploadRequest>
  completeUpload(body: unknown): Checked<CompleteUploadRequest>
  createVectorStore(body: unknown): Checked<CreateVectorStoreRequest>
  updateVectorStore(body: unknown): Checked<UpdateVectorStoreRequest>
  searchVectorStore(body: unknown): Checked<SearchVectorStoreRequest>
  attachFile(body: unknown): Checked<AttachFileRequest>
  updateAttributes(body: unknown): Checked<UpdateAttributesRequest>
  createFileBatch(body: unknown): Checked<CreateFileBatchRequest>
}
type Checked<T> = { readonly request: T; readonly warnings: readonly string[] }
export type Metrics = () => Promise<{ readonly contentType: string; readonly body: string }>
export type Readiness = () => Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>

export type RoutePorts = {
  readonly engine: Engine
  readonly webhooks: Webhooks
  readonly containers: ContainersApi
  readonly vectorStores: VectorStores
  readonly catalog: ModelCatalog
  readonly embedders: EmbedderCatalog
  readonly validate: Validators
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly ids: Ids
  readonly limits: HttpLimits
  readonly replier: Replier
  readonly openMetrics: boolean
  readonly openapiDocument: () => Promise<object>
  readonly metrics: Metrics
  readonly readiness: Readiness
  readonly isDraining: () => boolean
  readonly version: string
}
