/** The many forms in which servers say what was wrong, read into one. */
import { asFields, asList, asNumber, asText, type Fields, parseJson } from './fields.ts'
import { readGoogleDetails } from './google-error-details.ts'

export type UpstreamErrorBody = {
  readonly message: string | null
  readonly type: string | null
  readonly code: string | null
  readonly param: string | null
  /** A status given inside the body (OpenRouter, errors in a stream). */
  readonly status: number | null
  /** When to come back, where the body says so (`google.rpc.RetryInfo`). */
  readonly retryAfterMs: number | null
}

const NOTHING: UpstreamErrorBody = {
  message: null,
  type: null,
  code: null,
  param: null,
  status: null,
  retryAfterMs: null,
}

/** `{error: {...}}`, `{error: "..."}`, `{message, type, code}`, `{detail}`, `[{error}]`, or no JSON at all. */
export function readErrorBody(body: unknown): UpstreamErrorBody {
  const root = asFields(Array.isArray(body) ? body[0] : body)
  if (!root) return NOTHING
  const error = asFields(root.error)
  if (error) return fromError(error)
  const message = asText(root.error) ?? asText(root.message) ?? readDetail(root.detail) ?? asText(root.title)
  return { ...fromError(root), message }
}

function fromError(error: Fields): UpstreamErrorBody {
  const google = readGoogleDetails(error.details)
  return {
    message: readRaw(error) ?? asText(error.message) ?? readDetail(error.detail),
    type: asText(error.type) ?? asText(error.status),
    code: google.reason ?? asText(error.code) ?? asText(error.status),
    param: asText(error.param) ?? google.field,
    status: readStatus(error.code) ?? readStatus(error.status) ?? readStatus(error.status_code),
    retryAfterMs: google.retryAfterMs,
  }
}

const readStatus = (value: unknown): number | null => {
  const status = asNumber(value) ?? (/^[45]\d\d$/.test(asText(value) ?? '') ? Number(value) : null)
  return status !== null && status >= 400 && status <= 599 ? status : null
}

/** FastAPI: a text, or a list of what failed where. */
function readDetail(detail: unknown): string | null {
  const text = asText(detail)
  if (text) return text
  const lines = asList(detail).flatMap((entry) => {
    const fields = asFields(entry)
    const message = asText(fields?.msg)
    return message ? [[asList(fields?.loc).join('.'), message].filter(Boolean).join(': ')] : []
  })
  return lines.length > 0 ? lines.join('; ') : null
}

/** A router passes on what the real provider said inside `metadata.raw`. */
function readRaw(error: Fields): string | null {
  const raw = asText(asFields(error.metadata)?.raw)
  if (!raw) return null
  const inner = parseJson(raw)
  return inner === undefined ? raw : readErrorBody(inner).message
}
