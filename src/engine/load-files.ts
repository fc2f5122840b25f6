/** Files that a request names by id, as what they hold: no provider knows our ids. */
import type { BlobStore } from '../blobs/blob-store.ts'
import { toDataUrl } from '../lib/data-url.ts'
import type { TurnItem } from '../models/model.ts'
import type { StoredPart } from '../protocol/content.ts'
import { type ApiError, badRequest } from '../protocol/errors.ts'
import type { FileStore, StoredFile } from '../store/file-store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { type FilePart, findParts, type ImagePart, type PartPlaces, paramOf, replaceParts } from './file-parts.ts'
import { readBlobs } from './receive-blob.ts'
import type { UnsupportedLedger } from './unsupported.ts'

/** All files together that one request may show a model. */
export const MAX_SHOWN_FILE_BYTES = 50 * 1024 * 1024

export type LoadDeps = {
  readonly files: FileStore
  readonly blobs: BlobStore
  readonly telemetry: Telemetry
  readonly ledger: UnsupportedLedger
  readonly places: PartPlaces
  readonly signal: AbortSignal
}

/** Content that comes with the part counts; an id beside it says where the client has it from. */
const needsLoading = (part: FilePart | ImagePart): boolean =>
  !!part.file_id && !(part.type === 'input_image' ? part.image_url : part.file_data || part.file_url)

/** Throws 400 for what a client names now; of an earlier turn a file may have gone, and the model is told so. */
export async function loadFiles(items: readonly TurnItem[], deps: LoadDeps): Promise<readonly TurnItem[]> {
  const parts = findParts(items, needsLoading)
  const replacements = new Map<StoredPart, StoredPart>()
  let bytes = 0
  for (const part of parts) {
    const file = await deps.files.get(part.file_id ?? '')
    if (!file) {
      replacements.set(part, missing(part, deps))
      continue
    }
    bytes += file.bytes
    if (bytes > MAX_SHOWN_FILE_BYTES) throw tooMuch(part, deps)
    const loaded = await load(part, file, deps)
    const place = deps.places.get(part)
    if (place !== undefined) deps.places.set(loaded, place)
    replacements.set(part, loaded)
  }
  return replaceParts(items, replacements)
}

async function load(part: FilePart | ImagePart, file: StoredFile, deps: LoadDeps): Promise<StoredPart> {
  const bytes = await readFile(file, deps)
  if (part.type === 'input_file') {
    const { file_id: _, ...rest } = part
    return { ...rest, filename: part.filename ?? file.filename, file_data: toDataUrl(file.mediaType, bytes) }
  }
  const mediaType = imageTypeOf(bytes)
  if (mediaType === null) {
    const why = `the file '${file.filename}' is no PNG, JPEG, GIF or WebP image`
    throw badRequest(paramOf(part, deps.places), 'invalid_value', `Invalid image: ${why}. Send it as 'input_file'.`)
  }
  const { file_id: _, ...rest } = part
  return { ...rest, image_url: toDataUrl(mediaType, bytes) }
}

async function readFile({ id }: StoredFile, deps: LoadDeps): Promise<Buffer> {
  const blobs = (await deps.files.blobsOf(id)) ?? []
  const chunks: Uint8Array[] = []
  for await (const chunk of readBlobs(blobs, deps, deps.signal)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** By its first bytes: what a file is called and what its sender said of it may be anything. */
function imageTypeOf(bytes: Buffer): string | null {
  const head = bytes.toString('latin1', 0, 12)
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(head)) return 'image/gif'
  return /^RIFF[\s\S]{4}WEBP/.test(head) ? 'image/webp' : null
}

function missing(part: FilePart | ImagePart, deps: LoadDeps): StoredPart {
  const id = part.file_id ?? ''
  if (deps.places.has(part)) {
    throw badRequest(paramOf(part, deps.places), 'file_not_found', `File with id '${id}' not found.`)
  }
  deps.ledger.note('input', `the file ${id} of an earlier turn is gone; the model is told so.`)
  const name = part.type === 'input_file' && part.filename ? `'${part.filename}'` : id
  return { type: 'input_text', text: `[The file ${name} was here. It has been deleted since.]` }
}

const tooMuch = (part: FilePart | ImagePart, deps: LoadDeps): ApiError =>
  badRequest(
    paramOf(part, deps.places),
    'file_too_large',
    `The files of this request are larger than ${MAX_SHOWN_FILE_BYTES} bytes together, which is the most a model is shown.`,
  )
