/** What an upstream said when it failed -> `ModelError`. Its 5xx texts never travel, its 4xx texts are cleaned first. */
import { ModelError, type ModelErrorKind } from '../model.ts'
import { type Fields, parseJson } from './fields.ts'
import { readErrorBody, type UpstreamErrorBody } from './read-error-body.ts'
import { type RetryHeaders, readRetryAfter } from './retry-after.ts'
import { sanitizeMessage } from './sanitize-message.ts'

export type UpstreamErrorContext = {
  readonly provider: string
  readonly model: string
  /** Texts that must not come out: the key and the values of configured headers. */
  readonly secrets: readonly string[]
  readonly params: ParamNames
}

/** The provider's name of a request field, without indexes, -> ours. A name stands for all that is inside it. */
export type ParamNames = Readonly<Record<string, string>>

export type UpstreamHttpReply = {
  readonly status: number
  readonly body: string
  readonly header: RetryHeaders
  readonly nowMs: number
}

/** A reply whose status says that it failed. */
export function mapHttpError(reply: UpstreamHttpReply, context: UpstreamErrorContext): ModelError {
  const error = readErrorBody(parseJson(reply.body))
  const retryAfterMs = readRetryAfter(reply.header, reply.nowMs) ?? error.retryAfterMs
  return toModelError(error, reply.status, retryAfterMs, context)
}

/** An error inside a reply that began with status 200. */
export function mapErrorBody(body: Fields, context: UpstreamErrorContext): ModelError {
  const error = readErrorBody(body)
  return toModelError(error, error.status ?? STATUS_OF_TYPE[error.type ?? ''] ?? null, error.retryAfterMs, context)
}

/** Errors in a stream often have a type and no status. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  BadRequestError: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  billing_error: 402,
  request_too_large: 413,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

function toModelError(
  error: UpstreamErrorBody,
  status: number | null,
  retryAfterMs: number | null,
  context: UpstreamErrorContext,
): ModelError {
  const kind = kindOf(error, status)
  const param =
    kind === 'context_length'
      ? 'input'
      : kind === 'model_not_found'
        ? 'model'
        : ourParam(error.param ?? leadingField(error.message), context.params)
  const message = messageOf(kind, error, status, context)
  return new ModelError(kind, message, { status, retryAfterMs, param, provider: context.provider })
}

const CONTEXT_LENGTH =
  /context[ _-]?(?:length|window|size)|maximum context|(?:prompt|input|request|message)s? (?:is|are) too (?:long|large)|too many (?:input )?tokens|exceeds? the (?:maximum|model'?s?|available)[a-z ]*(?:context|tokens|length)|(?:input|prompt) (?:token count|length|tokens?)[^.]{0,60}exceed|only supports? up to \d+|max_model_len|reduce the length|string_above_max_length/i
const CONTENT_POLICY =
  /content[ _-]?(?:policy|filter|management)|flagged|moderation|safety (?:system|filter|check|policy|guidelines)|responsible ?ai|usage (?:policy|guidelines)|data_inspection_failed|inappropriate content/i
const RATE_LIMIT = /rate[ _-]?limit|too many requests|quota|tokens per (?:minute|day)|requests per (?:minute|day)/i

/**
 * The code and the words decide between the kinds of 400, 403 and 413; everything else goes by status.
 * 404 is always the model: a wrong base URL is indistinguishable from it, and the message names both.
 */
