/** The schemas of the contract as OpenAPI components: the very ones that requests are checked with. */

import { ChatChunkSchema, ChatCompletionSchema, ChatUsageSchema } from './chat/completion.ts'
import {
  ChatMessageSchema,
  ChatPartSchema,
  ChatToolCallSchema,
  ChatToolSchema,
  CreateChatCompletionSchema,
} from './chat/request.ts'
import { CompactedResponseSchema, CompactRequestSchema } from './compact.ts'
import {
  ContainerFileListSchema,
  ContainerFileSchema,
  ContainerListSchema,
  ContainerSchema,
  CreateContainerFileSchema,
  CreateContainerSchema,
  DeletedContainerFileSchema,
  DeletedContainerSchema,
} from './containers.ts'
import {
  AnnotationSchema,
  InputFileSchema,
  InputImageSchema,
  InputTextSchema,
  LogprobSchema,
  MessagePartSchema,
  OutputTextSchema,
  ReasoningTextSchema,
  RefusalSchema,
  StoredPartSchema,
  SummaryTextSchema,
  ToolOutputPartSchema,
} from './content.ts'
import {
  AddConversationItemsSchema,
  ConversationSchema,
  CreateConversationSchema,
  DeletedConversationSchema,
  UpdateConversationSchema,
} from './conversation.ts'
import { CreateEmbeddingSchema, EmbeddingListSchema } from './embeddings.ts'
import { EVENT_SCHEMAS } from './events.ts'
import {
  AddUploadPartSchema,
  CompleteUploadSchema,
  CreateFileSchema,
  CreateUploadSchema,
  DeletedFileSchema,
  FileListSchema,
  FileSchema,
  UploadPartSchema,
  UploadSchema,
} from './files.ts'
import { ForeignFieldsSchema } from './foreign-fields.ts'
import {
  CompactionItemSchema,
  CustomToolCallOutputSchema,
  CustomToolCallSchema,
  FunctionCallOutputSchema,
  FunctionCallSchema,
  InputItemParamSchema,
  InputMessageSchema,
  ItemSchema,
  OutputItemSchema,
  OutputMessageSchema,
  ReasoningItemSchema,
} from './items.ts'
import {
  CreatePromptSchema,
  DeletedPromptSchema,
  PromptListSchema,
  PromptSchema,
  UpdatePromptSchema,
} from './prompts.ts'
import { CountInputTokensSchema, CreateResponseSchema } from './request.ts'
import { DeletedResponseSchema, InputTokensSchema, ItemListSchema, ResponseSchema, UsageSchema } from './response.ts'
import { MapOf, Nullable, type TSchema, Type } from './schema.ts'
import {
  CustomToolParamSchema,
  CustomToolSchema,
  FunctionToolParamSchema,
  FunctionToolSchema,
  NamespaceToolParamSchema,
  NamespaceToolSchema,
  ToolChoiceParamSchema,
  ToolChoiceSchema,
  ToolParamSchema,
  ToolSchema,
} from './tools.ts'
import {
  AttachFileSchema,
  CreateFileBatchSchema,
  CreateVectorStoreSchema,
  DeletedVectorStoreFileSchema,
  DeletedVectorStoreSchema,
  FileBatchSchema,
  FileContentPageSchema,
  SearchPageSchema,
  SearchVectorStoreSchema,
  UpdateAttributesSchema,
  UpdateVectorStoreSchema,
  VectorStoreFileListSchema,
  VectorStoreFileSchema,
  VectorStoreListSchema,
  VectorStoreSchema,
} from './vector-stores.ts'
import {
  CreateWebhookEndpointSchema,
  DeletedWebhookEndpointSchema,
  RotateWebhookSecretSchema,
  TestWebhookEndpointSchema,
  UpdateWebhookEndpointSchema,
  WebhookDeliveryListSchema,
  WebhookDeliverySchema,
  WebhookEndpointListSchema,
  WebhookEndpointSchema,
  WebhookEndpointWithSecretSchema,
  WebhookEventTypeListSchema,
  WebhookTestResultSchema,
} from './webhooks.ts'

