/** Pictures in base64 and data URLs: as bytes, where they are pictures. */
import { imageFormat, imageSides } from '../../lib/image-format.ts'
import type { ImageBytes } from './image-engine.ts'

const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/
const HEAD_BYTES = 64

/** Null for what is no PNG, JPEG, WebP or GIF. */
export function toImage(bytes: Buffer): ImageBytes | null {
  const format = imageFormat(bytes)
  return format && { format, bytes }
}

/** Null for what is no base64 of a picture. */
export function imageOfBase64(text: string): ImageBytes | null {
  // The head says what it is before the whole is decoded; the rest is held against the alphabet.
  if (imageFormat(Buffer.from(text.slice(0, HEAD_BYTES), 'base64')) === null || !BASE64.test(text)) return null
  return toImage(Buffer.from(text, 'base64'))
}

const DATA_URL = /^data:[^,]{0,256},/i

/** Null for what is no data URL in base64 that holds a picture. */
export function imageOfDataUrl(url: string): ImageBytes | null {
  const head = DATA_URL.exec(url)?.[0]
  return head?.toLowerCase().endsWith(';base64,') ? imageOfBase64(url.slice(head.length)) : null
}

export const toDataUrl = ({ format, bytes }: ImageBytes): string =>
  `data:image/${format};base64,${bytes.toString('base64')}`

/** `WIDTHxHEIGHT`; null where it cannot be told. */
export const sizeOf = ({ format, bytes }: ImageBytes): string | null => imageSides(format, bytes)?.join('x') ?? null
