/** The OpenAPI 3.1 document of what the server offers today. Pure: the edge serves it at `/openapi.json`. */
import { CHAT_OPERATIONS } from './openapi-chat.ts'
import { buildComponents, refTo } from './openapi-components.ts'
import { CONTAINER_OPERATIONS } from './openapi-containers.ts'
import { CONVERSATION_OPERATIONS } from './openapi-conversations.ts'
import { FILE_OPERATIONS } from './openapi-files.ts'
import {
  anyJson,
  IDEMPOTENCY_KEY,
  INCLUDE,
  type Json,
  json,
  type Operation,
  ok,
  PAGE_PARAMETERS,
  pathParameter,
  REPLY_HEADERS,
} from './openapi-operation.ts'
import { PROMPT_OPERATIONS } from './openapi-prompts.ts'
import { VECTOR_STORE_OPERATIONS } from './openapi-vector-stores.ts'
import { WEBHOOK_OPERATIONS } from './openapi-webhooks.ts'

const RESPONSE_ID = pathParameter('response_id', 'The id of a stored response.')

const STREAM_DESCRIPTION =
  'With `stream: true`: server-sent events. Each has an `event` line that repeats the `type` of its data, and one ' +
  '`data` line with an event as JSON. Comment lines keep the connection open. `data: [DONE]` ends the stream.'

const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/responses',
    id: 'createResponse',
    summary: 'Create a response',
    tag: 'Responses',
    body: 'CreateResponse',
    replies: ok(`The response. ${STREAM_DESCRIPTION}`, {
      ...json('Response'),
      'text/event-stream': { schema: refTo('ResponseStreamEvent') },
    }),
  },
  {
    method: 'get',
    path: '/v1/responses/{response_id}',
    id: 'getResponse',
    summary: 'Get a stored response',
    tag: 'Responses',
    parameters: [RESPONSE_ID, INCLUDE],
    replies: ok('The response.', json('Response')),
  },
  {
    method: 'delete',
    path: '/v1/responses/{response_id}',
    id: 'deleteResponse',
    summary: 'Delete a stored response and its items',
    tag: 'Responses',
    parameters: [RESPONSE_ID],
    replies: ok('It is deleted.', json('DeletedResponse')),
  },
  {
    method: 'post',
    path: '/v1/responses/{response_id}/cancel',
    id: 'cancelResponse',
    summary: 'Cancel a background response',
    tag: 'Responses',
    parameters: [RESPONSE_ID],
    replies: ok('The response as it is now.', json('Response')),
  },
  {
    method: 'get',
    path: '/v1/responses/{response_id}/input_items',
    id: 'listInputItems',
    summary: 'List the items a response was made from',
    tag: 'Responses',
    parameters: [RESPONSE_ID, ...PAGE_PARAMETERS],
    replies: ok('One page of items.', json('ItemList')),
  },
  {
    method: 'post',
    path: '/v1/responses/input_tokens',
    id: 'countInputTokens',
    summary: 'Count the tokens a request would send to the model',
    tag: 'Responses',
    body: 'CountInputTokens',
    replies: ok('The count.', json('InputTokens')),
  },
  ...CONVERSATION_OPERATIONS,
  {
    method: 'post',
    path: '/v1/responses/compact',
    id: 'compactResponse',
    summary: 'Make a shorter window out of a conversation; send its output as the next input',
    tag: 'Responses',
    body: 'Compact',
    replies: ok('The window.', json('CompactedResponse')),
  },
  ...PROMPT_OPERATIONS,
  ...WEBHOOK_OPERATIONS,
  ...CONTAINER_OPERATIONS,
  ...FILE_OPERATIONS,
  ...VECTOR_STORE_OPERATIONS,
  ...CHAT_OPERATIONS,
  {
    method: 'get',
    path: '/v1/models',
    id: 'listModels',
    summary: 'List the models a request can name',
    tag: 'Models',
    replies: ok('The models.', json('ModelList')),
  },
  {
    method: 'get',
    path: '/v1/models/{model}',
    id: 'getModel',
    summary: 'Get one model',
    tag: 'Models',
    parameters: [pathParameter('model', 'The id of the model; it may hold slashes.')],
    replies: ok('The model.', { 'application/json': { schema: { anyOf: [refTo('Model'), refTo('EmbeddingModel')] } } }),
  },
  ...['/health', '/healthz', '/livez', '/health/liveliness'].map(probe('Whether the process answers')),
  ...['/ready', '/readyz'].map(probe('Whether new work should be sent here')),
  probe('Name and version of the server')('/version'),
  probe('What this address is')('/'),
  probe('This document')('/openapi.json'),
  {
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    summary: 'Metrics for Prometheus; for keys with the scope `admin`, unless the operator opened them',
    tag: 'Operations',
    replies: ok('The metrics.', { 'text/plain': { schema: { type: 'string' } } }),
  },
]

function probe(summary: string) {
  return (path: string): Operation => ({
    method: 'get',
    path,
    id: `get${path.replace(/[/.]([a-z])/g, (_, letter: string) => letter.toUpperCase()).replace('/', 'Root')}`,
    summary,
    tag: 'Operations',
    open: true,
    replies: ok('It is well.', anyJson),
  })
}

/** Every operation of the document as `GET /v1/responses/{}`, so that a list of routes can be held against it. */
export const OPENAPI_ROUTES: readonly string[] = OPERATIONS.map(
  ({ method, path }) => `${method.toUpperCase()} ${path.replace(/\{[a-z_]+\}/g, '{}')}`,
)

export type OpenApiOptions = {
  /** The version of the server. */
  readonly version: string
  /** Where clients reach it, without `/v1`; a path is relative to where the document was read. */
  readonly serverUrl: string
}

export function buildOpenApi({ version, serverUrl }: OpenApiOptions): object {
  const paths: Record<string, Json> = {}
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Antiphon',
      version,
      description: 'A self-hosted server that speaks the OpenAI Responses API in front of any model provider.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: serverUrl }],
    security: [{ bearer: [] }],
    tags: [
      { name: 'Responses' },
      { name: 'Conversations' },
      { name: 'Prompts' },
      { name: 'Containers' },
      { name: 'Webhooks' },
      { name: 'Files' },
      { name: 'Vector stores' },
      { name: 'Chat' },
      { name: 'Embeddings' },
      { name: 'Models' },
      { name: 'Operations' },
    ],
    paths,
    components: {
      schemas: buildComponents(),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A key of this server.' } },
      responses: {
        Error: {
          description: 'What was wrong, and with which parameter. All four fields are always there.',
          headers: REPLY_HEADERS,
          content: json('Error'),
        },
      },
    },
  }
}

const multipart = (name: string) => ({ 'multipart/form-data': { schema: refTo(name) } })

function describe(operation: Operation): Json {
  const { id, summary, tag, open, body, bodyOptional, form, notOnce, replies } = operation
  // What has a body makes or asks something; a request without one changes nothing when it is sent twice.
  const parameters = [...(operation.parameters ?? []), ...(body === undefined || notOnce ? [] : [IDEMPOTENCY_KEY])]
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(open && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: bodyOptional !== true, content: form ? multipart(body) : json(body) },
    }),
    responses: { ...replies, default: { $ref: '#/components/responses/Error' } },
  }
}
