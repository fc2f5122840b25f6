/** The operations of the Conversations API. */
import { INCLUDE, json, type Operation, ok, PAGE_PARAMETERS, pathParameter } from './openapi-operation.ts'

const CONVERSATION_ID = pathParameter('conversation_id', 'The id of a conversation.')
const ITEM_ID = pathParameter('item_id', 'The id of an item of the conversation.')

const ALL = '/v1/conversations'
const ONE = `${ALL}/{conversation_id}`
const ITEMS = `${ONE}/items`
const ITEM = `${ITEMS}/{item_id}`

type Entry = Omit<Operation, 'tag'>

const entries: readonly Entry[] = [
  {
    method: 'post',
    path: ALL,
    id: 'createConversation',
    summary: 'Create a conversation, empty or with up to 20 items',
    body: 'CreateConversation',
    bodyOptional: true,
    replies: ok('The conversation.', json('Conversation')),
  },
  {
    method: 'get',
    path: ONE,
    id: 'getConversation',
    summary: 'Get a conversation',
    parameters: [CONVERSATION_ID],
    replies: ok('The conversation.', json('Conversation')),
  },
  {
    method: 'post',
    path: ONE,
    id: 'updateConversation',
    summary: 'Replace the metadata of a conversation',
    parameters: [CONVERSATION_ID],
    body: 'UpdateConversation',
    replies: ok('The conversation.', json('Conversation')),
  },
  {
    method: 'delete',
    path: ONE,
    id: 'deleteConversation',
    summary: 'Delete a conversation; responses keep its items',
    parameters: [CONVERSATION_ID],
    replies: ok('It is deleted.', json('DeletedConversation')),
  },
  {
    method: 'get',
    path: ITEMS,
    id: 'listConversationItems',
    summary: 'List the items of a conversation',
    parameters: [CONVERSATION_ID, ...PAGE_PARAMETERS],
    replies: ok('One page of items.', json('ItemList')),
  },
  {
    method: 'post',
    path: ITEMS,
    id: 'addConversationItems',
    summary: 'Add up to 20 items to a conversation',
    parameters: [CONVERSATION_ID, INCLUDE],
    body: 'AddConversationItems',
    replies: ok('The added items.', json('ItemList')),
  },
  {
    method: 'get',
    path: ITEM,
    id: 'getConversationItem',
    summary: 'Get one item of a conversation',
    parameters: [CONVERSATION_ID, ITEM_ID, INCLUDE],
    replies: ok('The item.', json('Item')),
  },
  {
    method: 'delete',
    path: ITEM,
    id: 'deleteConversationItem',
    summary: 'Delete one item of a conversation',
    parameters: [CONVERSATION_ID, ITEM_ID],
    replies: ok('The conversation, without the item.', json('Conversation')),
  },
]

export const CONVERSATION_OPERATIONS: readonly Operation[] = entries.map((entry) => ({
  ...entry,
  tag: 'Conversations',
}))