function kindOf(error: UpstreamErrorBody, status: number | null): ModelErrorKind {
  const words = `${error.code ?? ''} ${error.type ?? ''} ${error.message ?? ''}`.slice(0, 8192)
  const says = (pattern: RegExp) => pattern.test(words)
  if (status !== null && status < 500 && says(CREDIT)) return 'quota'
  switch (status) {
    case null:
      if (says(CONTEXT_LENGTH)) return 'context_length'
      if (says(CONTENT_POLICY)) return 'content_policy'
      return says(RATE_LIMIT) ? 'rate_limit' : 'unavailable'
    case 401:
    case 402:
      return 'auth'
    case 403:
      return says(CONTENT_POLICY) ? 'content_policy' : 'auth'
    case 404:
      return 'model_not_found'
    case 408:
    case 409:
    case 425:
    case 498:
    case 499:
      return 'unavailable'
    case 413:
      return error.code === 'rate_limit_exceeded'
        ? 'rate_limit'
        : says(CONTEXT_LENGTH)
          ? 'context_length'
          : 'invalid_request'
    case 429:
      return isQuota(error) ? 'quota' : 'rate_limit'
    default:
      if (status >= 500) return status === 500 && says(CONTEXT_LENGTH) ? 'context_length' : 'unavailable'
      if (status < 400) return 'malformed'
      if (error.code === 'model_not_found') return 'model_not_found'
      if (isAccount(error)) return 'auth'
      if (says(CONTEXT_LENGTH)) return 'context_length'
      return says(CONTENT_POLICY) ? 'content_policy' : 'invalid_request'
  }
}

/** Google says with a 400 that a key is wrong, and that an account may not be served where it is. */
const isAccount = ({ code, type, message }: UpstreamErrorBody) =>
  KEY_REASONS.has(code ?? '') || (type === 'FAILED_PRECONDITION' && /location|billing|country/i.test(message ?? ''))
const KEY_REASONS: ReadonlySet<string> = new Set(['API_KEY_INVALID', 'API_KEY_EXPIRED', 'API_KEY_SERVICE_BLOCKED'])

/** An account without money, as OpenAI and those who copy it say it. */
const isQuota = ({ code, type }: UpstreamErrorBody) => [code, type].includes('insufficient_quota')
/** As Anthropic says it, with a status that blames the request. */
const CREDIT = /credit balance is too low/i

/** A path is read no further than this. */
const MAX_PARAM_CHARS = 256

function messageOf(
  kind: ModelErrorKind,
  error: UpstreamErrorBody,
  status: number | null,
  { provider, model, secrets }: UpstreamErrorContext,
): string {
  const http = status === null ? 'inside its reply' : `HTTP ${status}`
  switch (kind) {
    case 'auth':
      return `The provider '${provider}' refused this server's credentials or account (${http}). Its operator must check the key configured for it.`
    case 'model_not_found':
      return `The provider '${provider}' does not know the model '${model}' (${http}). Its operator can check the name and the provider's base URL.`
    case 'rate_limit':
      return `The provider '${provider}' limits its rate or quota (${http}). Try again later.`
    case 'quota':
      return `The account of this server at the provider '${provider}' is used up (${http}). Its operator must raise it.`
    case 'unavailable':
      return `The provider '${provider}' is not available (${http}).`
    case 'malformed':
      return `The provider '${provider}' answered with ${http}, which is not a reply; redirects are never followed. Its operator must check the base URL.`
    default: {
      const said = error.message === null ? '' : sanitizeMessage(error.message, secrets)
      return said || `The provider '${provider}' refused the request (${http}) without saying why.`
    }
  }
}

/** Some name no field but begin their message with it, as `messages.0.content: ...` or `max_tokens: ...`. */
const leadingField = (message: string | null) => /^([a-z_]+)(?:\.[\w.[\]]+)?: /.exec(message ?? '')?.[1] ?? null

/** The longest known beginning of a path counts: `generation_config.temperature` is told apart from its parent. */
function ourParam(param: string | null, names: ParamNames): string | null {
  const steps = (param ?? '')
    .slice(0, MAX_PARAM_CHARS)
    .replace(/\[[^\]]*\]/g, '')
    .split('.')
  for (let size = steps.length; size > 0; size--) {
    const name = steps.slice(0, size).join('.')
    if (Object.hasOwn(names, name)) return names[name] ?? null
  }
  return null
}
