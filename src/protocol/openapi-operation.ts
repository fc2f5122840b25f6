/** What an operation of the OpenAPI document is made of. */
import { refTo } from './openapi-components.ts'
import { INCLUDE_VALUES } from './options.ts'

export type Json = { readonly [key: string]: unknown }
export type Operation = {
  readonly method: 'get' | 'post' | 'delete'
  readonly path: string
  readonly id: string
  readonly summary: string
  readonly tag:
    | 'Responses'
    | 'Conversations'
    | 'Prompts'
    | 'Containers'
    | 'Webhooks'
    | 'Files'
    | 'Vector stores'
    | 'Chat'
    | 'Embeddings'
    | 'Models'
    | 'Operations'
  readonly open?: true
  readonly parameters?: readonly Json[]
  readonly body?: string
  readonly bodyOptional?: true
  /** The body is a form, `multipart/form-data`. */
  readonly form?: true
  /** Sent twice, it happens twice, whatever its headers say. */
  readonly notOnce?: true
  readonly replies: Json
}

export const json = (name: string) => ({ 'application/json': { schema: refTo(name) } })
export const ok = (description: string, content: Json) => ({ 200: { description, headers: REPLY_HEADERS, content } })
export const anyJson = { 'application/json': { schema: { type: 'object' } } }

export const pathParameter = (name: string, description: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
})
export const queryParameter = (name: string, description: string, schema: Json) => ({
  name,
  in: 'query',
  description,
  schema,
})

export const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Makes the request happen once: the same key and body get the same reply for 24 hours, with the header ' +
    '`idempotency-replayed: true`. 409 while the first one runs, 422 for another body.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

export const INCLUDE = queryParameter('include', 'Fields that are hidden by default. `include[]` works as well.', {
  type: 'array',
  items: { type: 'string', enum: INCLUDE_VALUES },
})

export const REPLY_HEADERS = {
  'x-request-id': { description: 'The id of this request in the log of the server.', schema: { type: 'string' } },
  'x-antiphon-cost': {
    description:
      'US dollars of the calls this reply was made by; absent where a price is unknown, and before a stream ends.',
    schema: { type: 'string' },
  },
  'x-antiphon-warnings': {
    description: 'What was ignored or taken differently, joined by `; `; absent when nothing was.',
    schema: { type: 'string' },
  },
}

/** The parameters of every list of items. */
export const PAGE_PARAMETERS: readonly Json[] = [
  queryParameter('limit', 'Items per page.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
  queryParameter('order', 'Oldest or newest first.', { type: 'string', enum: ['asc', 'desc'], default: 'desc' }),
  queryParameter('after', 'The id of the last item of the page before.', { type: 'string' }),
  INCLUDE,
]
