/** Opens a page of the public internet: asked of its robots.txt, fetched within limits, read as text, kept for a while. */
import { isUtf8 } from 'node:buffer'
import type { Clock } from '../../lib/clock.ts'
import { FetchError, type FetchedDocument, type FetchLimits, fetchPublic } from '../../lib/fetch-public.ts'
import { createLruMap } from '../../lib/lru-map.ts'
import { type OutboundGuard, OutboundRefused } from '../../lib/outbound-guard.ts'
import type { DomainFilter } from './domain-filter.ts'
import type { PageParser } from './page-parser.ts'
import { decodeText, MAX_PAGE_CHARS, type PageText } from './page-text.ts'
import { createRobots } from './robots.ts'

export type Page = PageText & {
  /** Where it was found, after redirects. */
  readonly url: string
}

/** The message completes "The page could not be opened: ..."; the model gets to see it. */
export class PageError extends Error {
  override readonly name = 'PageError'
}

export interface PageReader {
  /** `mayFetch` is asked when the page is not at hand. Throws `PageError`. */
  open(url: string, options: OpenOptions): Promise<Page>
}

export type OpenOptions = {
  readonly filter: DomainFilter
  readonly mayFetch: () => boolean
  readonly signal: AbortSignal
}

/** A PDF or another document that a site has among its pages. */
export interface DocumentPages {
  /** Null when documents of this kind are not read. Throws `PageError`. */
  read(fetched: FetchedDocument, signal: AbortSignal): Promise<string | null>
}

export type PageReaderOptions = {
  readonly guard: OutboundGuard
  readonly clock: Clock
  readonly parser: PageParser
  readonly documents: DocumentPages
  readonly limits: FetchLimits
  readonly respectRobots: boolean
}

const MAX_PAGES = 64
const MAX_AGE_MS = 15 * 60_000
const ACCEPT = 'text/html,application/xhtml+xml,text/markdown,text/plain,application/json,*/*;q=0.5'

type KeptPage = { readonly page: Page; readonly readAt: number; readonly hops: readonly URL[] }

export function createPageReader(options: PageReaderOptions): PageReader {
  const { clock } = options
  const kept = createLruMap<string, KeptPage>(MAX_PAGES)
  const mayVisit = visitRule(options)
  return {
    async open(url, { filter, mayFetch, signal }) {
      const address = toAddress(url)
      const known = kept.get(address)
      if (known !== undefined && clock.monotonic() - known.readAt < MAX_AGE_MS) {
        // Kept for another request perhaps, whose filters were others.
        if (!known.hops.every(({ hostname }) => filter.allows(hostname))) throw new PageError(FILTERED)
        return known.page
      }
      if (!mayFetch()) throw new PageError('this response may fetch no more pages; answer with what you have')
      const hops: URL[] = []
      const onHop = async (hop: URL) => {
        hops.push(hop)
        await mayVisit(hop, filter, signal)
      }
      const page = await readPage(address, onHop, signal, options)
      kept.set(address, { page, readAt: clock.monotonic(), hops })
      return page
    },
  }
}

const FILTERED = 'the filters of this request do not allow its domain'
const NOT_FOR_ROBOTS = 'its robots.txt asks programs not to read it, or cannot be read'

function visitRule({ guard, clock, respectRobots }: PageReaderOptions) {
  const robots = respectRobots ? createRobots({ guard, clock }) : null
  return async (url: URL, filter: DomainFilter, signal: AbortSignal): Promise<void> => {
    if (!filter.allows(url.hostname)) throw new OutboundRefused(FILTERED)
    if (robots !== null && !(await robots.mayRead(url, signal))) throw new OutboundRefused(NOT_FOR_ROBOTS)
  }
}

function toAddress(written: string): string {
  const url = URL.parse(written.trim())
  if (url === null || !/^https?:$/.test(url.protocol)) throw new PageError('it is not an http or https URL')
  url.hash = ''
  return url.href
}

async function readPage(
  address: string,
  onHop: (url: URL) => Promise<void>,
  signal: AbortSignal,
  { guard, clock, parser, documents, limits }: PageReaderOptions,
): Promise<Page> {
  const fetched = await fetchPublic(guard, address, {
    limits,
    headers: { accept: ACCEPT },
    onHop,
    signal,
    clock,
  }).catch((error) => {
    throw new PageError(error instanceof FetchError || error instanceof OutboundRefused ? error.message : 'it failed', {
      cause: error,
    })
  })
  if (fetched.status !== 200) throw new PageError(`the site answered with status ${fetched.status}`)
  const read = (await readText(fetched, parser)) ?? (await readDocument(fetched, documents, signal))
  return { ...read, url: fetched.url.href }
}

const untitled = (text: string): PageText => ({ title: '', text: text.slice(0, MAX_PAGE_CHARS).toWellFormed() })

/** By what the server says it is; where it says nothing, by what it looks like. Null for what is no page. */
async function readText(fetched: FetchedDocument, parser: PageParser): Promise<PageText | null> {
  const { contentType, bytes, charset } = fetched
  const kind = contentType === '' ? sniff(bytes) : kindOf(contentType)
  if (kind === 'text') return untitled(decodeText({ bytes, charset }))
  if (kind !== 'html') return null
  const parsed = await parser.parse({ bytes, charset })
  if (parsed === null) throw new PageError('its HTML could not be read within the limits')
  return parsed
}

async function readDocument(
  fetched: FetchedDocument,
  documents: DocumentPages,
  signal: AbortSignal,
): Promise<PageText> {
  const text = await documents.read(fetched, signal)
  if (text !== null) return untitled(text)
  throw new PageError(`it is no text, but ${fetched.contentType || 'of a kind the site does not name'}`)
}

type ContentKind = 'html' | 'text' | 'other'

function kindOf(contentType: string): ContentKind {
  if (contentType === 'text/html' || contentType === 'application/xhtml+xml') return 'html'
  return /^text\/|^application\/(?:.+\+)?(?:json|xml|yaml|x-yaml|toml|javascript|x-ndjson)$/.test(contentType)
    ? 'text'
    : 'other'
}

function sniff(bytes: Buffer): ContentKind {
  const head = bytes.toString('latin1', 0, 512).trimStart()
  if (/^<(?:!doctype html|html|head|body)\b/i.test(head)) return 'html'
  return isUtf8(bytes) && !bytes.includes(0) ? 'text' : 'other'
}
