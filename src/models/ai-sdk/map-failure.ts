/** What a package threw or sent as an error -> `ModelError`. Packages are known by the names of their errors alone. */
import { ModelError, type ModelErrorKind } from '../model.ts'
import { asFields, asNumber, asText, type Fields, parseJson } from '../upstream/fields.ts'
import { mapErrorBody, mapHttpError, type UpstreamErrorContext } from '../upstream/map-error.ts'
import { sanitizeMessage } from '../upstream/sanitize-message.ts'

export type FailureContext = UpstreamErrorContext & { readonly packageName: string; readonly nowMs: number }

/** Of the specification's errors, and of those that `@ai-sdk/provider-utils` throws. */
const KINDS: Readonly<Record<string, ModelErrorKind>> = {
  AI_LoadAPIKeyError: 'auth',
  AI_LoadSettingError: 'auth',
  AI_UnsupportedFunctionalityError: 'invalid_request',
  AI_InvalidPromptError: 'invalid_request',
  AI_InvalidArgumentError: 'invalid_request',
  AI_NoSuchModelError: 'model_not_found',
  AI_JSONParseError: 'malformed',
  AI_TypeValidationError: 'malformed',
  AI_InvalidResponseDataError: 'malformed',
  AI_EmptyResponseBodyError: 'malformed',
  AI_NoContentGeneratedError: 'malformed',
}
const PARAMS: Readonly<Partial<Record<ModelErrorKind, string>>> = { invalid_request: 'input', model_not_found: 'model' }

/** Causes are followed no further than this. */
const MAX_CAUSES = 5

export function mapFailure(thrown: unknown, context: FailureContext): ModelError {
  if (thrown instanceof ModelError) return thrown
  if (typeof thrown === 'string') return mapErrorBody(asFields(parseJson(thrown)) ?? { error: thrown }, context)
  const fields = asFields(thrown)
  if (!(thrown instanceof Error)) return mapErrorBody(fields && 'error' in fields ? fields : { error: fields }, context)
  return mapCall(fields ?? {}, thrown, context) ?? mapNamed(thrown, context) ?? mapNetwork(thrown, context)
}

/** The provider answered with a status. */
function mapCall(call: Fields, thrown: Error, context: FailureContext): ModelError | null {
  const status = asNumber(call.statusCode)
  if (thrown.name !== 'AI_APICallError' || status === null) return null
  if (status >= 200 && status <= 299) return notUnderstood(thrown, context)
  const headers = asFields(call.responseHeaders) ?? {}
  const body = asText(call.responseBody) ?? JSON.stringify({ error: { message: thrown.message } })
  const header = (name: string) => asText(headers[name])
  return mapHttpError({ status, body, header, nowMs: context.nowMs }, context)
}

function mapNamed(thrown: Error, context: FailureContext): ModelError | null {
  const kind = Object.hasOwn(KINDS, thrown.name) ? KINDS[thrown.name] : undefined
  if (kind === undefined) return null
  if (kind === 'malformed') return notUnderstood(thrown, context)
  const said = sanitizeMessage(thrown.message, context.secrets)
  // What is wrong with the operator's setup is for the log.
  const message =
    kind === 'auth' ? `The provider '${context.provider}' lacks credentials.` : `The provider refused: ${said}`
  return new ModelError(kind, message, { provider: context.provider, param: PARAMS[kind] ?? null, cause: thrown })
}

function mapNetwork(thrown: Error, context: FailureContext): ModelError {
  let cause: unknown = thrown
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    if ('code' in cause && typeof cause.code === 'string' && /^(E[A-Z]+|UND_ERR_\w+)$/.test(cause.code)) {
      const message = `The call of the provider '${context.provider}' failed: no connection (${cause.code}).`
      return new ModelError('connection', message, { provider: context.provider, cause: thrown })
    }
    cause = cause.cause
  }
  return notUnderstood(thrown, context)
}

const notUnderstood = (cause: Error, { provider, packageName }: FailureContext) =>
  new ModelError('malformed', `The reply of the provider '${provider}' could not be understood by '${packageName}'.`, {
    provider,
    cause,
  })
