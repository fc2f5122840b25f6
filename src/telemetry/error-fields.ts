/** An error as plain fields for a log line: bounded, without the secrets it may quote, without its own properties. */

const MAX_MESSAGE = 1_000
const MAX_STACK = 4_000
const MAX_CAUSES = 3

export type ErrorFields = {
  readonly type: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly cause?: ErrorFields
}

export function errorFields(error: unknown, redact: (text: string) => string, depth = 0): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error, message: cut(redact(String(error)), MAX_MESSAGE) }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const stack = depth === 0 && error.stack !== undefined ? { stack: cut(redact(error.stack), MAX_STACK) } : {}
  const hasCause = error.cause !== undefined && error.cause !== null && depth < MAX_CAUSES
  const cause = hasCause ? { cause: errorFields(error.cause, redact, depth + 1) } : {}
  return { type: error.name, message: cut(redact(error.message), MAX_MESSAGE), ...code, ...stack, ...cause }
}

const cut = (text: string, max: number) => (text.length > max ? `${text.slice(0, max)}...` : text)