const ErrorSchema = Type.Object({
  error: Type.Object({
    message: Type.String(),
    type: Type.String(),
    param: Nullable(Type.String()),
    code: Nullable(Type.String()),
  }),
})
/** Request field -> `native`, `emulated`, `ignored` or `refused`. */
const FieldTableSchema = MapOf(Type.String())
const ModelSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('model'),
  created: Type.Integer(),
  owned_by: Type.String(),
  kind: Type.Literal('chat'),
  context_window: Nullable(Type.Integer()),
  max_output_tokens: Nullable(Type.Integer()),
  capabilities: Type.Object({
    image_input: Type.Boolean(),
    file_input: Type.Boolean(),
    function_tools: Type.Boolean(),
    custom_tools: Type.Boolean(),
    structured_output: Type.Boolean(),
    reasoning: Type.Boolean(),
    logprobs: Type.Boolean(),
  }),
  fields: Type.Optional(FieldTableSchema),
  deployments: Type.Optional(
    Type.Array(
      Type.Object({
        provider: Type.String(),
        model: Type.String(),
        tested_at: Nullable(Type.String()),
        fields: FieldTableSchema,
      }),
    ),
  ),
})

const EmbeddingModelSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('model'),
  created: Type.Integer(),
  owned_by: Type.String(),
  kind: Type.Literal('embedding'),
  dimensions: Nullable(Type.Integer()),
  max_inputs: Type.Integer(),
  max_input_tokens: Nullable(Type.Integer()),
})

const NAMED: Readonly<Record<string, TSchema>> = {
  Response: ResponseSchema,
  DeletedResponse: DeletedResponseSchema,
  ItemList: ItemListSchema,
  InputTokens: InputTokensSchema,
  Usage: UsageSchema,
  CreateResponse: Type.Object({ ...CreateResponseSchema.properties, ...ForeignFieldsSchema.properties }),
  CountInputTokens: CountInputTokensSchema,
  Compact: CompactRequestSchema,
  CreateWebhookEndpoint: CreateWebhookEndpointSchema,
  UpdateWebhookEndpoint: UpdateWebhookEndpointSchema,
  RotateWebhookSecret: RotateWebhookSecretSchema,
  TestWebhookEndpoint: TestWebhookEndpointSchema,
  WebhookEndpoint: WebhookEndpointSchema,
  WebhookEndpointWithSecret: WebhookEndpointWithSecretSchema,
  WebhookEndpointList: WebhookEndpointListSchema,
  DeletedWebhookEndpoint: DeletedWebhookEndpointSchema,
  WebhookTestResult: WebhookTestResultSchema,
  WebhookDelivery: WebhookDeliverySchema,
  WebhookDeliveryList: WebhookDeliveryListSchema,
  WebhookEventTypeList: WebhookEventTypeListSchema,
  CreateContainer: CreateContainerSchema,
  CreateContainerFile: CreateContainerFileSchema,
  Container: ContainerSchema,
  ContainerList: ContainerListSchema,
  DeletedContainer: DeletedContainerSchema,
  ContainerFile: ContainerFileSchema,
  ContainerFileList: ContainerFileListSchema,
  DeletedContainerFile: DeletedContainerFileSchema,
  CreatePrompt: CreatePromptSchema,
  UpdatePrompt: UpdatePromptSchema,
  Prompt: PromptSchema,
  PromptList: PromptListSchema,
  DeletedPrompt: DeletedPromptSchema,
  CompactedResponse: CompactedResponseSchema,
  CompactionItem: CompactionItemSchema,
  Conversation: ConversationSchema,
  DeletedConversation: DeletedConversationSchema,
  CreateConversation: CreateConversationSchema,
  UpdateConversation: UpdateConversationSchema,
  AddConversationItems: AddConversationItemsSchema,
  InputItem: InputItemParamSchema,
  Item: ItemSchema,
  OutputItem: OutputItemSchema,
  InputMessage: InputMessageSchema,
  OutputMessage: OutputMessageSchema,
  ReasoningItem: ReasoningItemSchema,
  FunctionCall: FunctionCallSchema,
  FunctionCallOutput: FunctionCallOutputSchema,
  CustomToolCall: CustomToolCallSchema,
  CustomToolCallOutput: CustomToolCallOutputSchema,
  MessagePart: MessagePartSchema,
  ToolOutputPart: ToolOutputPartSchema,
  StoredPart: StoredPartSchema,
  InputText: InputTextSchema,
  InputImage: InputImageSchema,
  InputFile: InputFileSchema,
  OutputText: OutputTextSchema,
  Refusal: RefusalSchema,
  ReasoningText: ReasoningTextSchema,
  SummaryText: SummaryTextSchema,
  Annotation: AnnotationSchema,
  Logprob: LogprobSchema,
  ToolParam: ToolParamSchema,
  FunctionToolParam: FunctionToolParamSchema,
  CustomToolParam: CustomToolParamSchema,
  NamespaceToolParam: NamespaceToolParamSchema,
  Tool: ToolSchema,
  FunctionTool: FunctionToolSchema,
  CustomTool: CustomToolSchema,
  NamespaceTool: NamespaceToolSchema,
  ToolChoiceParam: ToolChoiceParamSchema,
  ToolChoice: ToolChoiceSchema,
  File: FileSchema,
  FileList: FileListSchema,
  VectorStore: VectorStoreSchema,
  VectorStoreList: VectorStoreListSchema,
  DeletedVectorStore: DeletedVectorStoreSchema,
  VectorStoreFile: VectorStoreFileSchema,
  VectorStoreFileList: VectorStoreFileListSchema,
  DeletedVectorStoreFile: DeletedVectorStoreFileSchema,
  VectorStoreFileContent: FileContentPageSchema,
  VectorStoreSearchPage: SearchPageSchema,
  FileBatch: FileBatchSchema,
  CreateVectorStore: CreateVectorStoreSchema,
  UpdateVectorStore: UpdateVectorStoreSchema,
  SearchVectorStore: SearchVectorStoreSchema,
  AttachFile: AttachFileSchema,
  UpdateAttributes: UpdateAttributesSchema,
  CreateFileBatch: CreateFileBatchSchema,
  DeletedFile: DeletedFileSchema,
  CreateFile: CreateFileSchema,
  Upload: UploadSchema,
  UploadPart: UploadPartSchema,
  CreateUpload: CreateUploadSchema,
  AddUploadPart: AddUploadPartSchema,
  CompleteUpload: CompleteUploadSchema,
  Model: ModelSchema,
  EmbeddingModel: EmbeddingModelSchema,
  ModelList: Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(Type.Union([ModelSchema, EmbeddingModelSchema])),
  }),
  CreateChatCompletion: CreateChatCompletionSchema,
  ChatMessage: ChatMessageSchema,
  ChatPart: ChatPartSchema,
  ChatTool: ChatToolSchema,
  ChatToolCall: ChatToolCallSchema,
  ChatCompletion: ChatCompletionSchema,
  ChatCompletionChunk: ChatChunkSchema,
  ChatUsage: ChatUsageSchema,
  CreateEmbedding: CreateEmbeddingSchema,
  EmbeddingList: EmbeddingListSchema,
  Error: ErrorSchema,
}

