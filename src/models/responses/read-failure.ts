/** `response.failed`, `error` events and bodies with an error -> `ModelError`. */
import type { ModelError } from '../model.ts'
import { asFields, asText, type Fields } from '../upstream/fields.ts'
import { mapErrorBody, type UpstreamErrorContext } from '../upstream/map-error.ts'

/** A stream has no status line: its codes say what a status would have said. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  server_error: 500,
  vector_store_timeout: 504,
  server_is_overloaded: 503,
  slow_down: 503,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  context_length_exceeded: 400,
  model_not_found: 404,
  data_residency_mismatch: 400,
  invalid_prompt: 400,
  bio_policy: 400,
  cyber_policy: 400,
  image_content_policy_violation: 400,
}

const POLICY_CODES: ReadonlySet<string> = new Set(['invalid_prompt', 'bio_policy', 'cyber_policy'])
const isImageCode = (code: string) => code.includes('image') && code !== 'image_content_policy_violation'

/** `holder`: a Response with `error`, an error event, flat or nested, or an error body. */
export function readFailure(holder: Fields, context: UpstreamErrorContext): ModelError {
  const error = asFields(holder.error) ?? holder
  const code = asText(error.code) ?? ''
  const ofImage = isImageCode(code)
  const status = STATUS_OF_CODE[code] ?? (ofImage ? 400 : null)
  const told: Record<string, unknown> = { ...error }
  if (status !== null) told.status = status
  if (POLICY_CODES.has(code)) told.type = 'content_policy'
  if (ofImage) told.param = 'input'
  return mapErrorBody({ error: told }, context)
}
