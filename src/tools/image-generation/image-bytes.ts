/** What a picture is, by its first bytes: nobody else's word counts. */
import type { ImageBytes, ImageFormat } from './image-engine.ts'

const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/
const HEAD_BYTES = 64

/** Null for what is no PNG, JPEG, WebP or GIF. */
export function toImage(bytes: Buffer): ImageBytes | null {
  const format = formatOf(bytes)
  return format && { format, bytes }
}

/** Null for what is no base64 of a picture. */
export function imageOfBase64(text: string): ImageBytes | null {
  // The head says what it is before the whole is decoded; the rest is held against the alphabet.
  if (formatOf(Buffer.from(text.slice(0, HEAD_BYTES), 'base64')) === null || !BASE64.test(text)) return null
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

function formatOf(bytes: Buffer): ImageFormat | null {
  const head = bytes.toString('latin1', 0, 12)
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (head.startsWith('GIF8')) return 'gif'
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'webp' : null
}

/** `WIDTHxHEIGHT`, read from the header; null where it is not where it is expected. */
export function sizeOf({ format, bytes }: ImageBytes): string | null {
  try {
    const [width, height] = READERS[format](bytes)
    return width > 0 && height > 0 ? `${width}x${height}` : null
  } catch {
    return null
  }
}

type Sides = readonly [width: number, height: number]

const READERS: Readonly<Record<ImageFormat, (bytes: Buffer) => Sides>> = {
  png: (bytes) => [bytes.readUInt32BE(16), bytes.readUInt32BE(20)],
  gif: (bytes) => [bytes.readUInt16LE(6), bytes.readUInt16LE(8)],
  jpeg: jpegSides,
  webp: webpSides,
}

/** In the first "start of frame" segment. */
function jpegSides(bytes: Buffer): Sides {
  for (let at = 2; bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
  }
  return [0, 0]
}

function webpSides(bytes: Buffer): Sides {
  const chunk = bytes.toString('latin1', 12, 16)
  if (chunk === 'VP8X') return [bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1]
  if (chunk === 'VP8 ') return [bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff]
  const bits = bytes.readUInt32LE(21)
  return [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1]
}
