/** Our schemas against the SDK's types, in both directions: all we may send, and all a client may send us. */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { ContainerFileSchema, ContainerSchema } from '../../src/protocol/containers.ts'
import { ConversationSchema, DeletedConversationSchema } from '../../src/protocol/conversation.ts'
import { EVENT_SCHEMAS } from '../../src/protocol/events.ts'
import { findInvalid } from '../../src/protocol/explain-invalid.ts'
import { DeletedFileSchema, FileSchema, UploadPartSchema, UploadSchema } from '../../src/protocol/files.ts'
import { ItemSchema, LATER_ITEM_TYPES } from '../../src/protocol/items.ts'
import { CreateResponseSchema } from '../../src/protocol/request.ts'
import { InputTokensSchema, ItemListSchema, ResponseSchema } from '../../src/protocol/response.ts'
import { arbitraryOf } from './arbitrary-of-schema.ts'
import { loadSdkSchemas } from './generate-sdk-schemas.ts'
import {
  assertSdkContainer,
  assertSdkContainerFile,
  assertSdkConversation,
  assertSdkConversationItem,
  assertSdkConversationItemList,
  assertSdkDeletedConversation,
  assertSdkDeletedFile,
  assertSdkEvent,
  assertSdkFile,
  assertSdkInputTokens,
  assertSdkItem,
  assertSdkItemList,
  assertSdkModel,
  assertSdkResponse,
  assertSdkUpload,
  assertSdkUploadPart,
} from './sdk-oracle.ts'

const RUNS = { numRuns: 150 }

test('every Response our schema allows is a Response of the SDK (req 1)', () => {
  fc.assert(
    fc.property(arbitraryOf(ResponseSchema), (response) => assertSdkResponse(response)),
    RUNS,
  )
})

test('every event our schemas allow is an event of the SDK (req 98)', () => {
  for (const schema of Object.values(EVENT_SCHEMAS)) {
    const { properties } = schema
    const events = arbitraryOf(
      'response' in properties ? { ...schema, properties: { ...properties, response: {} } } : schema,
    )
    const runs = fc.property(events, arbitraryOf(ResponseSchema), (event, response) => {
      assert.ok(typeof event === 'object' && event !== null)
      assertSdkEvent('response' in event ? { ...event, response } : event)
    })
    fc.assert(runs, { numRuns: 20 })
  }
})

test('every item and list our schemas allow is one of the SDK (req 60)', () => {
  fc.assert(
    fc.property(arbitraryOf(ItemSchema), (item) => assertSdkItem(item)),
    RUNS,
  )
  fc.assert(
    fc.property(arbitraryOf(ItemListSchema), (list) => assertSdkItemList(list)),
    RUNS,
  )
})

test('a conversation, its items and their list are those of the SDK (req 57, 58)', () => {
  const few = { numRuns: 20 }
  fc.assert(fc.property(arbitraryOf(ConversationSchema), assertSdkConversation), few)
  fc.assert(fc.property(arbitraryOf(DeletedConversationSchema), assertSdkDeletedConversation), few)
  fc.assert(fc.property(arbitraryOf(ItemSchema), assertSdkConversationItem), RUNS)
  fc.assert(fc.property(arbitraryOf(ItemListSchema), assertSdkConversationItemList), RUNS)
})

test('a container and its files are those of the SDK (req 184)', () => {
  const few = { numRuns: 50 }
  fc.assert(fc.property(arbitraryOf(ContainerSchema), assertSdkContainer), few)
  fc.assert(fc.property(arbitraryOf(ContainerFileSchema), assertSdkContainerFile), few)
})

test('files, uploads and their parts are those of the SDK (req 171, 175)', () => {
  const few = { numRuns: 50 }
  fc.assert(fc.property(arbitraryOf(FileSchema), assertSdkFile), few)
  fc.assert(fc.property(arbitraryOf(DeletedFileSchema), assertSdkDeletedFile), few)
  fc.assert(fc.property(arbitraryOf(UploadSchema), assertSdkUpload), few)
  fc.assert(fc.property(arbitraryOf(UploadPartSchema), assertSdkUploadPart), few)
})

test('a token count and a model are those of the SDK (req 40, 41)', () => {
  fc.assert(
    fc.property(arbitraryOf(InputTokensSchema), (count) => assertSdkInputTokens(count)),
    { numRuns: 20 },
  )
  assertSdkModel({ id: 'm', object: 'model', created: 1, owned_by: 'o', context_window: 10 })
})

test('the oracle refuses what the SDK does not know', () => {
  assert.throws(() => assertSdkEvent({ type: 'response.reasoning.delta', sequence_number: 1 }), /no branch with type/)
  assert.throws(() => assertSdkResponse({ id: 'resp_1', object: 'response' }), /must have required property/)
  assert.throws(() => assertSdkItem({ id: 'fc_1', type: 'function_call', name: 'f' }), /must have required property/)
})

/** What the SDK's types allow and the server refuses nevertheless: each has no meaning it could give to it. */
const REFUSED_ANYWAY = [
  {
    param: /^tool_choice\.tools\[\d+\]\.type$/,
    why: 'an allowed tool is any object there; without a type it names nothing',
  },
  {
    param: /^tool_choice\.type$/,
    why: 'computers are not carried yet; their names stand in one list with other tools',
  },
  { param: /^input\[\d+\]\.call_id$/, why: 'an output without a call_id answers no call' },
  { param: /^context_management\[\d+\]\.type$/, why: 'only compaction exists; the type is any string there' },
  {
    param: /^context_management\[\d+\]\.compact_threshold$/,
    why: 'less than 1000 tokens, or part of one, is no threshold; it is any number there',
  },
  { param: /^input\[\d+\]\.encrypted_content$/, why: 'a compaction without content stands for nothing' },
  {
    param: /^input\[\d+\]\.tools\[\d+\]\.(input_schema|annotations)$/,
    why: 'a schema of an MCP tool is an object; it is `unknown` there',
  },
  { param: /\.filters\.filters\[\d+\]$/, why: 'a filter of filters holds filters; they are `unknown` there' },
  { param: /^tools\[\d+\]\.parameters$/, why: 'the parameters of a search are a schema; they are `unknown` there' },
  { param: /\.tools\[\d+\]\.parameters$/, why: 'the parameters of a namespaced function are `unknown` there' },
]

const LATER = LATER_ITEM_TYPES

test('whatever the SDK can send of what the server carries is accepted (req 2, 3, 6, 22, 119)', () => {
  const { definitions } = loadSdkSchemas()
  const root = definitions.SdkCreateParams
  assert.ok(root)
  const bodies = arbitraryOf(root, { definitions, isCarried: (type) => !LATER.has(type) })
  fc.assert(
    fc.property(bodies, (body) => {
      const problem = findInvalid(CreateResponseSchema, body, {})
      if (problem === null || REFUSED_ANYWAY.some(({ param }) => param.test(problem.param ?? ''))) return
      assert.fail(problem.message)
    }),
    { numRuns: 500 },
  )
})
