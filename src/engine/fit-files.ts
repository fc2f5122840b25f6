/**
 * Files as the chosen model takes them. What its provider takes goes to it as it is; of everything else the model is shown
 * text and pictures (`show-document.ts`), and a file of which none can be made is refused by name. The adapter is the judge:
 * it is asked to write each file down, so nothing here has to know what which provider takes.
 */
import { DocumentError, type DocumentReader, type SourceDocument } from '../documents/document-reader.ts'
import type { Clock } from '../lib/clock.ts'
import { DataUrlError, readDataUrl, toDataUrl } from '../lib/data-url.ts'
import { FetchError, fetchPublic } from '../lib/fetch-public.ts'
import { nameInUrl, typeOfFile } from '../lib/media-type.ts'
import type { OutboundGuard } from '../lib/outbound-guard.ts'
import { type Model, ModelError, type ModelTurn } from '../models/model.ts'
import type { StoredPart } from '../protocol/content.ts'
import { ApiError, badRequest } from '../protocol/errors.ts'
import { type FilePart, findParts, type PartPlaces, paramOf, replaceParts } from './file-parts.ts'
import { MAX_SHOWN_FILE_BYTES } from './load-files.ts'
import type { EngineSettings } from './settings.ts'
import { type PageBudget, pageBudget, showDocument } from './show-document.ts'
import type { UnsupportedLedger } from './unsupported.ts'

/** Of a URL that a request gives for a file. */
export const FILE_FETCH_LIMITS = { maxBytes: MAX_SHOWN_FILE_BYTES, timeoutMs: 30_000, maxRedirects: 5 } as const

/** Of one turn. */
const MAX_FETCHED_FILES = 20

export type FitDeps = {
  readonly documents: DocumentReader
  readonly settings: Pick<EngineSettings, 'maxPageImages'>
  readonly guard: OutboundGuard
  readonly clock: Clock
  readonly ledger: UnsupportedLedger
  readonly places: PartPlaces
  readonly signal: AbortSignal
}

/** Throws 400 for a file that can neither be sent nor read, and 503 when too many are being read. */
export async function fitFiles(turn: ModelTurn, model: Model, deps: FitDeps): Promise<ModelTurn> {
  const support = model.fields['input.file'] ?? 'native'
  // Whoever runs the server said so of this model; planning refuses the file then.
  if (support === 'refused' || support === 'ignored') return turn
  const parts = findParts(turn.items, ({ type }) => type === 'input_file')
  if (parts.length === 0) return turn
  const replacements = new Map<StoredPart, readonly StoredPart[]>()
  const left = {
    bytes: MAX_SHOWN_FILE_BYTES,
    urls: MAX_FETCHED_FILES,
    budget: pageBudget(model, deps.settings.maxPageImages),
  }
  // The last ones first: what is asked about now has the first claim on pictures.
  for (const part of parts.toReversed()) {
    if (part.type !== 'input_file') continue
    // What stands behind a URL is known once it is fetched; a model that takes any file need not wait for it here.
    const isOpen = !part.file_data && !!part.file_url && support === 'emulated'
    if (isOpen || !takes(model, turn, part)) replacements.set(part, await fit(part, turn, model, { ...deps, left }))
  }
  return replacements.size === 0 ? turn : { ...turn, items: replaceParts(turn.items, replacements) }
}

/** What may still be fetched for this turn. */
type Fitting = FitDeps & { readonly left: { bytes: number; urls: number; readonly budget: PageBudget } }

async function fit(part: FilePart, turn: ModelTurn, model: Model, deps: Fitting): Promise<readonly StoredPart[]> {
  const whole = part.file_data ? part : await fetched(part, deps)
  if (whole !== part && takes(model, turn, whole)) return [whole]
  const document = contentOf(whole, part, deps)
  try {
    const { parts, shown } = await showDocument(document, {
      ...deps,
      detail: part.detail === 'low' ? 'low' : 'high',
      seesImages: model.capabilities.seesImages === true,
      budget: deps.left.budget,
    })
    deps.ledger.note('input', `the model is shown ${shown}, not the file.`)
    return parts
  } catch (error) {
    throw toApiError(error, document.filename, part, deps)
  }
}

/** Whether the adapter can write the part down. */
function takes(model: Model, turn: ModelTurn, part: FilePart): boolean {
  if (!model.capabilities.fileInput) return false
  const probe = { ...turn, items: [{ ...MESSAGE, content: [part] }] }
  try {
    return !(model.notCarried?.(probe) ?? []).some(({ param, weight }) => param === 'input' && weight === 'meaning')
  } catch (error) {
    if (error instanceof ModelError) return false
    throw error
  }
}

const MESSAGE = { id: 'msg_probe', type: 'message', status: 'completed', role: 'user' } as const

function contentOf(
  { file_data: data = '', filename = 'file' }: FilePart,
  part: FilePart,
  deps: FitDeps,
): SourceDocument {
  try {
    const { mediaType, base64 } = readDataUrl(data) ?? { mediaType: '', base64: data }
    return { filename, mediaType: typeOfFile(mediaType, filename), bytes: Buffer.from(base64, 'base64') }
  } catch (error) {
    if (!(error instanceof DataUrlError)) throw error
    throw badRequest(paramOf(part, deps.places), 'invalid_value', `Invalid 'file_data': ${error.message}.`)
  }
}

/** By this server, through the guard of everything that strangers name. */
async function fetched(part: FilePart, deps: Fitting): Promise<FilePart> {
  const { file_url: url = '', ...rest } = part
  const { guard, clock, signal, left } = deps
  try {
    if (left.urls === 0) throw new FetchError('refused', `more than ${MAX_FETCHED_FILES} are named`)
    left.urls -= 1
    const limits = { ...FILE_FETCH_LIMITS, maxBytes: left.bytes }
    const document = await fetchPublic(guard, url, { limits, signal, clock })
    left.bytes -= document.bytes.length
    if (document.status >= 400) throw new FetchError('connection', `its server answered ${document.status}`)
    const filename = part.filename ?? nameInUrl(document.url)
    return { ...rest, filename, file_data: toDataUrl(typeOfFile(document.contentType, filename), document.bytes) }
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    signal.throwIfAborted()
    throw badRequest(paramOf(part, deps.places), 'file_not_fetched', `The file could not be fetched: ${error.message}.`)
  }
}

function toApiError(error: unknown, filename: string, part: FilePart, deps: FitDeps): unknown {
  if (!(error instanceof DocumentError)) return error
  if (error.kind === 'busy') {
    return new ApiError({
      status: 503,
      code: 'documents_busy',
      message: 'Too many documents are being read at the moment. Try again.',
      headers: { 'retry-after': '1', 'x-should-retry': 'true' },
    })
  }
  const message = `The file '${filename}' cannot be shown to this model: ${error.message}.`
  return badRequest(
    paramOf(part, deps.places),
    error.kind === 'unsupported' ? 'unsupported_file' : 'invalid_file',
    message,
  )
}
