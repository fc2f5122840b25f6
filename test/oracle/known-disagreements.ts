/** Where the server differs from the SDK's types on purpose: each with its reason, and as a patch of the schema. */
import assert from 'node:assert/strict'
import type { SdkSchema, SdkSchemas } from './generate-sdk-schemas.ts'

type Definitions = SdkSchemas['definitions']
type Disagreement = {
  readonly name: string
  readonly reason: string
  readonly patch: (definitions: Definitions) => void
}

export const KNOWN_DISAGREEMENTS: readonly Disagreement[] = [
  {
    name: 'Response.access_programs is left out',
    reason: 'It tells which of OpenAI’s own access programs a caller is in; there is no such thing here.',
    patch: (definitions) => makeOptional(definitions, 'Response', 'access_programs'),
  },
  {
    name: 'Response.user may be null',
    reason: 'OpenAI’s own replies and Open Responses say null for an absent user; only the SDK’s type says string.',
    patch: (definitions) => makeNullable(definitions, 'Response', 'user'),
  },
  {
    name: 'Response.usage may be null',
    reason: 'Nothing has been used while a response is in flight; OpenAI’s own replies and Open Responses say null.',
    patch: (definitions) => makeNullable(definitions, 'Response', 'usage'),
  },
  {
    name: 'first_id and last_id of a list may be null',
    reason: 'An empty list has no first and no last item.',
    patch(definitions) {
      for (const type of ['ResponseItemList', 'ConversationItemList']) {
        makeNullable(definitions, type, 'first_id')
        makeNullable(definitions, type, 'last_id')
      }
    },
  },
  {
    name: 'tool_choice may name web_search',
    reason: 'OpenAI’s servers take it; only the SDK’s list of names was not grown when the tool left its preview.',
    patch(definitions) {
      const { type } = definitionOf(definitions, 'ToolChoiceTypes').properties
      assert.ok(type && Array.isArray(type.enum) && !type.enum.includes('web_search'), 'the SDK knows it now')
      type.enum.push('web_search')
    },
  },
  {
    name: 'the purpose of a file may be evals',
    reason: 'The SDK sends files for it; only its list of what a file says of itself was not grown.',
    patch(definitions) {
      const { purpose } = definitionOf(definitions, 'FileObject').properties
      assert.ok(purpose && Array.isArray(purpose.enum) && !purpose.enum.includes('evals'), 'the SDK knows it now')
      purpose.enum.push('evals')
    },
  },
  {
    name: 'connector_id of an MCP tool is a name of the operator’s',
    reason: 'OpenAI lists connectors of its own services; here they are servers that the configuration names.',
    patch: (definitions) => makeText(definitions, 'Tool.Mcp', 'connector_id'),
  },
  {
    name: 'tools of a listed additional_tools or tool_search_output item are as they were sent',
    reason: 'The SDK asks for filled-in defaults; the item is what a client gave and must come back unchanged.',
    patch(definitions) {
      for (const type of LISTED_TOOLS) {
        definitionOf(definitions, type).properties.tools = { type: 'array', items: { type: 'object' } }
      }
    },
  },
]

const LISTED_TOOLS = [
  'ResponseItem.AdditionalTools',
  'ConversationItem.AdditionalTools',
  'ResponseToolSearchOutputItem',
] as const

type Properties = { [name: string]: SdkSchema }

function definitionOf(definitions: Definitions, type: string): SdkSchema & { properties: Properties } {
  const definition = definitions[type]
  assert.ok(definition && hasProperties(definition), `the SDK has no object type ${type} any more`)
  return definition
}

const hasProperties = (schema: SdkSchema): schema is SdkSchema & { properties: Properties } =>
  typeof schema.properties === 'object' && schema.properties !== null

/** A patch that changes nothing is a disagreement that has ended: it must be deleted. */
function makeOptional(definitions: Definitions, type: string, field: string): void {
  const definition = definitionOf(definitions, type)
  const { required } = definition
  assert.ok(Array.isArray(required) && required.includes(field), `${type}.${field} is optional in the SDK already`)
  definition.required = required.filter((name) => name !== field)
}

function makeText(definitions: Definitions, type: string, field: string): void {
  const { properties } = definitionOf(definitions, type)
  assert.match(JSON.stringify(properties[field]), /"enum"/, `${type}.${field} is any text in the SDK already`)
  properties[field] = { type: 'string' }
}

function makeNullable(definitions: Definitions, type: string, field: string): void {
  const { properties } = definitionOf(definitions, type)
  const property = properties[field]
  assert.ok(property, `${type}.${field} is gone from the SDK`)
  assert.doesNotMatch(JSON.stringify(property), /"null"/, `${type}.${field} is nullable in the SDK already`)
  properties[field] = { anyOf: [property, { type: 'null' }] }
}
