/** Words in square brackets in the last user message that make the model behave in a way that is hard to provoke. */
import { ModelError, type ModelErrorKind } from '../model.ts'

export type RequestWords = {
  readonly refuse: boolean
  readonly filter: boolean
  readonly empty: boolean
  readonly think: boolean
  /** Words of text to write; null: the usual answer. */
  readonly long: number | null
  /** Before the first event, milliseconds. */
  readonly delayMs: number
  /** Before each token, milliseconds. */
  readonly slowMs: number
  /** Thrown before the first event. */
  readonly fail: string | null
  /** Words written before the connection breaks. */
  readonly failAfter: number | null
}

const MAX_LONG_WORDS = 100_000
const MAX_DELAY_MS = 600_000
const MAX_SLOW_MS = 60_000
const WORD = /\[(refuse|filter|empty|think|long|delay|slow|fail-after|fail)(?::([a-z_0-9]{1,32}))?\]/gi

/** `rest`: the text without the words, so that they are neither echoed nor understood as a question. */
export function readRequestWords(text: string): { words: RequestWords; rest: string } {
  const found = new Map<string, string>()
  for (const match of text.matchAll(WORD)) found.set(String(match[1]).toLowerCase(), (match[2] ?? '').toLowerCase())
  if (found.size === 0) return { words: NO_WORDS, rest: text }
  const number = (name: string, otherwise: number, max: number): number => {
    const value = Number(found.get(name) || otherwise)
    return Number.isFinite(value) ? Math.min(Math.max(0, Math.floor(value)), max) : otherwise
  }
  const words = {
    refuse: found.has('refuse'),
    filter: found.has('filter'),
    empty: found.has('empty'),
    think: found.has('think'),
    long: found.has('long') ? number('long', 200, MAX_LONG_WORDS) : null,
    delayMs: found.has('delay') ? number('delay', 1000, MAX_DELAY_MS) : 0,
    slowMs: found.has('slow') ? number('slow', 50, MAX_SLOW_MS) : 0,
    fail: found.has('fail') ? found.get('fail') || '500' : null,
    failAfter: found.has('fail-after') ? number('fail-after', 5, MAX_LONG_WORDS) : null,
  }
  return { words, rest: text.replace(WORD, '').replace(/ {2,}/g, ' ').trim() }
}

const NO_WORDS: RequestWords = {
  refuse: false,
  filter: false,
  empty: false,
  think: false,
  long: null,
  delayMs: 0,
  slowMs: 0,
  fail: null,
  failAfter: null,
}

type Failure = { readonly kind: ModelErrorKind; readonly status: number | null; readonly retryAfterMs?: number }

const FAILURES: ReadonlyMap<string, Failure> = new Map<string, Failure>([
  ['400', { kind: 'invalid_request', status: 400 }],
  ['context', { kind: 'context_length', status: 400 }],
  ['policy', { kind: 'content_policy', status: 400 }],
  ['401', { kind: 'auth', status: 401 }],
  ['403', { kind: 'auth', status: 403 }],
  ['auth', { kind: 'auth', status: 401 }],
  ['404', { kind: 'model_not_found', status: 404 }],
  ['model', { kind: 'model_not_found', status: 404 }],
  ['429', { kind: 'rate_limit', status: 429, retryAfterMs: 1000 }],
  ['500', { kind: 'unavailable', status: 500 }],
  ['502', { kind: 'unavailable', status: 502 }],
  ['503', { kind: 'unavailable', status: 503, retryAfterMs: 1000 }],
  ['connection', { kind: 'connection', status: null }],
  ['timeout', { kind: 'timeout', status: null }],
  ['malformed', { kind: 'malformed', status: 200 }],
])
const UNKNOWN: Failure = { kind: 'unavailable', status: 500 }

/** `name`: what stands after `fail:`; an unknown one fails like `500`. */
export function toFailure(name: string): ModelError {
  const { kind, status, retryAfterMs } = FAILURES.get(name) ?? UNKNOWN
  const message = `The demo model failed as asked: ${kind}${status === null ? '' : ` (${status})`}.`
  return new ModelError(kind, message, { status, retryAfterMs: retryAfterMs ?? null, provider: 'demo' })
}
