/**
 * `ApiError`: the one way to refuse a request, and the table of the errors we answer with.
 *
 * The message says what was wrong, with what, and what to do; texts that OpenAI documents are kept, because clients
 * match on them. `cause` and stack stay in the log, never in a body.
 */

export type ErrorBody = {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
  }
}

export type ApiErrorInit = {
  readonly status: number
  readonly message: string
  readonly type?: string
  readonly param?: string | null
  readonly code?: string | null
  /** Response headers that belong to this error, for example `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

const defaultType = (status: number) => (status >= 500 ? 'server_error' : 'invalid_request_error')

export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** HTTP status, 400 to 599. */
  readonly status: number
  readonly type: string
  readonly param: string | null
  readonly code: string | null
  readonly headers: Readonly<Record<string, string>>

  constructor(init: ApiErrorInit) {
    super(init.message, { cause: init.cause })
    this.status = init.status
    this.type = init.type ?? defaultType(init.status)
    this.param = init.param ?? null
    this.code = init.code ?? null
    this.headers = init.headers ?? {}
  }

  /** The envelope: all four keys always present. */
  toBody(): ErrorBody {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } }
  }
}

/** A 400 about one field of the request; `param` is its path, as `input[0].content[1].image_url`. */
export const badRequest = (param: string | null, code: string | null, message: string) =>
  new ApiError({ status: 400, param, code, message })

export const missingParameter = (param: string) =>
  badRequest(param, 'missing_required_parameter', `Missing required parameter: '${param}'.`)

/** `meant`: the parameter that was probably meant, where one is near. */
export const unknownParameter = (param: string, meant: string | null = null) =>
  badRequest(
    param,
    'unknown_parameter',
    `Unknown parameter: '${param}'.${meant === null ? '' : ` Did you mean '${meant}'?`}`,
  )

export const unsupportedParameter = (param: string, why: string) =>
  badRequest(param, 'unsupported_parameter', `Unsupported parameter: '${param}'. ${why}`)

export const notFound = (message: string) => new ApiError({ status: 404, message })

export const responseNotFound = (id: string) => notFound(`Response with id '${id}' not found.`)

/** `param` is `conversation` where a body names it, and null where the path does. */
export const conversationNotFound = (id: string, param: 'conversation' | null = null) =>
  new ApiError({ status: 404, param, message: `Conversation with id '${id}' not found.` })

export const modelNotFound = (model: string, status: 400 | 404 = 400) =>
  new ApiError({
    status,
    param: 'model',
    code: 'model_not_found',
    message: `The requested model '${model}' does not exist.`,
  })

export const previousResponseNotFound = (id: string) =>
  badRequest('previous_response_id', 'previous_response_not_found', `Previous response with id '${id}' not found.`)

export const contextLengthExceeded = (cause?: unknown) =>
  new ApiError({
    status: 400,
    param: 'input',
    code: 'context_length_exceeded',
    message: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
    cause,
  })

export const missingKey = () =>
  new ApiError({
    status: 401,
    message:
      "You didn't provide an API key. Send it in the Authorization header as 'Authorization: Bearer YOUR_KEY'. " +
      'The first start of the server printed one; `antiphon keys create` makes another.',
  })

export const invalidKey = () =>
  new ApiError({
    status: 401,
    code: 'invalid_api_key',
    message: 'Incorrect API key provided. `antiphon keys list` shows the keys of this server.',
  })

/** Anything unforeseen. The details are logged under the request id, never sent. */
export const internalError = (cause: unknown) =>
  new ApiError({
    status: 500,
    code: 'server_error',
    message: 'The server had an error while processing your request. Please give the x-request-id when you report it.',
    cause,
  })
