/** The objects of the Conversations API, and the bodies of its requests. */
import { InputItemParamSchema } from './items.ts'
import { MetadataSchema } from './options.ts'
import { Maybe, Nullable, type Static, Type } from './schema.ts'

/** Items of one request; a conversation itself may hold more. */
export const MAX_ADDED_ITEMS = 20

export const ConversationSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('conversation'),
  created_at: Type.Integer(),
  metadata: MetadataSchema,
})
export const DeletedConversationSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('conversation.deleted'),
  deleted: Type.Literal(true),
})

const ItemsSchema = Type.Array(InputItemParamSchema, { maxItems: MAX_ADDED_ITEMS })

export const CreateConversationSchema = Type.Object({
  items: Maybe(ItemsSchema),
  metadata: Maybe(MetadataSchema),
})
/** `metadata: null` empties it; leaving it out is a mistake. */
export const UpdateConversationSchema = Type.Object({ metadata: Nullable(MetadataSchema) })
export const AddConversationItemsSchema = Type.Object({ items: ItemsSchema })

export type Conversation = Static<typeof ConversationSchema>
export type CreateConversationRequest = Static<typeof CreateConversationSchema>
export type UpdateConversationRequest = Static<typeof UpdateConversationSchema>
export type AddConversationItemsRequest = Static<typeof AddConversationItemsSchema>
