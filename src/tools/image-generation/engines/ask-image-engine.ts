/**
 * One call of an image engine, which is the operator's own address: the outbound guard is not asked for it. Made once:
 * an engine may have drawn, and charged for, what its reply was lost of.
 */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../../lib/clock.ts'
import { createSseDecoder, SseError } from '../../../lib/sse-decode.ts'
import { callUpstream, UpstreamHttpError, type UpstreamReply } from '../../../lib/upstream-http.ts'
import { ImageError } from '../image-engine.ts'
import type { LoadParts } from '../input-images.ts'

export type EngineParts = {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly apiKey: string | null
  /** Null: see each engine. */
  readonly model: string | null
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  /** Milliseconds; of one whole call. */
  readonly timeoutMs: number
  /** Bytes of one picture. */
  readonly maxBytes: number
  /** For pictures that the engine answers with an address of: it may also be the engine's own. */
  readonly loading: LoadParts
}

export type EngineCall = {
  readonly path: string
  readonly contentType: string
  readonly body: string | Uint8Array
  readonly signal: AbortSignal
}

/** What was read: a JSON reply as one value, a stream as the values of its events. */
export type ReplyPart = { readonly type: 'json' | 'event'; readonly value: unknown }

/** Around the pictures of a reply. */
const SLACK_BYTES = 256 * 1024
const MAX_ERROR_BYTES = 64 * 1024
const MAX_EVENTS = 1_000
/** A stream may hold so many pictures: first sights, and the last one. */
const MAX_PICTURES = 5

/** In base64, and a little more. */
const replyBytes = ({ maxBytes }: EngineParts) => Math.ceil(maxBytes / 3) * 4 + SLACK_BYTES

/** Throws `ImageError`. */
export async function* askImageEngine(call: EngineCall, parts: EngineParts): AsyncGenerator<ReplyPart, void> {
  let reply: UpstreamReply | null = null
  try {
    reply = await send(call, parts)
    if (reply.status !== 200) throw await refusal(reply, parts)
    if (reply.header('content-type')?.includes('text/event-stream')) yield* readEvents(reply, parts)
    else yield { type: 'json', value: await readJson(reply, parts) }
  } catch (error) {
    throw toImageError(error)
  } finally {
    reply?.destroy()
  }
}

function send({ path, contentType, body, signal }: EngineCall, parts: EngineParts): Promise<UpstreamReply> {
  const { baseUrl, apiKey, dispatcher, clock, timeoutMs } = parts
  return callUpstream({
    dispatcher,
    url: new URL(`${baseUrl}${path}`),
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': contentType,
      'user-agent': 'antiphon',
      ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
    },
    body,
    signal,
    clock,
    clocks: { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs, wholeMs: timeoutMs },
  })
}

async function readJson(reply: UpstreamReply, parts: EngineParts): Promise<unknown> {
  const { text, complete } = await reply.readText(replyBytes(parts))
  if (!complete) throw tooLarge(parts)
  const value = parse(text)
  if (value === undefined) throw malformed('the image engine sent no JSON')
  return value
}

async function* readEvents(reply: UpstreamReply, parts: EngineParts): AsyncGenerator<ReplyPart, void> {
  const values: unknown[] = []
  const lineChars = replyBytes(parts)
  const limits = { lineChars, streamBytes: lineChars * MAX_PICTURES, events: MAX_EVENTS }
  const decoder = createSseDecoder((data) => {
    if (data !== '[DONE]') values.push(parse(data))
  }, limits)
  for (let bytes = await reply.read(); bytes; bytes = await reply.read()) {
    reply.progress()
    decoder.feed(bytes)
    for (const value of values.splice(0)) yield { type: 'event', value }
  }
  decoder.end()
  for (const value of values.splice(0)) yield { type: 'event', value }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const malformed = (message: string) => new ImageError('malformed', message)
const tooLarge = ({ maxBytes }: EngineParts) => malformed(`the image engine sent more than ${maxBytes} bytes`)

async function refusal(reply: UpstreamReply, parts: EngineParts): Promise<ImageError> {
  const { status } = reply
  if (status === 401 || status === 403) return new ImageError('key', `the image engine did not let us in (${status})`)
  if (status === 402 || status === 429)
    return new ImageError('limit', `the image engine takes no more calls now (${status})`)
  if (status >= 500 || status < 400)
    return new ImageError('unavailable', `the image engine answered with status ${status}`)
  const { text } = await reply.readText(MAX_ERROR_BYTES)
  return new ImageError('refused', `the image engine refused it (${status})${said(parse(text), parts)}`)
}

/** What the engine says of a refusal, which may be of the prompt: the model can write another one. */
function said(value: unknown, { apiKey }: EngineParts): string {
  const error = fieldsOf(fieldsOf(value).error)
  if (typeof error.message !== 'string') return ''
  const plain = error.message.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  const safe = apiKey ? plain.replaceAll(apiKey, '[key]') : plain
  return `: ${safe
    .slice(0, 300)
    .toWellFormed()
    .replace(/[.\s]+$/, '')}`
}

export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}

function toImageError(error: unknown): ImageError {
  if (error instanceof ImageError) return error
  if (error instanceof SseError)
    return new ImageError('malformed', `the image engine sent a bad stream: ${error.message}`)
  if (!(error instanceof UpstreamHttpError))
    return new ImageError('unavailable', 'the image engine could not be asked', error)
  if (error.kind === 'aborted') return new ImageError('aborted', 'nobody waits for it any more', error)
  if (error.kind === 'timeout') return new ImageError('timeout', 'the image engine took too long', error)
  return new ImageError('unavailable', 'the image engine could not be reached, or its reply was cut off', error)
}
