/**
 * Fetches images and files that come as URLs, for providers that do not do so themselves: through the outbound guard, as
 * any URL of a request. What was fetched is kept as long as the run, so that its turns and retries fetch it once.
 */
import type { Clock } from '../lib/clock.ts'
import { FetchError, type FetchedDocument, fetchPublic } from '../lib/fetch-public.ts'
import { imageFormat } from '../lib/image-format.ts'
import { type OutboundGuard, OutboundRefused } from '../lib/outbound-guard.ts'
import type { StoredPart } from '../protocol/content.ts'
import { type Model, ModelError, type ModelTurn, type TurnItem } from './model.ts'
import { addressOf, partsOf } from './turn-fields.ts'

export type Fetching = {
  readonly guard: OutboundGuard
  readonly clock: Clock
  /** Of one image; of all that is fetched for one turn. */
  readonly maxBytes: { readonly image: number; readonly file: number }
  readonly timeoutMs: number
}

/** Of one turn; a URL that is named twice counts once. */
export const MAX_FETCHED_URLS = 20
const MAX_REDIRECTS = 3

type Kind = 'input_image' | 'input_file'
type Fetched = ReadonlyMap<string, string>

export function inlineUrls(inner: Model, fetching: Fetching): Model {
  const kinds: readonly Kind[] = [
    ...(inner.fields['input.image_url'] === 'emulated' ? (['input_image'] as const) : []),
    ...(inner.fields['input.file_url'] === 'emulated' ? (['input_file'] as const) : []),
  ]
  const kept = new WeakMap<AbortSignal, Map<string, string>>()
  const standIn = (turn: ModelTurn, known: Fetched = new Map()) =>
    withParts(turn, (part) => inlined(part, kinds, (url) => known.get(url) ?? STAND_IN[part.type] ?? ''))
  return {
    ...inner,
    async *stream(turn, context) {
      const wanted = addressesIn(turn, kinds)
      if (wanted.size === 0) return yield* inner.stream(turn, context)
      const known = kept.get(context.signal) ?? new Map<string, string>()
      kept.set(context.signal, known)
      await fetchAll(wanted, known, fetching, context.signal)
      yield* inner.stream(standIn(turn, known), context)
    },
    // What is not fetched yet counts as an image of usual size, or as an empty file.
    countInputTokens: (turn, context) => inner.countInputTokens(standIn(turn, kept.get(context.signal)), context),
    notCarried(turn) {
      if (addressesIn(turn, kinds).size > MAX_FETCHED_URLS)
        throw refuse(`More than ${MAX_FETCHED_URLS} URLs are given.`)
      return inner.notCarried?.(standIn(turn)) ?? []
    },
  }
}

const refuse = (message: string, cause?: unknown) =>
  new ModelError('invalid_request', message, { param: 'input', cause })

/** In the place of what is not fetched yet: the least that an adapter takes. */
const STAND_IN: Readonly<Partial<Record<StoredPart['type'], string>>> = {
  input_image:
    'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  input_file: 'data:text/plain;base64,',
}

/** Each address with the kind of part that it is in. */
function addressesIn(turn: ModelTurn, kinds: readonly Kind[]): ReadonlyMap<string, Kind> {
  const found = new Map<string, Kind>()
  for (const part of turn.items.flatMap(partsOf)) {
    for (const kind of kinds) {
      const url = addressOf(part, kind)
      if (url !== null) found.set(url, kind)
    }
  }
  return found
}

async function fetchAll(
  wanted: ReadonlyMap<string, Kind>,
  known: Map<string, string>,
  fetching: Fetching,
  signal: AbortSignal,
): Promise<void> {
  let left = fetching.maxBytes.file
  for (const [url, kind] of wanted) {
    if (known.has(url)) continue
    const maxBytes = kind === 'input_image' ? Math.min(left, fetching.maxBytes.image) : left
    const document = await fetchOne(url, maxBytes, fetching, signal)
    left -= document.bytes.length
    known.set(url, toDataUrl(document, kind))
  }
}

async function fetchOne(
  url: string,
  maxBytes: number,
  { guard, clock, timeoutMs }: Fetching,
  signal: AbortSignal,
): Promise<FetchedDocument> {
  const limits = { maxBytes, timeoutMs, maxRedirects: MAX_REDIRECTS }
  const document = await fetchPublic(guard, url, { limits, signal, clock }).catch((error: unknown) => {
    if (error instanceof FetchError && error.kind === 'aborted') throw new ModelError('aborted', 'aborted')
    const isTold = error instanceof FetchError || error instanceof OutboundRefused
    throw refuse(`A URL of the input could not be fetched: ${isTold ? error.message : 'it failed'}.`, error)
  })
  if (document.status === 200) return document
  throw refuse(`A URL of the input could not be fetched: its server answered with status ${document.status}.`)
}

/** An image by its own bytes; a file by what its server says, or else by its name. */
function toDataUrl({ bytes, contentType }: FetchedDocument, kind: Kind): string {
  const format = imageFormat(bytes)
  if (kind === 'input_image' && format === null)
    throw refuse('An image_url of the input leads to what is no PNG, JPEG, WebP or GIF.')
  const isSaid = contentType !== 'application/octet-stream'
  const type = kind === 'input_image' ? `image/${format}` : isSaid ? contentType : ''
  return `data:${type};base64,${bytes.toString('base64')}`
}

function withParts(turn: ModelTurn, change: (part: StoredPart) => StoredPart): ModelTurn {
  const changed = (item: TurnItem): TurnItem => {
    if (partsOf(item).length === 0) return item
    if (item.type === 'message' && item.role !== 'assistant') return { ...item, content: item.content.map(change) }
    if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') return item
    return typeof item.output === 'string' ? item : { ...item, output: item.output.map(change) }
  }
  return { ...turn, items: turn.items.map(changed) }
}

function inlined(part: StoredPart, kinds: readonly Kind[], dataOf: (url: string) => string): StoredPart {
  const url = kinds.map((kind) => addressOf(part, kind)).find((found) => found !== null)
  if (!url) return part
  if (part.type === 'input_image') return { ...part, image_url: dataOf(url) }
  if (part.type !== 'input_file') return part
  const { file_url: _, ...rest } = part
  return { ...rest, file_data: dataOf(url), filename: part.filename || nameIn(url) }
}

const nameIn = (url: string): string => URL.parse(url)?.pathname.split('/').at(-1)?.slice(-200) || 'file'
