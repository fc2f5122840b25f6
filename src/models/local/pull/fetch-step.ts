/** One GET, with its redirects followed by hand: so that no secret goes where it does not belong. */
import type { Dispatcher } from 'undici'
import { isLoopback, PullFailed } from './pull-source.ts'

const MAX_REDIRECTS = 8
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const HUB_HOST = /(^|\.)(huggingface\.co|hf\.co)$/

export type HubAccess = {
  /** As `https://huggingface.co`; a mirror where the operator named one. */
  readonly endpoint: string
  readonly token: string | null
}

export type FetchOptions = {
  readonly hub: HubAccess
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Longest wait for headers, and between two pieces of a body; milliseconds. */
  readonly idleMs: number
}

export type Fetched = {
  readonly status: number
  header(name: string): string | null
  readonly body: Dispatcher.ResponseData['body']
  /** The file's SHA-256 as the hub says it, on the way or at the end. */
  readonly linkedSha256: string | null
  readonly linkedSize: number | null
}

/** Throws `PullFailed` where it is led astray, and what the network throws. */
export async function fetchStep(start: string, options: FetchOptions): Promise<Fetched> {
  let url = new URL(start)
  let linkedSha256: string | null = null
  let linkedSize: number | null = null
  // Loaded on use: see the rules of the house.
  const { request } = await import('undici')
  for (let step = 0; step <= MAX_REDIRECTS; step += 1) {
    const {
      statusCode: status,
      headers,
      body,
    } = await request(url, {
      headers: { ...options.headers, ...authorize(url, options.hub), 'user-agent': 'antiphon' },
      signal: options.signal,
      headersTimeout: options.idleMs,
      bodyTimeout: options.idleMs,
    })
    const header = (name: string) => first(headers[name])
    linkedSha256 ??= sha256In(header('x-linked-etag'))
    linkedSize ??= sizeIn(header('x-linked-size'))
    if (!REDIRECTS.has(status)) return { status, header, body, linkedSha256, linkedSize }
    await body.dump()
    url = next(url, header('location'))
  }
  throw new PullFailed(`more than ${MAX_REDIRECTS} redirects`)
}

function next(from: URL, location: string | null): URL {
  const to = location === null ? null : URL.parse(location, from.href)
  if (to === null) throw new PullFailed('a redirect leads nowhere')
  const isSafe = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:' && isLoopback(to))
  if (!isSafe) throw new PullFailed('a redirect leads away from https; nothing was fetched from there')
  return to
}

/** The token is for the hub, and for the mirror that the operator named; never for where they redirect to. */
function authorize(url: URL, { endpoint, token }: HubAccess): Readonly<Record<string, string>> {
  const isHub = url.protocol === 'https:' && HUB_HOST.test(url.hostname)
  const isMirror = url.origin === new URL(endpoint).origin
  return token !== null && (isHub || isMirror) ? { authorization: `Bearer ${token}` } : {}
}

const first = (value: string | string[] | undefined) => (Array.isArray(value) ? (value[0] ?? null) : (value ?? null))
const sha256In = (etag: string | null) => /^(?:W\/)?"?([0-9a-f]{64})"?$/.exec(etag ?? '')?.[1] ?? null
const sizeIn = (text: string | null) => (text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null)
