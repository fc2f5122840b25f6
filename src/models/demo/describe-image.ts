/** What can be told of a picture without seeing: its kind and size from its header, and the colour of a small PNG. */
import type { ImageInput } from './conversation.ts'
import { pngColour } from './png-colour.ts'
import { readBytes } from './read-file.ts'

export type ImageFacts = {
  readonly kind: string | null
  readonly width: number | null
  readonly height: number | null
  readonly colour: string | null
}

const NOTHING: ImageFacts = { kind: null, width: null, height: null, colour: null }

export function readImage({ url }: ImageInput): ImageFacts {
  const bytes = url?.startsWith('data:') ? readBytes(url) : null
  if (!bytes) return NOTHING
  for (const read of [readPng, readGif, readJpeg, readWebp]) {
    const facts = read(bytes)
    if (facts) return facts
  }
  return NOTHING
}

/** "a red 1x1 PNG image". */
export function describeImage(image: ImageInput): string {
  const { kind, width, height, colour } = readImage(image)
  if (kind === null)
    return image.url?.startsWith('data:') ? 'an image of a kind I do not know' : 'an image I have not loaded'
  const size = width === null ? '' : `${width}x${height} `
  const article = colour && /^[aeiou]/.test(colour) ? 'an' : 'a'
  return `${article} ${colour === null ? '' : `${colour} `}${size}${kind} image`
}

const facts = (kind: string, width: number, height: number, colour: string | null = null): ImageFacts => ({
  kind,
  width,
  height,
  colour,
})

function readPng(bytes: Buffer): ImageFacts | null {
  if (bytes.length < 29 || bytes.toString('latin1', 1, 4) !== 'PNG') return null
  return facts('PNG', bytes.readUInt32BE(16), bytes.readUInt32BE(20), pngColour(bytes))
}

function readGif(bytes: Buffer): ImageFacts | null {
  if (bytes.length < 10 || bytes.toString('latin1', 0, 3) !== 'GIF') return null
  return facts('GIF', bytes.readUInt16LE(6), bytes.readUInt16LE(8))
}

/** The size stands in the first "start of frame" segment. */
function readJpeg(bytes: Buffer): ImageFacts | null {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) return null
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return facts('JPEG', bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5))
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return { ...NOTHING, kind: 'JPEG' }
}

function readWebp(bytes: Buffer): ImageFacts | null {
  if (bytes.length < 30 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP')
    return null
  const chunk = bytes.toString('latin1', 12, 16)
  if (chunk === 'VP8X') return facts('WebP', bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1)
  if (chunk === 'VP8L') {
    const bits = bytes.readUInt32LE(21)
    return facts('WebP', (bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
  }
  return facts('WebP', bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff)
}