/** `response.output_text.delta` is the component `ResponseOutputTextDeltaEvent`. */
const eventName = (type: string) =>
  `${type.replace(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase())}Event`

export const refTo = (name: string) => ({ $ref: `#/components/schemas/${name}` })

export function buildComponents(): Record<string, object> {
  const events = Object.entries(EVENT_SCHEMAS).map(([type, schema]) => [eventName(type), schema] as const)
  const named = new Map<string, TSchema>([...Object.entries(NAMED), ...events])
  const names = new Map<unknown, string>([...named].map(([name, schema]) => [schema, name]))
  const components: Record<string, object> = {}
  for (const [name, schema] of named) components[name] = withRefs(schema, names)
  const types = Object.keys(EVENT_SCHEMAS)
  return {
    ...components,
    ResponseStreamEvent: {
      anyOf: types.map((type) => refTo(eventName(type))),
      discriminator: {
        propertyName: 'type',
        mapping: Object.fromEntries(types.map((type) => [type, refTo(eventName(type)).$ref])),
      },
    },
  }
}

/** A plain copy of the schema in which every named schema inside it is a reference. */
function withRefs(schema: object, names: ReadonlyMap<unknown, string>): object {
  const copy = (value: unknown): unknown => {
    const name = names.get(value)
    if (name !== undefined) return refTo(name)
    if (Array.isArray(value)) return value.map(copy)
    return typeof value === 'object' && value !== null ? withRefs(value, names) : value
  }
  return Object.fromEntries(Object.entries(schema).map(([keyword, value]) => [keyword, copy(value)]))
}
