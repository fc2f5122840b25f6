/**
 * The types of the official SDK that the wire is held against; read by `generate-sdk-schemas.ts`.
 *
 * Each gets a name of its own here: the generator finds types by name alone, and the SDK declares some names twice.
 */
import type { Conversation, ConversationDeletedResource } from 'openai/resources/conversations/conversations'
import type { ConversationItem, ConversationItemList } from 'openai/resources/conversations/items'
import type { FileDeleted, FileObject } from 'openai/resources/files'
import type { Model } from 'openai/resources/models'
import type { ResponseItemList } from 'openai/resources/responses/input-items'
import type { InputTokenCountParams, InputTokenCountResponse } from 'openai/resources/responses/input-tokens'
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseInputItem,
  ResponseItem,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses'
import type { UploadPart } from 'openai/resources/uploads/parts'
import type { Upload } from 'openai/resources/uploads/uploads'

export type SdkResponse = Response
export type SdkEvent = ResponseStreamEvent
export type SdkItem = ResponseItem
export type SdkItemList = ResponseItemList
export type SdkInputItem = ResponseInputItem
export type SdkCreateParams = ResponseCreateParamsNonStreaming
export type SdkInputTokensParams = InputTokenCountParams
export type SdkInputTokens = InputTokenCountResponse
export type SdkModel = Model
export type SdkConversation = Conversation
export type SdkDeletedConversation = ConversationDeletedResource
export type SdkConversationItem = ConversationItem
export type SdkFile = FileObject
export type SdkDeletedFile = FileDeleted
export type SdkUpload = Upload
export type SdkUploadPart = UploadPart
export type SdkConversationItemList = ConversationItemList
