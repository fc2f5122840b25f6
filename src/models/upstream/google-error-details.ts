/** The `details` of a `google.rpc.Status`: machine-readable reasons in every error of a Google API. */
import { asFields, asList, asText, isFields } from './fields.ts'
import { MAX_RETRY_AFTER_MS } from './retry-after.ts'

export type GoogleErrorDetails = {
  /** Of `ErrorInfo`, as `API_KEY_INVALID`. */
  readonly reason: string | null
  /** The first field violation's path in the request, from its root. */
  readonly field: string | null
  /** Of `RetryInfo`. */
  readonly retryAfterMs: number | null
}

export function readGoogleDetails(details: unknown): GoogleErrorDetails {
  const entries = asList(details).filter(isFields)
  const typed = (name: string) => entries.find((entry) => asText(entry['@type'])?.endsWith(`/google.rpc.${name}`))
  return {
    reason: asText(typed('ErrorInfo')?.reason),
    field: readField(typed('BadRequest')?.fieldViolations),
    retryAfterMs: readDuration(typed('RetryInfo')?.retryDelay),
  }
}

/** `34.07s`: seconds, and `s`. */
function readDuration(value: unknown): number | null {
  const match = /^(\d+(?:\.\d+)?)s$/.exec(asText(value) ?? '')
  return match ? Math.min(MAX_RETRY_AFTER_MS, Math.round(Number(match[1]) * 1000)) : null
}

/** Some name the message first: `GenerateContentRequest.contents[0]`. */
function readField(violations: unknown): string | null {
  for (const violation of asList(violations)) {
    const field = asText(asFields(violation)?.field)
    if (field) return field.replace(/^[A-Z]\w*\./, '')
  }
  return null
}
