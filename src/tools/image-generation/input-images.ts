/** The pictures of a conversation: which there are, and the bytes of those that are to be changed. */
import type { Clock } from '../../lib/clock.ts'
import { FetchError, fetchPublic } from '../../lib/fetch-public.ts'
import { type OutboundGuard, OutboundRefused } from '../../lib/outbound-guard.ts'
import type { StoredPart } from '../../protocol/content.ts'
import type { Item } from '../../protocol/items.ts'
import type { FileSource } from '../file-source.ts'
import { imageOfBase64, imageOfDataUrl, toImage } from './image-bytes.ts'
import { type ImageBytes, ImageError } from './image-engine.ts'
import type { DrawingWish } from './read-drawing.ts'

export type Picture =
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'base64'; readonly base64: string }
  /** Of the Files API. */
  | { readonly type: 'file'; readonly fileId: string }

/** Pictures that came together: in one message, in one output, by one call. Oldest first; none is empty. */
export function picturesOf(items: readonly Item[]): readonly (readonly Picture[])[] {
  return items.map(picturesOfItem).filter((group) => group.length > 0)
}

function picturesOfItem(item: Item): readonly Picture[] {
  if (item.type === 'image_generation_call') return item.result ? [{ type: 'base64', base64: item.result }] : []
  if (item.type === 'message' && item.role === 'user') return item.content.flatMap(pictureOfPart)
  if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') return []
  return typeof item.output === 'string' ? [] : item.output.flatMap(pictureOfPart)
}

function pictureOfPart(part: StoredPart): Picture[] {
  if (part.type !== 'input_image') return []
  if (part.image_url) return [{ type: 'url', url: part.image_url }]
  return part.file_id ? [{ type: 'file', fileId: part.file_id }] : []
}

/** Throws `ImageError` where there is none. */
export function choosePictures(items: readonly Item[], { images }: Pick<DrawingWish, 'images'>): readonly Picture[] {
  const groups = picturesOf(items)
  const latest = groups.at(-1)
  if (!latest) throw new ImageError('input', 'there is no image in the conversation that could be changed')
  if (images === null) return latest
  const all = groups.flat()
  return images.map((number) => {
    const picture = all[number - 1]
    if (picture) return picture
    throw new ImageError('input', `there is no image ${number}; the conversation has ${all.length}`)
  })
}

export type LoadParts = {
  readonly guard: OutboundGuard
  readonly clock: Clock
  readonly maxBytes: number
  readonly timeoutMs: number
}

const MAX_REDIRECTS = 3

export type PictureParts = LoadParts & { readonly source: FileSource }

/** Whose files are read, and until when. */
export type PictureReader = { readonly projectId: string; readonly signal: AbortSignal }

/** Throws `ImageError`. */
export async function loadPicture(picture: Picture, parts: PictureParts, reader: PictureReader): Promise<ImageBytes> {
  const image = await readPicture(picture, parts, reader)
  if (!image) throw new ImageError('input', 'an image of the conversation is no PNG, JPEG, WebP or GIF')
  if (image.bytes.length <= parts.maxBytes) return image
  throw new ImageError('input', `an image of the conversation is larger than ${parts.maxBytes} bytes`)
}

async function readPicture(picture: Picture, parts: PictureParts, reader: PictureReader): Promise<ImageBytes | null> {
  const { signal } = reader
  if (picture.type === 'base64') return imageOfBase64(picture.base64)
  if (picture.type === 'file') return await readImageFile(picture.fileId, parts, reader)
  if (/^data:/i.test(picture.url)) return imageOfDataUrl(picture.url)
  return await fetchImage(picture.url, parts, signal)
}

async function readImageFile(
  fileId: string,
  { source, maxBytes }: PictureParts,
  { projectId, signal }: PictureReader,
): Promise<ImageBytes | null> {
  const file = await source.open(projectId, fileId, signal)
  if (!file) throw new ImageError('input', `the file ${fileId} of the conversation is not there any more`)
  if (file.bytes > maxBytes) throw new ImageError('input', `the image ${fileId} is larger than ${maxBytes} bytes`)
  const chunks: Uint8Array[] = []
  for await (const chunk of file.content) chunks.push(chunk)
  return toImage(Buffer.concat(chunks))
}

/** Null for what is no picture. Throws `ImageError`. */
export async function fetchImage(
  url: string,
  { guard, clock, maxBytes, timeoutMs }: LoadParts,
  signal: AbortSignal,
): Promise<ImageBytes | null> {
  const limits = { maxBytes, timeoutMs, maxRedirects: MAX_REDIRECTS }
  try {
    const { status, bytes } = await fetchPublic(guard, url, { limits, headers: { accept: 'image/*' }, signal, clock })
    if (status !== 200) throw new ImageError('input', `the server of an image answered with status ${status}`)
    return toImage(bytes)
  } catch (error) {
    if (error instanceof ImageError) throw error
    const isTold = error instanceof FetchError || error instanceof OutboundRefused
    const why = isTold ? error.message : 'it failed'
    const kind = error instanceof FetchError && error.kind === 'aborted' ? 'aborted' : 'input'
    throw new ImageError(kind, `an image could not be fetched: ${why}`, error)
  }
}
