/** Reads one document from the public internet, within limits of bytes, time and redirects. */
import type { Dispatcher } from 'undici'
import type { Clock } from './clock.ts'
import { DecodeBodyError, decodeBody } from './decode-body.ts'
import { type OutboundGuard, OutboundRefused } from './outbound-guard.ts'

export type FetchLimits = {
  /** Before and after decompression. */
  readonly maxBytes: number
  /** Of the whole read, redirects included. */
  readonly timeoutMs: number
  readonly maxRedirects: number
}

export type FetchedDocument = {
  /** Where it was found, after redirects. */
  readonly url: URL
  readonly status: number
  /** Lower case, without parameters; empty when none was given. */
  readonly contentType: string
  /** The `charset` of the content type, lower case; null when none was given. */
  readonly charset: string | null
  readonly bytes: Buffer
}

export type FetchFailure =
  | 'refused'
  | 'malformed'
  | 'connection'
  | 'timeout'
  | 'too_large'
  | 'too_many_redirects'
  | 'aborted'

/** The message names no address that the caller had not named, so it may reach a client or a model. */
export class FetchError extends Error {
  override readonly name = 'FetchError'
  readonly kind: FetchFailure

  constructor(kind: FetchFailure, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export type FetchOptions = {
  readonly limits: FetchLimits
  /** Go to the first origin only. */
  readonly headers?: Readonly<Record<string, string>>
  /** Before each request, redirects included. What it throws as `OutboundRefused` ends the read as `refused`. */
  readonly onHop?: (url: URL) => Promise<void> | void
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** Every status that is no redirect is an answer. Throws `FetchError`. */
export async function fetchPublic(
  guard: OutboundGuard,
  url: string | URL,
  options: FetchOptions,
): Promise<FetchedDocument> {
  const { limits, clock } = options
  const late = new AbortController()
  const stopClock = clock.after(limits.timeoutMs, () => late.abort())
  try {
    return await followTo(guard, url, { ...options, signal: AbortSignal.any([options.signal, late.signal]) })
  } catch (error) {
    throw toFetchError(error, { callerLeft: options.signal.aborted, timedOut: late.signal.aborted, limits })
  } finally {
    stopClock()
  }
}

async function followTo(guard: OutboundGuard, url: string | URL, options: FetchOptions): Promise<FetchedDocument> {
  const { limits, headers = {}, onHop, signal } = options
  let at = guard.check(url)
  const { origin } = at
  for (let hops = 0; ; hops += 1) {
    await onHop?.(at)
    signal.throwIfAborted()
    const sent = at.origin === origin ? headers : {}
    // Loaded on use: see the rules of the house.
    const { request } = await import('undici')
    const reply = await request(at, { dispatcher: guard.dispatcher, headers: { ...BASE_HEADERS, ...sent }, signal })
    const next = locationOf(reply)
    if (next === null) return await readDocument(at, reply, limits)
    await reply.body.dump({ limit: MAX_REDIRECT_BYTES, signal }).catch(() => {})
    if (hops >= limits.maxRedirects) {
      throw new FetchError('too_many_redirects', `it was redirected more than ${limits.maxRedirects} times`)
    }
    at = guard.check(URL.parse(next, at.href) ?? next)
  }
}

const MAX_REDIRECT_BYTES = 16 * 1024
const BASE_HEADERS = { 'user-agent': 'antiphon', 'accept-encoding': 'gzip, br', accept: '*/*' }

function locationOf({ statusCode, headers }: Dispatcher.ResponseData): string | null {
  const location = headers.location
  return REDIRECTS.has(statusCode) && typeof location === 'string' ? location : null
}

async function readDocument(url: URL, reply: Dispatcher.ResponseData, limits: FetchLimits): Promise<FetchedDocument> {
  const { headers, statusCode: status, body } = reply
  const raw = await readBytes(body, limits.maxBytes)
  const bytes = await decodeBody(raw, textOf(headers['content-encoding']), limits.maxBytes)
  return { url, status, ...readContentType(textOf(headers['content-type']) ?? ''), bytes }
}

const textOf = (header: string | string[] | undefined) => (typeof header === 'string' ? header : header?.join(','))

async function readBytes(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    // Leaving the loop destroys the body.
    if (size > maxBytes) throw tooLarge(maxBytes)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

const tooLarge = (maxBytes: number) => new FetchError('too_large', `it is larger than ${maxBytes} bytes`)

function readContentType(value: string): Pick<FetchedDocument, 'contentType' | 'charset'> {
  const contentType = value.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const charset = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(value)?.[1]?.toLowerCase() ?? null
  return { contentType, charset }
}

function toFetchError(
  error: unknown,
  { callerLeft, timedOut, limits }: { callerLeft: boolean; timedOut: boolean; limits: FetchLimits },
): FetchError {
  if (error instanceof FetchError) return error
  if (callerLeft) return new FetchError('aborted', 'nobody waits for it any more', error)
  if (timedOut) return new FetchError('timeout', `it took longer than ${limits.timeoutMs} ms`, error)
  if (error instanceof DecodeBodyError) {
    if (error.kind === 'too-large') return tooLarge(limits.maxBytes)
    return new FetchError('malformed', 'its content encoding could not be undone', error)
  }
  const refused = refusalIn(error)
  if (refused !== null) return new FetchError('refused', refused.message, error)
  return new FetchError('connection', 'there was no connection, or it was lost', error)
}

/** A refusal while connecting arrives wrapped, one error per address that was tried. */
function refusalIn(error: unknown, depth = 0): OutboundRefused | null {
  if (error instanceof OutboundRefused) return error
  if (!(error instanceof Error) || depth > 3) return null
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : []
  for (const part of [error.cause, ...inner]) {
    const found = refusalIn(part, depth + 1)
    if (found !== null) return found
  }
  return null
}
