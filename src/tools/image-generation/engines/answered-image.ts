/** A picture as engines answer with it: in base64, or as an address. */
import { imageOfBase64, imageOfDataUrl, sizeOf } from '../image-bytes.ts'
import type { Drawing, ImageBytes } from '../image-engine.ts'
import { fetchImage } from '../input-images.ts'
import { type EngineParts, fieldsOf, malformed } from './ask-image-engine.ts'

type Fields = Readonly<Record<string, unknown>>

/** `row`: an entry of `data`, or an event of a stream. Throws `ImageError`. */
export async function readAnswered(row: Fields, parts: EngineParts, signal: AbortSignal): Promise<ImageBytes> {
  if (typeof row.b64_json === 'string') return whole(imageOfBase64(row.b64_json), parts)
  if (typeof row.url === 'string') return await readAddress(row.url, parts, signal)
  throw malformed('the image engine sent no image')
}

/** Fetched without any key: an engine's word may not send one elsewhere. */
export async function readAddress(url: string, parts: EngineParts, signal: AbortSignal): Promise<ImageBytes> {
  if (/^data:/i.test(url)) return whole(imageOfDataUrl(url), parts)
  return whole(await fetchImage(url, parts.loading, signal), parts)
}

function whole(image: ImageBytes | null, { maxBytes }: EngineParts): ImageBytes {
  if (!image) throw malformed('the image engine sent what is no PNG, JPEG, WebP or GIF')
  if (image.bytes.length > maxBytes) throw malformed(`the image engine sent more than ${maxBytes} bytes`)
  return image
}

/** `said`: the reply around the picture. */
export function toDrawing(image: ImageBytes, said: unknown): Drawing {
  const { quality, background, revised_prompt: revised } = fieldsOf(said)
  return {
    ...image,
    size: sizeOf(image),
    quality: QUALITIES.find((known) => known === quality) ?? null,
    background: BACKGROUNDS.find((known) => known === background) ?? null,
    revisedPrompt: typeof revised === 'string' && revised !== '' ? revised.slice(0, 32_000).toWellFormed() : null,
  }
}

const QUALITIES = ['auto', 'low', 'medium', 'high', 'xhigh', 'max'] as const
const BACKGROUNDS = ['auto', 'transparent', 'opaque'] as const
