/** Requests to one bucket of any S3 API: signed, within time, and sent again where that is safe. */
import Agent from 'undici/lib/dispatcher/agent.js'
import { type Clock, sleep } from '../../lib/clock.ts'
import { BlobsFull, BlobsUnavailable } from '../blob-store.ts'
import { readTag } from './s3-xml.ts'
import { encodeStrictly, type S3Credentials, signV4 } from './sign-v4.ts'

export type S3Options = {
  /** Without a path. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  /** Before every key: empty, or with a slash at its end. */
  readonly prefix: string
  /** The bucket is the first folder of the path; else it is a part of the host's name. */
  readonly pathStyle: boolean
  readonly credentials: S3Credentials
}

export type S3Request = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Null: the bucket itself. */
  readonly key: string | null
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal: AbortSignal
}

export type S3Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: AsyncIterable<Uint8Array>
  /** The body as text; of documents, never of blobs. */
  text(): Promise<string>
}

export interface S3Client {
  /** Any reply below 300, and 404. Throws `BlobsFull`, `BlobsUnavailable` and `signal.reason`. */
  send(request: S3Request): Promise<S3Reply>
  close(): Promise<void>
}

/** Refused, or answered as no S3 answers. What it said is for the log. */
export class S3Error extends Error {
  override readonly name = 'S3Error'
}

const CONNECT_MS = 10_000
/** Between two signs of life, also while a part is taken in. */
const SILENCE_MS = 60_000
const MAX_ATTEMPTS = 4
const FIRST_PAUSE_MS = 200
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
const FULL: ReadonlySet<string> = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage'])

export function createS3Client(options: S3Options, clock: Clock): S3Client {
  const agent = new Agent({
    connect: { timeout: CONNECT_MS },
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
  })
  return {
    async send(asked) {
      for (let attempt = 1; ; attempt += 1) {
        const outcome = await sendOnce(asked, options, clock, agent)
        if (!('failure' in outcome)) return outcome.reply
        asked.signal.throwIfAborted()
        if (!outcome.again || attempt === MAX_ATTEMPTS) throw outcome.failure
        await sleep(clock, FIRST_PAUSE_MS * 2 ** (attempt - 1), asked.signal)
        asked.signal.throwIfAborted()
      }
    },
    close: () => agent.destroy(),
  }
}

type Outcome = { readonly reply: S3Reply } | { readonly failure: Error; readonly again: boolean }

async function sendOnce(
  { method, key, query, body = new Uint8Array(), signal }: S3Request,
  options: S3Options,
  clock: Clock,
  dispatcher: Agent,
): Promise<Outcome> {
  const url = urlOf(key, query, options)
  const { region, credentials } = options
  const headers = signV4({ method, url, body }, credentials, { region, at: new Date(clock.now()) })
  try {
    const { request } = await import('undici')
    const reply = await request(url, { method, headers, body: method === 'GET' ? null : body, signal, dispatcher })
    const { statusCode: status, headers: given, body: stream } = reply
    if (status < 300 || status === 404) {
      return { reply: { status, headers: given, body: stream, text: () => readText(stream) } }
    }
    return refusalOf(status, await readText(stream))
  } catch (error) {
    // Of what the signal ended the caller knows why.
    return { failure: new BlobsUnavailable(error), again: true }
  }
}

export function urlOf(key: string | null, query: S3Request['query'], options: S3Options): URL {
  const { endpoint, bucket, pathStyle, prefix } = options
  const url = new URL(endpoint)
  if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`
  const path = [...(pathStyle ? [bucket] : []), ...(key === null ? [] : `${prefix}${key}`.split('/'))]
  url.pathname = `/${path.map(encodeStrictly).join('/')}`
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value)
  // Signed as it is sent: a space is `%20`, not `+`.
  url.search = url.search.replaceAll('+', '%20')
  return url
}

function refusalOf(status: number, document: string): Outcome {
  const code = readTag(document, 'Code') ?? 'no code'
  const cause = new S3Error(`the object storage answered ${status} ${code}: ${readTag(document, 'Message') ?? ''}`)
  if (status === 507 || FULL.has(code)) return { failure: new BlobsFull(cause), again: false }
  return { failure: new BlobsUnavailable(cause), again: status >= 500 || status === 429 || status === 408 }
}

async function readText(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > MAX_DOCUMENT_BYTES) throw new S3Error('the object storage answered with a document that has no end')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
